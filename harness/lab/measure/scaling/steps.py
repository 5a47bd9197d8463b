"""Learning curves and the law fitted to them: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.lab.declare import declare, no_work, passes
from harness.lab.recipe import Count
from harness.lab.train.student import StudentParams
from harness.plan.step import Facts, StepParams, Work

Positive: TypeAlias = Annotated[float, Field(gt=0)]
Negative: TypeAlias = Annotated[float, Field(lt=0)]


class CurveParams(StudentParams):
    every: Count
    """Epochs between looks; the last epoch is always looked at."""
    points: Literal["one-run", "separate-runs"]
    """Whether the looks are epochs of one run, or ends of runs with schedules of their own."""

    @property
    def looks(self) -> tuple[int, ...]:
        """Epochs after which the student is judged."""
        last = self.recipe.run_epochs
        return (*range(self.every, last, self.every), last)


class SaturationParams(StepParams):
    margin: Annotated[float, Field(ge=0, lt=1)]
    """Fractions of accuracy that count as none."""


class LawParams(StepParams):
    """Which form of the law is fitted, and what it counts."""

    law: Literal["printed", "official"]
    """Equation 7, or what the authors' code computes."""
    epoch: Literal["subset", "full"]
    """Whether k counts passes over the subset, or over as many samples as the training split has;
    looks before the end of the first such epoch are not fitted."""
    unit: Positive = 1.0
    """Samples that n counts as one; the authors' code divides by 100,000."""


class FitParams(LawParams):
    a: Positive | None = None
    """Given, or fitted if None; as is `d`."""
    d: Annotated[float, Field(ge=0)] | None = None
    b_bounds: tuple[Negative, Negative] = (-5.0, -1e-3)
    tau_bounds: tuple[Positive, Positive] = (0.05, 1000.0)
    """In epochs."""
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
    """In epochs."""


class Truth(StepParams):
    """A law from which curves are drawn."""

    a: Positive
    b: Negative
    tau: Positive
    d: Annotated[float, Field(ge=0)]


class RecoveryParams(StepParams):
    truth: Truth
    epochs: Annotated[int, Field(ge=6)]
    """Looks of a curve, one at the end of each epoch."""
    pool: Count
    """Samples of an epoch, in the law's unit."""
    noise: Positive
    """Standard deviation of the independent normal error of a look."""
    draws: Count
    """Curves drawn and fitted."""
    fit: FitParams
    """Its `epoch` and `unit` are not used."""


def _curve_work(p: CurveParams, facts: Facts) -> Work:
    trained = sum(p.looks) if p.points == "separate-runs" else p.recipe.run_epochs
    seen = trained * p.per_class * p.dataset.classes
    own = passes(
        facts, p.network, p.dataset, seen, len(p.looks) * p.dataset.test_size, p.recipe.precision
    )
    if p.recipe.labels != "online":
        return own
    answers = passes(facts, p.recipe.teacher, p.dataset, 0, seen, p.recipe.precision)
    return own + answers


DESCENT = 2e-3
"""Seconds of one descent, mostly of calling."""
PROFILES = 80
"""Descents behind the profile likelihoods of a fit."""
COMBINATION = 3.5e-7
"""Seconds of a combination of the grid, with about a hundred looks."""


def _fit_work(p: FitParams, facts: Facts) -> Work:
    """Two descents a resampled curve, and the profiles."""
    return Work(samples=0, flops=0, seconds=DESCENT * (2 * p.bootstrap + PROFILES))


def _recovery_work(p: RecoveryParams, facts: Facts) -> Work:
    return Work(samples=0, flops=0, seconds=p.draws * _fit_work(p.fit, facts).seconds)


def _grid_work(p: GridFitParams, facts: Facts) -> Work:
    combinations = p.a_values.points * p.b_values.points * p.tau_values.points
    return Work(samples=0, flops=0, seconds=COMBINATION * combinations)


STEPS = (
    declare(
        "learning_curve",
        "measure.scaling.curves",
        CurveParams,
        _curve_work,
        inputs=("images",),
    ),
    declare(
        "learning_curve_online",
        "measure.scaling.curves",
        CurveParams,
        _curve_work,
        inputs=("images", "teacher"),
    ),
    declare(
        "saturation",
        "measure.scaling.saturation",
        SaturationParams,
        no_work,
        inputs=("curve",),
        revision=2,
    ),
    declare(
        "slowdown",
        "measure.scaling.saturation",
        SaturationParams,
        no_work,
        inputs=("curve", "beside"),
    ),
    declare("fit_scaling", "measure.scaling.fitting", FitParams, _fit_work, inputs=("curve",)),
    declare(
        "fit_scaling_shared",
        "measure.scaling.fitting",
        SharedFitParams,
        _fit_work,
        inputs=("curve", "beside"),
        revision=2,
    ),
    declare(
        "fit_scaling_grid", "measure.scaling.fitting", GridFitParams, _grid_work, inputs=("curve",)
    ),
    declare("scaling_recovery", "measure.scaling.recovery", RecoveryParams, _recovery_work),
)
