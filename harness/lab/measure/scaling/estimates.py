"""Estimates and intervals of the scaling law, from measured curves and curves of a known law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import UserError
from harness.lab.measure.scaling.fit import LawFit, LawProblem, fit, grid_fit
from harness.lab.measure.scaling.fitting import FitParams, GridFitParams, LawParams, Spaced
from harness.lab.measure.scaling.intervals import ProfileLikelihood, bootstrap, middle, parameters
from harness.lab.measure.scaling.law import Evaluations, delta
from harness.lab.measure.values import Floats, number
from harness.plan.step import Json, StepContext, StepInput, StepResult

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
