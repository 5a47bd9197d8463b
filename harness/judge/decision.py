"""The one rule by which a number of ours is held against a stated one.

Two questions are asked, and both may have an answer (the correspondence test of Tryon and Lewis,
2008, Psychological Methods 13:272; Steiner and Wong, 2018, Evaluation Review 42:214):

- Is the difference inside the margin? Two one-sided tests at 5 % (Schuirmann, 1987).
- Is it beyond the margin? One-sided at the margin, with the false-discovery rate over the exhibit
  held at 5 % (Benjamini and Hochberg, 1995).

The margin is widened by half a unit of the last printed digit, so rounding never counts as a
deviation. Standard errors are moderated over the exhibit (`harness.judge.moderated`), where spreads
are compared in units of each cell's margin, since cells may have different measures. Welch's stand
beside them, and in for them without a margin and where fewer than three cells have a spread.

This module is light: the statistics are imported when something is decided.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from harness.judge.sample import Summary
from harness.later import np

if TYPE_CHECKING:
    from harness.judge.model import OutcomeName
    from harness.judge.moderated import Difference, Errors, Floats, Prior

Outcome = Literal["reproduced", "deviates", "inconclusive"]
Tail = Literal["both", "at least", "at most"]
Method = Literal["moderated", "welch", "exact", "none"]
ALPHA = 0.05
_LAST_BITS = 1e-15
"""Numbers are binary fractions only up to this share of themselves."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a difference must lie.

    `below` is where failing begins on the lower side, if not at `low`. An open end is not in it,
    which matters only to numbers without uncertainty.
    """

    words: str
    low: float = -math.inf
    high: float = math.inf
    below: float | None = None
    low_open: bool = False
    high_open: bool = False

    def covers(self, least: float, most: float) -> bool:
        """Whether all from the least to the most lies in it."""
        above = self.low < least if self.low_open else self.low <= least
        return above and (most < self.high if self.high_open else most <= self.high)

    def is_short(self, d: Difference) -> bool:
        """Whether it surely lies below, where that is no failing yet."""
        if self.below is None or self.below >= self.low:
            return False
        return d.p_less(self.low) < ALPHA or (self.low_open and d.error == 0 and d.at(self.low))

    def p_inside(self, d: Difference) -> float:
        """p-value against "the true difference is outside"."""
        return max(d.p_greater(self.low), d.p_less(self.high))

    def place(self, d: Difference, alpha: float = ALPHA) -> OutcomeName:
        """The outcome of a claim about the region; failing is tested at `alpha`."""
        if d.error == 0:
            return self._place_exact(d)
        if self.p_inside(d) < ALPHA:
            return "holds"
        fail = self.low if self.below is None else self.below
        return "fails" if min(d.p_less(fail), d.p_greater(self.high)) < alpha else "undecided"

    def _place_exact(self, d: Difference) -> OutcomeName:
        above = not self.low_open if d.at(self.low) else d.estimate > self.low
        under = not self.high_open if d.at(self.high) else d.estimate < self.high
        if above and under:
            return "holds"
        near = self.below is not None and (d.estimate > self.below or d.at(self.below))
        return "undecided" if under and near else "fails"


def more(margin: float) -> Region:
    """Above by more than the margin. It fails below 0: a margin is the spec's reading of words such
    as "clear", and a lead within it refutes the reading, not the sentence.
    """
    return Region(f"more than {margin:g}", low=margin, below=0.0, low_open=True)


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


def place_sizes(
    apart: Difference, total: Difference, margin: float, alpha: float = ALPHA
) -> OutcomeName:
    """The outcome of a claim that |x| is more than |y| by the margin, of x - y and of x + y.

    As with `more`, it fails where |y| is surely more than |x|, at `alpha`.
    """
    from harness.judge.moderated import p_larger

    if p_larger(apart, total, margin) < ALPHA:
        return "holds"
    turned = replace(apart, estimate=-apart.estimate)
    return "fails" if p_larger(turned, total, 0.0) < alpha else "undecided"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stated number and ours, in the unit of the cell.

    `Summary.exact` is a number without uncertainty on either side. A stated number without a known
    spread takes over ours.
    """

    reported: Summary
    ours: Summary
    margin: float | None
    """Differences up to this count as none; None where none was declared."""
    half_unit: float = 0.0
    """Half a unit of the last digit that is printed."""
    tail: Tail = "both"
    """"at least": the number is stated as the least that is reached, so that more is as stated."""
    looks: tuple[int, ...] = ()
    """Runs of ours at each look so far, where runs were added until it is decided; the last is the
    present one (`harness.judge.sequential`)."""
    work: Hashable = field(default_factory=object)
    """What ours is: one run that is printed in several cells counts once for the others."""

    def __post_init__(self) -> None:
        if self.margin is not None and not self.margin > 0:
            raise ValueError(f"a margin is positive, found {self.margin}")

    @property
    def difference(self) -> float:
        """Ours minus what is stated."""
        return self.ours.mean - self.reported.mean

    @property
    def bound(self) -> float:
        """How far a difference may go."""
        return (self.margin or 0.0) + self.half_unit

    def region(self, bound: float) -> tuple[float, float]:
        """Where a difference is as stated."""
        return (
            -math.inf if self.tail == "at most" else -bound,
            math.inf if self.tail == "at least" else bound,
        )


