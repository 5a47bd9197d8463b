"""How printed numbers are read: what ± is, over how many runs, how far off is still as stated."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import PositiveInt

from harness.spec.base import SpecModel
from harness.spec.margin import MarginText
from harness.spec.printed import Printed, Spread
from harness.spec.template import Replicate

DEFAULT_MARGIN = 1.0
"""Points that accuracies in percent may differ by, where a spec declares no margin."""
_ACCURACY = re.compile(r"percent (top-\d+|accuracy)")


class Reporting(SpecModel):
    """How the printed numbers of an exhibit are to be read."""

    spread: Spread = "unknown"
    n: PositiveInt | Literal["unknown"] = "unknown"
    unit: str = ""
    """Such as `percent top-1`."""
    items: PositiveInt | None = None
    """How many test items a percentage of one run counts, where it does."""
    margin: MarginText | None = None
    """Differences up to this count as none; declared before any result is seen: a number in the
    unit, `2 %` of the printed number, or `3 digits`, units of its last digit. If none is declared,
    accuracies in percent have 1 point, and other numbers are shown and not decided."""
    direction: Literal["both", "at least", "at most"] = "both"
    """`at least`: the number is stated as the least that is reached, so that more is as stated."""
    replicate: Replicate | None = None
    """What is done again for each run of ours; as the profile says if left out."""
    n_of: Replicate = "seed"
    """What the paper did again for each of its runs: `pipeline` where these had all steps to
    themselves, so that ± is the spread between pipelines too."""

    def bound(self, printed: Printed, *, exact: bool = False) -> float | None:
        """The margin of a printed number in its unit; None where none is declared.

        Args:
            exact: whether the number has no uncertainty, so that no default is needed.
        """
        if self.margin is not None:
            return self.margin.of(printed)
        return DEFAULT_MARGIN if _ACCURACY.fullmatch(self.unit) and not exact else None

    def over(self, *closer: Reporting) -> Reporting:
        """The same with what is said closer to a number, the closest last."""
        said = {name: getattr(each, name) for each in closer for name in each.model_fields_set}
        return self.model_copy(update=said)
