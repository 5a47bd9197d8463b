"""The scaling law fitted to measured learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.errors import UserError
from harness.lab.measure.scaling.fit import Fit, Problem, fit
from harness.lab.measure.scaling.grid import grid_fit
from harness.lab.measure.scaling.intervals import Profile, bootstrap, middle, parameters
from harness.lab.measure.scaling.law import Looks, delta
from harness.lab.measure.scaling.steps import (
    FitParams,
    GridFitParams,
    LawParams,
    SharedFitParams,
    Spaced,
)
from harness.plan.step import Json, StepContext, StepInput, StepResult

NAMES = ("b", "tau", "delta", "a", "d")


def fit_scaling(params: FitParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Least squares for the law, to the errors (1 - accuracy) of a learning curve.

    Values: `b`, `tau` (half-life, in epochs), `delta` = (1/2)^(1/tau), `a`, `d`, `sse`, `points`
    fitted. `X_low` and `X_high` of each parameter: 95 % by the residual bootstrap.
    `X_profile_low` and `X_profile_high` of b, tau and delta: 95 % by the likelihood of independent
    normal errors, profiled over all others. `b_identified`, `tau_identified`: whether that interval
    ends inside the bounds of the search; where not, its end is the bound. A printed delta above 1
    can only be a half-life: compare it with `tau`.

    Arrays: `samples` seen, `errors` and `fitted` (points,); `bootstrap` (draws, 5) of b, tau,
    delta, a, d; `b_profile` and `tau_profile` (17, 2): the parameter, and the least sum of squared
    errors with it. Draws: "bootstrap" of `ctx`.
    Raises `UserError` if the curve has too few looks after its first epoch, or if it lies below a
    given d where the law does not go.
    """
    return _fitted(params, [inputs["curve"]], ctx)


def fit_scaling_shared(
    params: SharedFitParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `fit_scaling`, with one a and one d for two curves; all results are of `curve`.

    Only `sse`, `points` and the profiles' sums are of both.
    """
    return _fitted(params, [inputs["curve"], inputs["beside"]], ctx)


def fit_scaling_grid(
    params: GridFitParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """What the authors' grid search finds: as `fit_scaling`, without intervals and profiles."""
    curve = _measured(params, inputs["curve"])
    values = (_spaced(params.a_values), _spaced(params.b_values), _spaced(params.tau_values))
    made = grid_fit(params.law, curve.looks, curve.errors, values, params.d)
    return StepResult(_values(made, len(curve.errors)), _arrays(curve, made))


@dataclass(frozen=True)
class _Measured:
    """The looks of a learning curve from the end of the first epoch on."""

    samples: np.ndarray
    errors: np.ndarray
    looks: Looks


def _measured(params: LawParams, given: StepInput) -> _Measured:
    images = float(given.values["images"])
    pool = images if params.epoch == "subset" else float(given.values["train_images"])
    samples = given.array("epochs") * images
    used = samples >= pool
    if used.sum() < 6:
        raise UserError(
            f"fit_scaling: {used.sum()} looks of the learning curve lie at or after the end of the "
            f"first epoch of {pool:.0f} images, expected 6 or more; look more often, train for "
            "longer, or count epochs of the subset"
        )
    errors = 1.0 - given.array("accuracy")[used].astype(np.float64)
    return _Measured(samples[used], errors, Looks(samples[used] / params.unit, pool / params.unit))


def _fitted(params: FitParams, given: list[StepInput], ctx: StepContext) -> StepResult:
    curves = [_measured(params, one) for one in given]
    errors = np.concatenate([curve.errors for curve in curves])
    problem = problem_of(params, *(curve.looks for curve in curves))
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
        more, arrays[f"{name}_profile"] = _profiled(Profile(problem, errors, made, coordinate))
        values |= {f"{name}_{key}": value for key, value in more.items()}
    for side in ("low", "high"):
        values[f"delta_profile_{side}"] = float(delta(values[f"tau_profile_{side}"]))
    return StepResult(values, arrays)


def problem_of(params: FitParams, *looks: Looks) -> Problem:
    """The search that the parameters ask for."""
    return Problem(looks, params.law, params.a, params.d, params.b_bounds, params.tau_bounds)


def _profiled(profile: Profile) -> tuple[dict[str, Json], np.ndarray]:
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


def _values(made: Fit, points: int) -> dict[str, Json]:
    named = dict(zip(NAMES, parameters(made), strict=True))
    return named | {"sse": made.sse, "points": points}


def _arrays(curve: _Measured, made: Fit) -> dict[str, np.ndarray]:
    fitted = made.predicted[: len(curve.errors)]
    return {"samples": curve.samples, "errors": curve.errors, "fitted": fitted}


def _spaced(values: Spaced) -> np.ndarray:
    return np.linspace(values.low, values.high, values.points)
