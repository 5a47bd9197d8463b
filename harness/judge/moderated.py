"""Standard errors of differences, moderated over the cells of an exhibit.

Two or three runs a side say little about a spread, but the cells of an exhibit have spreads alike.
So each cell's squared standard error (Welch's, which lets the two sides differ) is moved towards a
common value, as far as the cells are alike, and gains degrees of freedom: the empirical-Bayes
variance of Smyth (2004, Statistical Applications in Genetics and Molecular Biology 3:3), applied to
Welch's statistic as by Demissie et al. (2008, Bioinformatics 24:1168).

Three departures keep the error rates, see `benchmarks.rule.simulate`:

- the common value is widened by `WIDENED`, since with few cells it is itself uncertain;
- no variance falls below `KEPT` times the cell's own, and a cell that is kept from falling has at
  most twice its own degrees of freedom. A cell whose spread stands out would pay for the others
  otherwise (the limited translation of Efron and Morris, 1972, JASA 67:130);
- degrees of freedom are at most twice those of the smaller side, since Satterthwaite's are too
  many for two runs, and at most those of all cells together.

Arrays are float64; the last axis is that of cells, axes before it are repetitions.

The difference of two means of independent runs: Welch's test, equivalence, intervals.

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
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma, stdtr, stdtrit

from harness.judge.sample import Summary

Floats: TypeAlias = NDArray[np.float64]
Bound: TypeAlias = Floats | float

WIDENED = 1.15
KEPT = 0.75
FEWEST_CELLS = 3
"""Cells with a spread that a common value needs; with fewer, each cell has only its own."""
_ALIKE = 1e8
"""Degrees of freedom that stand for infinitely many."""
_STEPS = 12


class Errors(NamedTuple):
    """Squared standard errors of differences, and their degrees of freedom."""

    squared: Floats
    df: Floats


@dataclass(frozen=True, slots=True)
class Prior:
    """Variances s² of cells are about `variance`: s² / variance ~ F(., df).

    One value for each repetition, with an axis of length 1 for the cells.
    """

    df: Floats
    variance: Floats
    most: Floats
    """Degrees of freedom of all cells together, of which no cell can have more."""
    scatter: float = 1.0
    """How many times as much our runs scatter as theirs, see `sequential.scatter_of`."""


def welch(squares: tuple[Floats, Floats], runs: tuple[Floats, Floats]) -> Errors:
    """Welch's squared standard errors, with Satterthwaite's degrees of freedom.

    Args:
        squares: sample variances over the runs of each side; NaN where no spread is known, in
            which case the other side's is taken over with its degrees of freedom.
        runs: number of runs of each side; infinite for a number that is known exactly, whose
            variance is 0.

    Returns:
        Errors, with df NaN where neither spread is known and infinite where both are exact.
    """
    known = [~np.isnan(square) for square in squares]
    filled = [np.where(known[i], squares[i], squares[1 - i]) for i in (0, 1)]
    shares = [filled[i] / runs[i] for i in (0, 1)]
    squared = np.asarray(shares[0] + shares[1])
    df = [np.where(known[i], runs[i] - 1, np.nan) for i in (0, 1)]
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = sum((share / squared) ** 2 / d for share, d in zip(shares, df, strict=True))
        both = np.where(squared > 0, 1 / inverse, df[0] + df[1])
    satterthwaite = np.minimum(both, 2 * np.minimum(*df))
    one = np.where(known[0], df[0], df[1])
    return Errors(squared, np.where(known[0] & known[1], satterthwaite, one))


def welch_of(pairs: Sequence[tuple[Summary, Summary]]) -> Errors:
    """The same of pairs of samples, one error for each pair."""
    known = np.array([[(side.variance, side.runs) for side in pair] for pair in pairs])
    (square, runs), (other_square, other_runs) = known.transpose(1, 2, 0)
    return welch((square, other_square), (runs, other_runs))


def fit_prior(variances: Floats, df: Floats) -> Prior:
    """The common variance and how many degrees of freedom it is worth (Smyth, 2004, section 6.2).

    The logarithms of sample variances have a known mean and scatter when all true variances are
    the same; what they scatter more tells the degrees of freedom. All variances must be positive.
    """
    logs = np.log(variances) - digamma(df / 2) + np.log(df / 2)
    excess = logs.var(axis=-1, ddof=1, keepdims=True) - polygamma(1, df / 2).mean(-1, keepdims=True)
    prior_df = np.minimum(2 * inverse_trigamma(np.maximum(excess, 2 / _ALIKE)), _ALIKE)
    centre = logs.mean(axis=-1, keepdims=True) + digamma(prior_df / 2) - np.log(prior_df / 2)
    return Prior(prior_df, np.exp(centre), df.sum(axis=-1, keepdims=True))


def inverse_trigamma(value: Floats) -> Floats:
    """x > 0 with trigamma(x) = value > 0, by Newton's method on 1 / trigamma."""
    x = 0.5 + 1 / value
    for _ in range(_STEPS):
        trigamma = polygamma(1, x)
        x = x + trigamma * (1 - trigamma / value) / polygamma(2, x)
    return np.asarray(x)


