"""How printed numbers are written and read: what ± is, over how many runs, what counts as stated.

They are fields of specs, written as texts and read once, when the spec is loaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    PositiveInt,
    StringConstraints,
)

from harness.spec.base import Replicate, SpecModel
from harness.spec.printed import Printed, Spread
from harness.spec.reading import read_printed
from harness.spec.units import Unit


def _as_printed(text: Any) -> Printed:
    if isinstance(text, Printed):
        return text
    # As a TOML number it would lose its trailing zeros.
    if not isinstance(text, str):
        raise ValueError('expected a number in quotes, as printed, such as "12.50"')
    read = read_printed(text)
    if read.bold or read.underline:
        raise ValueError("expected a text without markup; name its column in 'bold', 'underline'")
    if text != text.strip() or read.kind == "unreadable":
        why = read.reason or "it begins or ends with a space"
        raise ValueError(f"expected a number as printed, such as '12.57 ± 0.03', or a word; {why}")
    return read


def _with_value(printed: Printed) -> Printed:
    if printed.kind != "number":
        raise ValueError("expected a number as printed, such as '12.57' or '12.57 ± 0.03'")
    return printed


def _no_bound(printed: Printed) -> Printed:
    if not printed.is_number:
        raise ValueError("expected a number, not a bound")
    return printed


PrintedText = Annotated[
    Printed,
    PlainValidator(_as_printed, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]
"""A printed cell in a spec, which is written as a text and read once."""
PrintedAmount = Annotated[PrintedText, AfterValidator(_with_value)]
"""The same, where it has to be a number or a bound."""
PrintedNumber = Annotated[PrintedAmount, AfterValidator(_no_bound)]
"""The same, where it has to be a number."""


_TEXT = re.compile(r"(\d+(?:\.\d+)?) (%|digits?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Margin:
    """An amount of something, above 0."""

    amount: float
    per: Literal["unit", "%", "digit"] = "unit"
    """The unit of the number; a hundredth of the printed number; a unit of its last digit."""

    def of(self, printed: Printed) -> float | None:
        """In the unit of the number; None where it is a share of 0."""
        scale = {
            "unit": 1.0,
            "%": abs(float(printed.number)) / 100,
            "digit": 2 * float(printed.rounding),
        }
        return self.amount * scale[self.per] or None

    @property
    def stated(self) -> float | str:
        """As a spec has it."""
        ending = {"%": "%", "digit": "digit" if self.amount == 1 else "digits"}
        return self.amount if self.per == "unit" else f"{self.amount:g} {ending[self.per]}"


def parse_margin(stated: Any) -> Margin:
    """Read a number, `2 %` or `3 digits`.

    Raises:
        ValueError: it is none of these, or not above 0.
    """
    match = _TEXT.fullmatch(stated) if isinstance(stated, str) else None
    if isinstance(stated, Margin):
        found = stated
    elif match is not None:
        found = Margin(float(match[1]), "%" if match[2] == "%" else "digit")
    elif isinstance(stated, int | float) and not isinstance(stated, bool):
        found = Margin(float(stated))
    else:
        raise ValueError("expected a number above 0, or a text such as '2 %' or '3 digits'")
    if not 0 < found.amount < float("inf"):
        raise ValueError("a margin is above 0")
    return found


MarginText = Annotated[
    Margin,
    PlainValidator(
        parse_margin,
        json_schema_input_type=Annotated[float, Field(gt=0)]
        | Annotated[str, StringConstraints(pattern=f"^{_TEXT.pattern}$")],
    ),
    PlainSerializer(lambda margin: margin.stated, return_type=float | str),
]
"""A margin in a spec."""


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

    def spread_of(self, printed: Printed) -> Spread:
        """What the error of a number is, by its own words where it has some."""
        stated = printed.error.meaning if printed.error else "unknown"
        return self.spread if stated == "unknown" else stated

    def may_be_share(self, printed: Printed) -> bool:
        """Whether the error of a number may be in percent of it, and as well in its unit."""
        in_percent = Unit(declared=self.unit).per(Unit("%")) == 1
        return printed.error is not None and printed.error.percent and not in_percent

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