@dataclass(frozen=True, slots=True)
class Statistics:
    """One way of testing: the standard error, and what follows from it."""

    error: float
    df: float
    critical: float
    """Quantile of t for one-sided tests at 5 %: errors that a difference must keep from a bound.
    Of several looks, where all of them together are wrong with 5 %; the rest likewise."""
    interval: tuple[float, float]
    """At 95 %. The one at 90 % inside the bounds is equivalence at 5 %."""
    p_equal: float
    """Against a difference of no more than rounding."""
    p_inside: float | None
    """Against a difference outside the margin; small where it is inside. None without a margin."""
    p_outside: float | None
    """Against a difference inside the margin; small where it is outside."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one number of ours says of the stated one."""

    outcome: Outcome
    difference: float
    """Ours minus what is stated."""
    method: Method
    """What the outcome rests on; "none" where nothing could be tested."""
    differs: bool = False
    """Whether equality is rejected, with the false-discovery rate over the exhibit held."""
    withheld: bool = False
    """Whether the cell alone would deviate, and only the control over the exhibit withholds it."""
    statistics: Statistics | None = None
    """Of a single run of ours too, which decides nothing."""
    welch: Statistics | None = None
    """The same from this cell's own spreads."""
    scatter: float | None = None
    """How many times as much our runs scatter as theirs, over the exhibit, see
    `sequential.scatter_of`; None where errors are not moderated."""
    p_equal_adjusted: float | None = None
    p_outside_adjusted: float | None = None

    @property
    def trivial(self) -> bool:
        """Reproduced, and differs: the difference is real and inside the margin."""
        return self.outcome == "reproduced" and self.differs

    @property
    def size_open(self) -> bool:
        """Differs, but it is not shown whether by more than the margin."""
        return self.outcome == "inconclusive" and self.differs


def decide(exhibit: Sequence[Evidence]) -> list[Decision]:
    """The decision on every number of an exhibit, in order.

    Two exact numbers are compared as printed: equal up to rounding and the margin, or not. A single
    run of ours is always inconclusive and tests nothing.
    """
    decided = [
        _decide_exact(item) or Decision("inconclusive", item.difference, "none") for item in exhibit
    ]
    open_still = [i for i, item in enumerate(exhibit) if decided[i].method == "none"]
    testable = [i for i in open_still if _testable(exhibit[i])]
    single = [i for i in open_still if i not in testable and _has_spread(exhibit[i])]
    if once := list(dict.fromkeys(exhibit[i] for i in testable)):
        tested = dict(zip(once, _test(once), strict=True))
        decided = [tested.get(item, decided[i]) for i, item in enumerate(exhibit)]
    for i in single:
        own = _statistics([exhibit[i]], _welch([exhibit[i]]))[0]
        decided[i] = Decision("inconclusive", exhibit[i].difference, "none", statistics=own)
    return decided


def exhibit_prior(exhibit: Sequence[Evidence]) -> Prior | None:
    """How alike the spreads of an exhibit are, in units of the margins.

    None where fewer than three works have a spread and a margin.
    """
    from harness.judge.moderated import FEWEST_CELLS, fit_prior, positive

    testable = (item for item in exhibit if item.margin and _testable(item))
    used = list({item.work: item for item in testable}.values())
    if len(used) < FEWEST_CELLS:
        return None
    own = _welch(used)
    if not own.squared.any():
        return None
    prior = fit_prior(positive(own.squared / _scale(used)), own.df)
    return replace(prior, scatter=_scatter(used))


def _scatter(exhibit: Sequence[Evidence]) -> float:
    """How many times as much our runs scatter as theirs, in units of the margins."""
    from harness.judge.sequential import scatter_of

    ours = _pooled([(item.ours, item.margin or 1.0) for item in exhibit])
    theirs = _pooled([(item.reported, item.margin or 1.0) for item in exhibit])
    return float(scatter_of(ours, theirs)) if ours and theirs else 1.0


def _pooled(sides: Sequence[tuple[Summary, float]]) -> float:
    """The variance of a run, of numbers in units of their own; 0 where no spread is known."""
    known = [(s.std / unit, s.n - 1) for s, unit in sides if s.std is not None and s.n > 1]
    return sum(std**2 * df for std, df in known) / sum(df for _, df in known) if known else 0.0


