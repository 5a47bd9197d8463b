"""The one rule by which a difference is held against a margin.

Cells, stated numbers and claims are all decided here, and `power` says how likely it is to decide.
A difference may lie in a region, which a margin or a claim gives:

- inside, where one-sided tests at 5 % exclude all that is outside (for two ends, the two one-sided
  tests of Schuirmann, 1987);
- a verdict is `reproduced` inside the margin; `deviates` where equality is rejected, with the
  false-discovery rate over the exhibit held at 5 %, and the estimate exceeds the margin; else
  `inconclusive`;
- a claim `holds` inside its region; `fails` where tests exclude the region; else `undecided`.

This module is light: the statistics are imported when something is decided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.judge.model import OutcomeName

if TYPE_CHECKING:
    from harness.judge.welch import Difference

Outcome = Literal["reproduced", "deviates", "inconclusive"]
Tail = Literal["both", "at least"]
ALPHA = 0.05
_SLACK = 1e-9
"""Numbers with few decimals are binary fractions only up to this."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a difference must lie.

    `below` is where failing begins on the lower side, if not at `low`. `strict` excludes the ends,
    which matters only to numbers without uncertainty.
    """

    words: str
    low: float = -math.inf
    high: float = math.inf
    below: float | None = None
    strict: bool = False

    def p_inside(self, d: Difference) -> float:
        """p-value against "the true difference is outside"."""
        return max(d.p_greater(self.low), d.p_less(self.high))

    def exceeded_by(self, value: float) -> bool:
        """Whether a value lies beyond an end."""
        return value < self.low or value > self.high

    def place(self, d: Difference, alpha: float = ALPHA) -> OutcomeName:
        """The outcome of a claim about the region; failing is tested at `alpha`."""
        fail = self.low if self.below is None else self.below
        if d.error == 0:
            return self._place_exact(d.estimate, fail)
        if self.p_inside(d) < ALPHA:
            return "holds"
        return "fails" if min(d.p_less(fail), d.p_greater(self.high)) < alpha else "undecided"

    def _place_exact(self, value: float, fail: float) -> OutcomeName:
        slack = -_SLACK if self.strict else _SLACK
        if self.low - slack <= value <= self.high + slack:
            return "holds"
        return "fails" if value < fail - _SLACK or value > self.high + _SLACK else "undecided"


def more(margin: float) -> Region:
    """Above by more than the margin; reversed below 0."""
    return Region(f"more than {margin:g}", low=margin, below=0.0, strict=True)


def alike(margin: float) -> Region:
    """Equivalent within the margin."""
    return Region(f"within ±{margin:g}", low=-margin, high=margin)


def no_less(margin: float) -> Region:
    """Equivalent within the margin, or above."""
    return Region(f"at least {0 - margin:g}", low=-margin)


def between(low: float | None, high: float | None) -> Region:
    """Inside a closed interval; None is no end."""
    ends = -math.inf if low is None else low, math.inf if high is None else high
    if low is None or high is None:
        return Region(f"at most {high:g}" if low is None else f"at least {low:g}", *ends)
    return Region(f"within [{low:g}, {high:g}]", *ends)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The difference of a number of ours from the paper's, in the unit of the number."""

    difference: Difference
    margin: float
    """Differences up to this count as none."""
    tail: Tail = "both"
    """"at least": the number is stated as the least that is reached, so that more is as stated."""

    @property
    def region(self) -> Region:
        """Where the difference counts as none."""
        return alike(self.margin) if self.tail == "both" else no_less(self.margin)

    @property
    def p_equal(self) -> float:
        """Against "ours is equal", or, where more is as stated, "ours is no less"."""
        return self.difference.p_equal() if self.tail == "both" else self.difference.p_less()


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on one number of ours beside the paper's."""

    outcome: Outcome
    difference: Difference
    p_equal_adjusted: float
    """After false-discovery control over what was decided together."""


def decide(exhibit: Sequence[Evidence]) -> list[Decision]:
    """The decision on every number of an exhibit, in their order."""
    from harness.judge.welch import adjusted

    corrected = adjusted([item.p_equal for item in exhibit])
    return [
        Decision(_outcome(item, p), item.difference, p)
        for item, p in zip(exhibit, corrected, strict=True)
    ]


def _outcome(item: Evidence, p_equal: float) -> Outcome:
    if item.region.p_inside(item.difference) < ALPHA:
        return "reproduced"
    if p_equal < ALPHA and item.region.exceeded_by(item.difference.estimate):
        return "deviates"
    return "inconclusive"
