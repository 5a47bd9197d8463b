"""Fitting the data-aware scaling law to learning curves, and how well that finds a known law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.lab.measure.scaling.curves import made_up_curve
from harness.lab.recipe import Count
from harness.later import np, torch
from harness.plan.step import (
    Facts,
    Json,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)

Positive: TypeAlias = Annotated[float, Field(gt=0)]
Negative: TypeAlias = Annotated[float, Field(lt=0)]


class LawParams(StepParams):
    """The form of the law that is fitted, and the units that it counts."""

    law: Literal["printed", "official"]
    """Printed: Equation 7. Official: the form that the authors' code computes."""
    epoch: Literal["subset", "full"]
    """Whether k counts passes over the subset, or over as many samples as the training split has;
    evaluations before the end of the first such epoch are not fitted."""
    unit: Positive = 1.0
    """Samples that n counts as one; the authors' code divides by 100,000."""


class FitParams(LawParams):
    a: Positive | None = None
    """Given, or fitted if None; as is `d`."""
    d: Annotated[float, Field(ge=0)] | None = None
    b_bounds: tuple[Negative, Negative] = (-5.0, -1e-3)
    tau_bounds: tuple[Positive, Positive] = (0.05, 1000.0)
    """Bounds of tau, in epochs."""
    bootstrap: Annotated[int, Field(ge=2)]
    """Resampled curves behind the intervals."""
    block: Count = 1
    """Neighbouring residuals that are resampled together; 1 takes them as independent."""

    @model_validator(mode="after")
    def _seen_apart(self) -> FitParams:
        if self.law == "official" and self.d is None:
            raise ValueError(
                "d must be given for the official form, in which one curve shows only "
                "(a n)^b + d; its code fixes it, at 0.1 in its example"
            )
        if not (self.b_bounds[0] < self.b_bounds[1] and self.tau_bounds[0] < self.tau_bounds[1]):
            raise ValueError("bounds are given as (low, high)")
        return self


class SharedFitParams(FitParams):
    law: Literal["printed"]
    """The official code shares a and d by giving both."""


class Spaced(StepParams):
    """Evenly spaced values, both ends included."""

    low: float
    high: float
    points: Count


class GridFitParams(LawParams):
    d: Annotated[float, Field(ge=0)]
    a_values: Spaced
    b_values: Spaced
    tau_values: Spaced
    """Values of tau, in epochs."""


class TrueLaw(StepParams):
    """A law from which curves are drawn."""

    a: Positive
    b: Negative
    tau: Positive
    d: Annotated[float, Field(ge=0)]


class ScalingRecoveryParams(StepParams):
    truth: TrueLaw
    epochs: Annotated[int, Field(ge=6)]
    """Evaluations of a curve, one at the end of each epoch."""
    pool: Count
    """Samples of an epoch, in the law's unit."""
    noise: Positive
    """Standard deviation of the independent normal error of an evaluation."""
    draws: Count
    """Curves drawn and fitted."""
    fit: FitParams
    """Its `epoch` and `unit` are not used."""


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
    Raises `UserError` if the curve has too few evaluations after its first epoch, or if it lies
    below a given d where the law does not go.
    """
    from harness.lab.measure.scaling.estimates import fitted

    return fitted(params, [inputs["curve"]], ctx)


def fit_scaling_shared(
    params: SharedFitParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `fit_scaling`, with one a and one d for two curves; all results are of `curve`.

    Only `sse`, `points` and the profiles' sums are of both.
    """
    from harness.lab.measure.scaling.estimates import fitted

    return fitted(params, [inputs["curve"], inputs["beside"]], ctx)


