"""The difference of two means of independent runs: Welch's test, equivalence, intervals.

Welch (1947) with Satterthwaite's degrees of freedom, capped where one side has few runs, as for
cells (`moderated.welch`); equivalence is two one-sided tests (Schuirmann, 1987). Everything
is in the unit of the cells compared.

Degenerate cases, which have no textbook answer, are settled here:

- one side's spread unknown (no ± printed, or a single run): both sides are given the spread that
  is known, with the degrees of freedom of the side that it comes from. This is the exact t test
  for equal variances, and for n = 1 the prediction interval of a further run;
- both spreads unknown, or one unknown and the other side a constant, which has none to lend:
  there is no test (`difference` returns None);
- no variance on either side: the difference is known exactly, so every p-value is 0 or 1, and a
  difference that lies on the bound (to 1e-9 of the numbers) rejects nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.special import stdtr, stdtrit

from harness.judge.moderated import welch_of
from harness.judge.sample import Summary


@dataclass(frozen=True, slots=True)
class Difference:
    """An estimated difference of two means, its standard error, and the degrees of freedom."""

    estimate: float
    error: float
    df: float
    size: float = 1.0
    """How large the numbers are of which it is a difference: binary fractions round by a share."""

    @classmethod
    def exact(cls, estimate: float, *of: float) -> Difference:
        """A difference of numbers without uncertainty."""
        return cls(estimate, 0.0, math.inf, max(map(abs, of), default=abs(estimate)))

    def at(self, bound: float) -> bool:
        """Whether it is the bound, but for rounding."""
        return math.isclose(self.estimate, bound, rel_tol=1e-9, abs_tol=1e-9 * self.size)

    def p_greater(self, bound: float = 0.0) -> float:
        """p-value against "the true difference is at most `bound`"."""
        if self.error == 0:
            return 0.0 if self.estimate > bound and not self.at(bound) else 1.0
        return float(stdtr(self.df, (bound - self.estimate) / self.error))

    def p_less(self, bound: float = 0.0) -> float:
        """p-value against "the true difference is at least `bound`"."""
        return replace(self, estimate=-self.estimate).p_greater(-bound)

    def p_equal(self) -> float:
        """Two-sided p-value of Welch's test against "the means are equal"."""
        return min(1.0, 2 * min(self.p_greater(), self.p_less()))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided confidence interval; the 90 % one inside ±margin is equivalence at 5 %."""
        if self.error == 0:
            return self.estimate, self.estimate
        half = float(stdtrit(self.df, 0.5 + level / 2)) * self.error
        return self.estimate - half, self.estimate + half


def difference(a: Summary, b: Summary) -> Difference | None:
    """a - b, or None where no spread is known."""
    estimate, known = a.mean - b.mean, [side for side in (a, b) if side.std is not None]
    if len(known) < 2 and all(side.is_exact for side in known):
        return None
    squared, df = (float(each[0]) for each in welch_of([(a, b)]))
    if squared == 0:
        return Difference.exact(estimate, a.mean, b.mean)
    return Difference(estimate, math.sqrt(squared), df)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg adjusted p-values, in the order given."""
    if not p_values:
        return []
    from scipy.stats import false_discovery_control

    return [float(p) for p in false_discovery_control(p_values, method="bh")]