def _decide_exact(item: Evidence) -> Decision | None:
    if not (item.reported.is_exact and item.ours.is_exact):
        return None
    slack = _LAST_BITS * max(abs(item.reported.mean), abs(item.ours.mean))
    within, equal = (
        low - slack <= item.difference <= high + slack
        for low, high in (item.region(item.bound), item.region(item.half_unit))
    )
    outcome: Outcome = "reproduced" if within else "deviates"
    return Decision(outcome, item.difference, "exact", differs=not equal)


def _has_spread(item: Evidence) -> bool:
    """Whether at least one side tells how much runs vary."""
    sides = item.reported, item.ours
    return any(side.std is not None and side.n > 1 for side in sides)


def _testable(item: Evidence) -> bool:
    """Whether the cell has a standard error to which our runs contribute."""
    return _has_spread(item) and (item.ours.n > 1 or item.ours.is_exact)


def _test(exhibit: Sequence[Evidence]) -> list[Decision]:
    from harness.judge.moderated import adjusted, moderate

    own = _welch(exhibit)
    prior = exhibit_prior(exhibit)
    alone = _statistics(exhibit, own)
    shared = [prior is not None and item.margin is not None for item in exhibit]
    used = alone
    if prior is not None:
        moved = _statistics(exhibit, moderate(own, _scale(exhibit), prior), prior.scatter)
        used = [moved[i] if shared[i] else alone[i] for i in range(len(exhibit))]
    equal = adjusted([s.p_equal for s in used])
    outside = iter(adjusted([s.p_outside for s in used if s.p_outside is not None]))
    corrected = [None if s.p_outside is None else next(outside) for s in used]
    return [
        Decision(
            outcome := _outcome(s, beyond),
            item.difference,
            "moderated" if shared[i] else "welch",
            differs=equal[i] < ALPHA,
            withheld=outcome == "inconclusive" and s.p_outside is not None and s.p_outside < ALPHA,
            statistics=s,
            welch=alone[i],
            scatter=prior.scatter if prior and shared[i] else None,
            p_equal_adjusted=equal[i],
            p_outside_adjusted=beyond,
        )
        for i, (item, s, beyond) in enumerate(zip(exhibit, used, corrected, strict=True))
    ]


def _outcome(statistics: Statistics, p_outside_adjusted: float | None) -> Outcome:
    if statistics.p_inside is not None and statistics.p_inside < ALPHA:
        return "reproduced"
    if p_outside_adjusted is not None and p_outside_adjusted < ALPHA:
        return "deviates"
    return "inconclusive"


def _welch(exhibit: Sequence[Evidence]) -> Errors:
    from harness.judge.moderated import welch_of

    return welch_of([(item.ours, item.reported) for item in exhibit])


def _scale(exhibit: Sequence[Evidence]) -> Floats:
    """A squared error in units of the variance of a run, which is in units of the margin."""

    return np.array(
        [
            (1 / item.ours.runs + 1 / item.reported.runs) * (item.margin or 1.0) ** 2
            for item in exhibit
        ]
    )


def _statistics(
    exhibit: Sequence[Evidence], errors: Errors, scatter: float | None = None
) -> list[Statistics]:
    from scipy.special import stdtrit

    from harness.judge.moderated import p_inside, p_outside
    from harness.judge.sequential import level, p_over_looks

    gap = np.array([item.difference for item in exhibit])
    low, high = np.array([item.region(item.bound) for item in exhibit]).T
    least, most = np.array([item.region(item.half_unit) for item in exhibit]).T
    p = np.array(
        [
            p_outside(gap, least, most, errors) / 2,  # of one side, as the others are
            p_inside(gap, low, high, errors),
            p_outside(gap, low, high, errors),
        ]
    )
    levels = np.empty((2, len(exhibit)))
    for i, item in enumerate(exhibit):
        runs = item.reported.runs, item.looks
        levels[:, i] = [level(alpha, *runs, scatter) for alpha in (ALPHA, ALPHA / 2)]
        if item.looks:
            p[:, i] = p_over_looks(p[:, i], *runs, scatter)
    critical, half = -stdtrit(errors.df, levels)
    half = half * np.sqrt(errors.squared)
    return [
        Statistics(
            float(errors.squared[i]) ** 0.5,
            float(errors.df[i]),
            float(critical[i]),
            (float(gap[i] - half[i]), float(gap[i] + half[i])),
            min(2 * float(p[0, i]), 1.0),
            None if item.margin is None else float(p[1, i]),
            None if item.margin is None else float(p[2, i]),
        )
        for i, item in enumerate(exhibit)
    ]
