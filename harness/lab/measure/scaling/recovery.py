"""Whether the fit finds a law that is known, and whether its intervals hold what they promise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.lab.measure.scaling.fit import fit
from harness.lab.measure.scaling.fitting import problem_of
from harness.lab.measure.scaling.intervals import Profile, bootstrap, middle, parameters
from harness.lab.measure.scaling.law import LAWS, Looks
from harness.lab.measure.scaling.steps import RecoveryParams
from harness.plan.step import Json, StepContext, StepInput, StepResult


def scaling_recovery(
    params: RecoveryParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Draw curves from a known law with independent normal noise, fit each, and count.

    Values, for X of b and tau: `X_bias`, the median estimate over the truth, minus 1;
    `X_spread`, half of the middle 68 % of the estimates over the truth; `X_coverage` and
    `X_profile_coverage`, the share of 95 % intervals that hold the truth, by the bootstrap and by
    the profile likelihood; `X_identified`, the share of profile intervals that end inside the
    bounds.
    Arrays: `estimates` (draws, 2) of b and tau; `intervals` and `profile_intervals`
    (draws, 2, 2): low and high of each; `curve` (epochs,), the errors without noise.
    Draws: "noise" and "bootstrap" of `ctx`.
    """
    truth = params.truth
    looks = Looks(params.pool * np.arange(1.0, params.epochs + 1), float(params.pool))
    curve = LAWS[params.fit.law](looks, truth.a, truth.b, truth.tau, truth.d)
    draws = torch.Generator().manual_seed(ctx.derive("noise"))
    noise = torch.randn(params.draws, params.epochs, generator=draws, dtype=torch.float64).numpy()
    found = []
    for number, errors in enumerate(curve + params.noise * noise):
        ctx.report(number / params.draws, f"curve {number + 1} of {params.draws}")
        found.append(_recovered(params, looks, errors, ctx.derive(f"bootstrap/{number}")))
    estimates, sampled, profiled, inside = (np.array(part) for part in zip(*found, strict=True))
    values: dict[str, Json] = {}
    for column, (name, true) in enumerate((("b", truth.b), ("tau", truth.tau))):
        own = estimates[:, column] / true
        low, mid, high = np.quantile(own, [0.16, 0.5, 0.84])
        values[f"{name}_bias"] = float(mid - 1)
        values[f"{name}_spread"] = float(high - low) / 2
        values[f"{name}_coverage"] = _held(sampled[:, column], true)
        values[f"{name}_profile_coverage"] = _held(profiled[:, column], true)
        values[f"{name}_identified"] = float(inside[:, column].mean())
    arrays = {
        "estimates": estimates,
        "intervals": sampled,
        "profile_intervals": profiled,
        "curve": curve,
    }
    return StepResult(values, arrays)


def _recovered(
    params: RecoveryParams, looks: Looks, errors: np.ndarray, seed: int
) -> tuple[tuple[float, ...], np.ndarray, np.ndarray, list[bool]]:
    """Estimates (2,), bootstrap and profile intervals (2, 2), whether these end inside (2,)."""
    problem = problem_of(params.fit, looks)
    made = fit(problem, errors)
    again = bootstrap(problem, errors, made, params.fit.bootstrap, params.fit.block, seed)
    profiled, inside = [], []
    for coordinate, sign in enumerate((-1, 1)):
        profile = Profile(problem, errors, made, coordinate)
        ends, within = zip(profile.end(0), profile.end(1), strict=True)
        profiled.append(np.sort(sign * np.exp(ends)))
        inside.append(all(within))
    return parameters(made)[:2], middle(again[:, :2]).T, np.array(profiled), inside


def _held(intervals: np.ndarray, true: float) -> float:
    """Share of intervals (draws, 2) that hold the truth."""
    return float(((intervals[:, 0] <= true) & (true <= intervals[:, 1])).mean())