def fit_scaling_grid(
    params: GridFitParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The result of the authors' grid search: as `fit_scaling`, without intervals and profiles."""
    from harness.lab.measure.scaling.estimates import fitted_on_grid

    return fitted_on_grid(params, inputs["curve"])


def scaling_recovery(
    params: ScalingRecoveryParams, inputs: Mapping[str, StepInput], ctx: StepContext
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

    from harness.lab.measure.scaling.estimates import recovered, share_held
    from harness.lab.measure.scaling.fit import LAWS, Evaluations

    truth = params.truth
    evaluations = Evaluations(params.pool * np.arange(1.0, params.epochs + 1), float(params.pool))
    curve = LAWS[params.fit.law](evaluations, truth.a, truth.b, truth.tau, truth.d)
    draws = torch.Generator().manual_seed(ctx.derive("noise"))
    noise = torch.randn(params.draws, params.epochs, generator=draws, dtype=torch.float64).numpy()
    found = []
    for number, errors in enumerate(curve + params.noise * noise):
        ctx.report(number / params.draws, f"curve {number + 1} of {params.draws}")
        found.append(recovered(params.fit, evaluations, errors, ctx.derive(f"bootstrap/{number}")))
    estimates, sampled, profiled, inside = (np.array(part) for part in zip(*found, strict=True))
    values: dict[str, Json] = {}
    for column, (name, true) in enumerate((("b", truth.b), ("tau", truth.tau))):
        own = estimates[:, column] / true
        low, mid, high = np.quantile(own, [0.16, 0.5, 0.84])
        values[f"{name}_bias"] = float(mid - 1)
        values[f"{name}_spread"] = float(high - low) / 2
        values[f"{name}_coverage"] = share_held(sampled[:, column], true)
        values[f"{name}_profile_coverage"] = share_held(profiled[:, column], true)
        values[f"{name}_identified"] = float(inside[:, column].mean())
    arrays = {
        "estimates": estimates,
        "intervals": sampled,
        "profile_intervals": profiled,
        "curve": curve,
    }
    return StepResult(values, arrays)


DESCENT = 2e-3
"""Seconds that one descent takes, most of them for calls."""
PROFILES = 80
"""Number of descents for the profile likelihoods of a fit."""
COMBINATION = 3.5e-7
"""Seconds that a combination of the grid takes, with about a hundred evaluations."""


def _fit_work(p: FitParams, facts: Facts) -> Work:
    """Two descents a resampled curve, and the profiles."""
    return Work(samples=0, flops=0, seconds=DESCENT * (2 * p.bootstrap + PROFILES))


def _grid_work(p: GridFitParams, facts: Facts) -> Work:
    combinations = p.a_values.points * p.b_values.points * p.tau_values.points
    return Work(samples=0, flops=0, seconds=COMBINATION * combinations)


def _fit_shared_probe() -> Probe:
    # With d free a resampled fit lies on a ridge, where its sixth digit is the processor's.
    params = SharedFitParams(law="printed", epoch="subset", d=0.1, bootstrap=2)
    curves = {
        "curve": made_up_curve("printed", b=-0.4, tau=3.0),
        "beside": made_up_curve("printed", b=-0.3, tau=6.0),
    }
    return Probe(params, curves)


def _fit_grid_probe() -> Probe:
    return Probe(
        GridFitParams(
            law="official",
            epoch="subset",
            d=0.1,
            a_values=Spaced(low=0.001, high=0.1, points=4),
            b_values=Spaced(low=-0.005, high=-0.5, points=5),
            tau_values=Spaced(low=1, high=10, points=6),
        ),
        {"curve": made_up_curve("official", b=-0.4, tau=3.0)},
    )


def _recovery_probe() -> Probe:
    return Probe(
        ScalingRecoveryParams(
            truth=TrueLaw(a=1.0, b=-0.4, tau=3.0, d=0.1),
            epochs=12,
            pool=2,
            noise=0.002,
            draws=2,
            fit=FitParams(law="printed", epoch="subset", d=0.1, bootstrap=2),
        ),
        {},
    )


STEPS = (
    declare(
        fit_scaling,
        lambda: Probe(
            FitParams(law="official", epoch="full", d=0.1, unit=100.0, bootstrap=2, block=2),
            {"curve": made_up_curve("official", b=-0.4, tau=3.0)},
        ),
        _fit_work,
        inputs=("curve",),
    ),
    declare(
        fit_scaling_shared, _fit_shared_probe, _fit_work, inputs=("curve", "beside"), revision=2
    ),
    declare(fit_scaling_grid, _fit_grid_probe, _grid_work, inputs=("curve",)),
    declare(
        scaling_recovery,
        _recovery_probe,
        lambda p, facts: Work(0, 0, seconds=p.draws * _fit_work(p.fit, facts).seconds),
    ),
)