def moderate(own: Errors, scale: Floats, prior: Prior | None = None) -> Errors:
    """The errors of each cell, moved towards those of all.

    Args:
        own: Welch's, all positive.
        scale: what a squared error is in units of a variance over runs (1/n + 1/m), by which
            cells with more or fewer runs are made alike.
        prior: from other cells; None fits it to these.
    """
    variances = own.squared / scale
    prior = prior or fit_prior(positive(variances), own.df)
    weight = np.clip(prior.most - own.df, 0, prior.df)
    common = WIDENED * prior.variance
    moved = (weight * common + own.df * variances) / (weight + own.df)
    kept = moved < KEPT * variances
    df = np.where(kept, np.minimum(2 * own.df, weight + own.df), weight + own.df)
    return Errors(np.maximum(moved, KEPT * variances) * scale, df)


def positive(variances: Floats) -> Floats:
    """The variances, with those of 0 taken for very small ones, since logarithms are fitted."""
    return np.asarray(np.maximum(variances, 1e-5 * variances.mean(axis=-1, keepdims=True)))


def p_inside(estimate: Floats, low: Bound, high: Bound, errors: Errors) -> Floats:
    """p-values against "the truth is not between low and high" (two one-sided tests)."""
    sides = (_below(low - estimate, estimate, errors), _below(estimate - high, estimate, errors))
    return np.asarray(np.maximum(*sides))


def p_outside(estimate: Floats, low: Bound, high: Bound, errors: Errors) -> Floats:
    """p-values against "the truth is between low and high", ends included.

    The chance of an estimate as far beyond the nearer end, on either side, when the truth is at
    that end. For low = high it is the two-sided test.
    """
    beyond = np.maximum(low - estimate, estimate - high)
    near, far = (_below(-beyond - more, estimate, errors) for more in (0.0, high - low))
    return np.asarray(np.minimum(near + far, 1.0))


def _below(distance: Floats, estimate: Floats, errors: Errors) -> Floats:
    """P(T < distance / error); an exact estimate that lies on a bound (to 1e-9 of itself) rejects
    nothing.

    Errors of 0 are met where a number without spread is held against a stated one.
    """
    error = np.sqrt(errors.squared)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stdtr(errors.df, distance / error)
    return np.where(error > 0, p, np.where(distance < -1e-9 * np.abs(estimate), 0.0, 1.0))


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


def p_larger(apart: Difference, total: Difference, margin: float) -> float:
    """p-value against "|x| is at most |y| + margin", of x - y and of x + y.

    It is more where both are above the margin, or both below -margin, so both are shown to be (an
    intersection-union test: Berger, 1982, Technometrics 24:295). Each is tested on two sides, as in
    `p_outside`: either sign of x may do it, and one-sided tests for both signs would be wrong twice
    as often where x and y are 0 and there is no margin.
    """
    ahead = max(d.p_greater(margin) + d.p_greater(-margin) for d in (apart, total))
    behind = max(d.p_less(-margin) + d.p_less(margin) for d in (apart, total))
    return min(ahead, behind, 1.0)


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
