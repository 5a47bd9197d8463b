"""Estimates of the scaling law and their intervals, from measured curves and from a known law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, least_squares
from scipy.stats import f as f_distribution
from torch import Generator, randint

from harness.errors import UserError
from harness.lab.measure.scaling.fit import (
    Evaluations,
    LawFit,
    LawProblem,
    delta,
    descend,
    fit,
    grid_fit,
)
from harness.lab.measure.scaling.fitting import FitParams, GridFitParams, LawParams, Spaced
from harness.lab.measure.values import Floats, number
from harness.plan.step import Json, StepContext, StepInput, StepResult

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


NAMES = ("b", "tau", "delta", "a", "d")


@dataclass(frozen=True)
class MeasuredCurve:
    """A learning curve from the end of its first epoch on."""

    samples: Floats
    """Samples seen at each evaluation, (points,)."""
    errors: Floats
    """1 - accuracy, (points,)."""
    evaluations: Evaluations


def _measured(params: LawParams, given: StepInput) -> MeasuredCurve:
    images = number(given, "images")
    pool = images if params.epoch == "subset" else number(given, "train_images")
    samples = given.array("epochs") * images
    used = samples >= pool
    if used.sum() < 6:
        raise UserError(
            f"fit_scaling: {used.sum()} evaluations of the learning curve lie at or after the end "
            f"of the first epoch of {pool:.0f} images, expected 6 or more; evaluate more often, "
            "train for longer, or count epochs of the subset"
        )
    errors = 1.0 - given.array("accuracy")[used].astype(np.float64)
    evaluations = Evaluations(samples[used] / params.unit, pool / params.unit)
    return MeasuredCurve(samples[used], errors, evaluations)


def fitted(params: FitParams, given: list[StepInput], ctx: StepContext) -> StepResult:
    """The record of a fit to one curve, or to two that share a and d; see `fit_scaling`."""
    curves = [_measured(params, one) for one in given]
    errors = np.concatenate([curve.errors for curve in curves])
    problem = problem_of(params, *(curve.evaluations for curve in curves))
    made = fit(problem, errors)
    if not np.isfinite(made.a):
        raise UserError(
            f"fit_scaling: no a fits errors from {errors.max():.3g} down to {errors.min():.3g}, "
            f"since d = {params.d:g} is given and the official form begins above it; "
            "give a smaller d"
        )
    values, arrays = _values(made, len(errors)), _arrays(curves[0], made)
    again = bootstrap(
        problem, errors, made, params.bootstrap, params.block, ctx.derive("bootstrap")
    )
    arrays["bootstrap"] = again
    for name, (low, high) in zip(NAMES, middle(again).T, strict=True):
        values |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    for coordinate, name in enumerate(("b", "tau")):
        ends, arrays[f"{name}_profile"] = _profiled(
            ProfileLikelihood(problem, errors, made, coordinate)
        )
        values |= {f"{name}_{key}": end for key, end in ends.items()}
    for key in ("profile_low", "profile_high"):
        # The ends are those of tau, whose profile came last.
        values[f"delta_{key}"] = float(delta(ends[key]))
    return StepResult(values, arrays)


def fitted_on_grid(params: GridFitParams, given: StepInput) -> StepResult:
    """The record of a fit by a grid search; see `fit_scaling_grid`."""
    curve = _measured(params, given)
    values = (_spaced(params.a_values), _spaced(params.b_values), _spaced(params.tau_values))
    made = grid_fit(params.law, curve.evaluations, curve.errors, values, params.d)
    return StepResult(_values(made, len(curve.errors)), _arrays(curve, made))


def problem_of(params: FitParams, *evaluations: Evaluations) -> LawProblem:
    """The search that the parameters ask for."""
    return LawProblem(
        evaluations, params.law, params.a, params.d, params.b_bounds, params.tau_bounds
    )


def _profiled(profile: ProfileLikelihood) -> tuple[dict[str, float], Floats]:
    (low, low_inside), (high, high_inside) = profile.end(0), profile.end(1)
    drawn = profile.drawn(low, high)
    sign = -1 if profile.coordinate == 0 else 1
    drawn[:, 0] = sign * np.exp(drawn[:, 0])
    ends = sorted(sign * float(np.exp(end)) for end in (low, high))
    values = {
        "profile_low": ends[0],
        "profile_high": ends[1],
        "identified": low_inside and high_inside,
    }
    return values, drawn


def _values(made: LawFit, points: int) -> dict[str, Json]:
    named: dict[str, Json] = dict(zip(NAMES, parameters(made), strict=True))
    return named | {"sse": made.sse, "points": points}


def _arrays(curve: MeasuredCurve, made: LawFit) -> dict[str, Floats]:
    fitted = made.predicted[: len(curve.errors)]
    return {"samples": curve.samples, "errors": curve.errors, "fitted": fitted}


def _spaced(values: Spaced) -> Floats:
    return np.linspace(values.low, values.high, values.points)


def recovered(
    params: FitParams, evaluations: Evaluations, errors: Floats, seed: int
) -> tuple[tuple[float, ...], Floats, Floats, list[bool]]:
    """Estimates of b and tau (2,), bootstrap and profile intervals (2, 2), and whether the latter
    end inside the bounds (2,)."""
    problem = problem_of(params, evaluations)
    made = fit(problem, errors)
    again = bootstrap(problem, errors, made, params.bootstrap, params.block, seed)
    profiled, inside = [], []
    for coordinate, sign in enumerate((-1, 1)):
        profile = ProfileLikelihood(problem, errors, made, coordinate)
        ends, within = zip(profile.end(0), profile.end(1), strict=True)
        profiled.append(np.sort(sign * np.exp(ends)))
        inside.append(all(within))
    return parameters(made)[:2], middle(again[:, :2]).T, np.array(profiled), inside


def share_held(intervals: Floats, true: float) -> float:
    """Share of intervals (draws, 2) that hold the truth."""
    return float(((intervals[:, 0] <= true) & (true <= intervals[:, 1])).mean())
