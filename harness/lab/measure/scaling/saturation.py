"""When a learning curve has come to its end, and how much later than another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.errors import UserError
from harness.lab.measure.scaling.steps import SaturationParams
from harness.plan.step import StepContext, StepInput, StepResult


def saturation(
    params: SaturationParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The first look from which on a curve stays within `margin` of its last accuracy.

    Values `end_epochs` and `end_samples` seen by then, and `end_accuracy`, the last. Arrays
    (looks,): `samples` and `epochs`, int64, and `accuracy`, fractions, float64.
    """
    curve = inputs["curve"]
    epochs, accuracy = curve.array("epochs"), curve.array("accuracy")
    size = int(str(curve.values["images"]))
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
    `slowdown`, `epochs` and `beside_epochs`. Raises `UserError` if the looks differ.
    """
    curves = [inputs[name] for name in ("curve", "beside")]
    looks = [curve.array("epochs") for curve in curves]
    if not np.array_equal(*looks):
        raise UserError("slowdown: the two curves were looked at after different epochs")
    own, beside = (
        int(looks[0][saturated(curve.array("accuracy"), params.margin)]) for curve in curves
    )
    return StepResult({"slowdown": own / beside, "epochs": own, "beside_epochs": beside})


def saturated(accuracy: np.ndarray, margin: float) -> int:
    """The first look with no later one, nor itself, more than `margin` below the last accuracy."""
    below = np.flatnonzero(accuracy < accuracy[-1] - margin)
    return int(below[-1]) + 1 if len(below) else 0
