"""What can be said of a reproduction without a margin.

- Does our mean lie where their runs predict it? Patil, Peng and Leek (2016, Perspectives on
  Psychological Science 11:539); Spence and Stanley (2016, PLOS ONE 11:e0162874).
- How far apart are the two numbers, as one figure that compares over papers? CV* of Belz (2022,
  Computational Linguistics 48:1125) and QRA++ (Belz, 2025).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.judge.sample import Summary

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Predicted:
    """Where the mean of our runs lies with 95 %, if it is drawn as theirs were."""

    low: float
    high: float
    inside: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of an exhibit's predictions our means meet."""

    inside: int
    of: int
    expected: float
    """How many should, if all were drawn as theirs were."""
    p_fewer: float
    """Chance of so few or fewer then. Cells of one exhibit are taken as independent."""


def predict(reported: Summary, ours: Summary, half_unit: float = 0.0) -> Predicted | None:
    """The interval mean ± t(n - 1) s sqrt(1/n + 1/m), widened by the rounding of what is printed.

    It rests on their spread alone. None where that is unknown or printed as 0, of which no share of
    further runs follows.
    """
    if not reported.std:
        return None
    from scipy.special import stdtrit

    quantile = float(stdtrit(reported.n - 1, 0.5 + LEVEL / 2))
    share = 1 / reported.n + 1 / ours.runs
    half = quantile * reported.std * math.sqrt(share) + half_unit
    low, high = reported.mean - half, reported.mean + half
    return Predicted(low, high, low - 1e-9 <= ours.mean <= high + 1e-9)


def coverage(predictions: Iterable[Predicted | None]) -> Coverage | None:
    """How many of the predictions hold against how many should; None where there are none."""
    known = [p.inside for p in predictions if p is not None]
    if not known:
        return None
    inside, of = sum(known), len(known)
    outside = range(of - inside, of + 1)
    return Coverage(inside, of, LEVEL * of, min(1.0, math.fsum(_chance(k, of) for k in outside)))


def _chance(outside: int, of: int) -> float:
    """Of so many predictions missed, by the binomial; its logarithm does not overflow."""
    inside = of - outside
    ways = math.lgamma(of + 1) - math.lgamma(inside + 1) - math.lgamma(outside + 1)
    return math.exp(ways + inside * math.log(LEVEL) + outside * math.log(1 - LEVEL))


def cv_star(values: Sequence[float]) -> float | None:
    """CV*: the coefficient of variation of all measurements of one quantity, in percent.

    (1 + 1 / 4n) s* / |mean|, where s* is the standard deviation made unbiased for normal samples.
    Of a stated number and ours, n is 2. Not comparable over scales without a natural zero.

    Returns:
        None for fewer than two values, or a mean of 0.
    """
    n = len(values)
    mean = math.fsum(values) / n if n else 0.0
    if n < 2 or mean == 0:
        return None
    square = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    shrinks = math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))
    return 100 * (1 + 1 / (4 * n)) * math.sqrt(square) / shrinks / abs(mean)
