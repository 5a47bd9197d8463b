"""Intervals for a fit of the scaling law: bootstrap and profile likelihood.

Both are for the first curve's parameters, in logarithms where the search is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, least_squares
from scipy.stats import f as f_distribution
from torch import Generator, randint

from harness.lab.measure.scaling.fit import LawFit, LawProblem, descend
from harness.lab.measure.scaling.law import delta
from harness.lab.measure.values import Floats

LEVEL = 0.95
PROFILED = 17
"""Values of a parameter at which its profile is drawn."""


def parameters(made: LawFit) -> tuple[float, float, float, float, float]:
    """b, tau, delta, a and d, of the first curve."""
    b, tau = float(made.b[0]), float(made.tau[0])
    return b, tau, float(delta(tau)), made.a, made.d


def bootstrap(
    problem: LawProblem, errors: Floats, made: LawFit, count: int, block: int, seed: int
) -> Floats:
    """Parameters of fits to what the law predicts plus resampled residuals, (count, 5).

    Residuals are centred, widened by sqrt(points / (points - free)), and drawn with replacement in
    runs of `block` neighbours, the last evaluation being followed by the first. Each search starts
    at the fit and at the deepest minimum of the coarse grid.
    """
    points = len(errors)
    residuals = errors - made.predicted
    residuals = (residuals - residuals.mean()) * np.sqrt(points / max(1, points - problem.free))
    draws = Generator().manual_seed(seed)
    begins = randint(points, (count, -(-points // block)), generator=draws).numpy()
    rows = (begins[..., None] + np.arange(block)).reshape(count, -1)[:, :points] % points
    again = []
    for own in rows:
        drawn = made.predicted + residuals[own]
        places = (_place(made), next(problem.starts(drawn)))
        refits = (descend(problem, drawn, place) for place in places)
        again.append(parameters(min(refits, key=lambda refit: refit.sse)))
    # Where an official curve begins below its d, a is infinite; records hold finite numbers.
    finite: Floats = np.nan_to_num(np.array(again))
    return finite


def middle(values: Floats) -> Floats:
    """Ends of the middle 95 % of each column: (2, columns) from (draws, columns)."""
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


@dataclass(frozen=True)
class ProfileLikelihood:
    """The likelihood of one parameter, all others fitted."""

    problem: LawProblem
    errors: Floats
    made: LawFit
    coordinate: int
    """Coordinate of a place that is profiled: 0 is log(-b), 1 is log(tau)."""

    @property
    def best(self) -> float:
        return float(_place(self.made)[self.coordinate])

    @property
    def allowed(self) -> float:
        """Sum of squared errors up to which a value is in the 95 % interval: an F test."""
        spare = max(1, len(self.errors) - self.problem.free)
        return self.made.sse * float(1 + f_distribution.ppf(LEVEL, 1, spare) / spare)

    def least(self, value: float) -> float:
        """Least sum of squared errors with the coordinate held at a value."""
        start = _place(self.made)
        others = np.delete(np.arange(len(start)), self.coordinate)
        low, high = self.problem.bounds[:, others]

        def residuals(free: Floats) -> Floats:
            place = np.insert(free, self.coordinate, value)
            return self.problem.at(place, self.errors).predicted - self.errors

        begin = np.clip(start[others], low, high)
        return 2 * float(least_squares(residuals, begin, bounds=(low, high)).cost)

    def end(self, side: int) -> tuple[float, bool]:
        """Low (0) or high (1) end of the interval, and whether it lies inside the bounds."""
        bound = float(self.problem.bounds[side, self.coordinate])
        if self.least(bound) <= self.allowed:
            return bound, False
        if self.least(self.best) >= self.allowed:
            return self.best, True
        root = brentq(lambda x: self.least(x) - self.allowed, self.best, bound, xtol=1e-9)
        return float(root), True

    def drawn(self, low: float, high: float) -> Floats:
        """Value and least sum of squared errors, around an interval (PROFILED, 2)."""
        reach = np.array([1.5 * low - 0.5 * high, 1.5 * high - 0.5 * low])
        first, last = np.clip(reach, *self.problem.bounds[:, self.coordinate])
        values: Floats = np.linspace(first, last, PROFILED)
        return np.stack([values, [self.least(value) for value in values]], axis=1)


def _place(made: LawFit) -> Floats:
    """The place where the search ended, (2 x curves,)."""
    return np.log(np.stack([-made.b, made.tau], axis=1)).ravel()
