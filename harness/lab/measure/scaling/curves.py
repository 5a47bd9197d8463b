"""Learning curves of students, and when they saturate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from harness.errors import UserError
from harness.lab.measure.values import number
from harness.lab.probing import DATASET, NETWORK, PLAIN_SGD, RECIPE, chosen, recipes, taught
from harness.lab.recipe import Count, Recipe, passes
from harness.lab.train.student import StudentParams
from harness.later import np
from harness.plan.step import (
    Facts,
    MemoryInput,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)


class CurveParams(StudentParams):
    every: Count
    """Epochs between evaluations; the last epoch is always evaluated."""
    points: Literal["one-run", "separate-runs"]
    """Whether the evaluations are epochs of one run, or ends of runs with own schedules."""

    @property
    def evaluated_epochs(self) -> tuple[int, ...]:
        """Epochs after which the student is evaluated."""
        last = self.recipe.run_epochs
        return (*range(self.every, last, self.every), last)


class SaturationParams(StepParams):
    margin: Annotated[float, Field(ge=0, lt=1)]
    """Largest difference of accuracy, a fraction, that counts as none."""


def learning_curve(
    params: CurveParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The student of the step `student`, with the same draws, evaluated every few epochs.

    The supplement's Section 3 does not say whether its points are epochs of one run or the ends of
    separate runs; `points` does. Arrays (evaluations,): `epochs`, int64; `accuracy` (fraction, test
    split) and `loss` (nats), float64. Values: `accuracy` and `loss` at the end; `images` in the
    subset; `train_images` in the training split.
    """
    from harness.lab.measure.scaling.evaluations import curve

    return curve(params, inputs["images"], ctx, None)


def learning_curve_online(
    params: CurveParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `learning_curve`, labelled at every step by the teacher (SL+KD)."""
    from harness.lab.measure.scaling.evaluations import curve
    from harness.lab.train.student_training import online_objective

    return curve(params, inputs["images"], ctx, online_objective(params, inputs, ctx))


def saturation(
    params: SaturationParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The first evaluation from which on a curve stays within `margin` of its last accuracy.

    Values `end_epochs` and `end_samples` seen by then, and `end_accuracy`, the last. Arrays
    (evaluations,): `samples` and `epochs`, int64, and `accuracy`, fractions, float64.
    """
    curve = inputs["curve"]
    epochs, accuracy = curve.array("epochs"), curve.array("accuracy")
    size = int(number(curve, "images"))
    first = int(epochs[saturated(accuracy, params.margin)])
    return StepResult(
        {
            "end_epochs": first,
            "end_samples": first * size,
            "end_accuracy": float(accuracy[-1]),
        },
        {"samples": epochs * size, "epochs": epochs, "accuracy": accuracy},
    )


def slowdown(
    params: SaturationParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """How many times as many epochs a curve takes as `beside` until each saturates.

    The supplement's Section 8.3 says at least twice, and not what counts as the end. Values
    `slowdown`, `epochs` and `beside_epochs`. Raises `UserError` if the evaluated epochs differ.
    """

    curves = [inputs[name] for name in ("curve", "beside")]
    epochs = [curve.array("epochs") for curve in curves]
    if not np.array_equal(epochs[0], epochs[1]):
        raise UserError("slowdown: the two curves were evaluated after different epochs")
    own, beside = (
        int(epochs[0][saturated(curve.array("accuracy"), params.margin)]) for curve in curves
    )
    return StepResult({"slowdown": own / beside, "epochs": own, "beside_epochs": beside})


def saturated(accuracy: np.ndarray, margin: float) -> int:
    """The first evaluation with no later one, nor itself, over `margin` below the last accuracy."""

    below = np.flatnonzero(accuracy < accuracy[-1] - margin)
    return int(below[-1]) + 1 if len(below) else 0


def _curve_work(p: CurveParams, facts: Facts) -> Work:
    trained = sum(p.evaluated_epochs) if p.points == "separate-runs" else p.recipe.run_epochs
    seen = trained * p.per_class * p.dataset.classes
    own = passes(
        facts,
        p.network,
        p.dataset,
        seen,
        len(p.evaluated_epochs) * p.dataset.test_size,
        p.recipe.precision,
    )
    if p.recipe.labels != "online":
        return own
    answers = passes(facts, p.recipe.teacher, p.dataset, 0, seen, p.recipe.precision)
    return own + answers


def _curve_probe() -> Probe:
    return Probe(
        CurveParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=RECIPE,
            per_class=5,
            every=1,
            points="separate-runs",
        ),
        {"images": chosen(per_class=5)},
        variants=recipes(
            PLAIN_SGD,
            {"nesterov": False},
            {"warmup_epochs": 0},
            {"decayed_parameters": "weights"},
            {"scheduler_interval": "epoch"},
            {"cosine_floor": 0.5},
        ),
    )


def curve_online_probe() -> Probe:
    return Probe(
        CurveParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=Recipe.model_validate(
                RECIPE.model_dump()
                | {"loss": "kl", "labels": "online", "temperature": 4.0, "teacher": NETWORK}
                | {"epochs": 5}
            ),
            per_class=5,
            every=2,
            points="one-run",
        ),
        {"images": chosen(per_class=5), "teacher": taught()},
        variants=recipes(
            {"augmentation": "rrc-flip-cutmix", "cutmix_alpha": 1.0},
            {"kl_t2": True},
            {"kl_reduction": "mean"},
            {"label_storage": "per-epoch"},
            {"teacher_mode": "train"},
            {"optimizer": "adamw"},
            {"ema": 0.9},
            {"warmup_counted": False},
            {"warmup_start": 0.1},
            {"weight_decay": 0.0},
            {"decayed_parameters": "weights"},
            {"scheduler_interval": "epoch"},
            {"cosine_floor": 0.5},
            PLAIN_SGD,
        ),
    )


def _slowdown_probe() -> Probe:
    return Probe(
        SaturationParams(margin=0.02),
        {
            "curve": made_up_curve("printed", b=-0.4, tau=3.0),
            "beside": made_up_curve("printed", b=-1.5, tau=1.0),
        },
    )


def made_up_curve(law: str, b: float, tau: float) -> MemoryInput:
    """Twelve evaluations that follow a law, with a ripple; for probes."""

    from harness.lab.measure.scaling.fit import LAWS, Evaluations

    epochs = np.arange(1, 13, dtype=np.int64)
    evaluations = Evaluations(np.multiply(20.0, epochs, dtype=np.float64), 20.0)
    errors = LAWS[law](evaluations, 1.0 if law == "printed" else 0.05, b, tau, 0.1)
    ripple = 0.004 * np.sin(2.1 * epochs + b)
    return MemoryInput(
        values={"images": 20, "train_images": 40},
        held={"epochs": epochs, "accuracy": 1 - errors - ripple},
    )


STEPS = (
    declare(learning_curve, _curve_probe, _curve_work, inputs=("images",)),
    declare(learning_curve_online, curve_online_probe, _curve_work, inputs=("images", "teacher")),
    declare(
        saturation,
        lambda: Probe(
            SaturationParams(margin=0.02), {"curve": made_up_curve("printed", b=-0.4, tau=3.0)}
        ),
        inputs=("curve",),
        revision=2,
    ),
    declare(slowdown, _slowdown_probe, inputs=("curve", "beside")),
)
