"""Learning curves: a student judged on the test split not only at its end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.lab.data import sets
from harness.lab.measure.scaling.steps import CurveParams
from harness.lab.train.loop import Examples, Objective, evaluate, training
from harness.lab.train.schedule import batch_sizes
from harness.lab.train.student_training import beginner, online_objective
from harness.plan.step import StepContext, StepInput, StepResult


def learning_curve(
    params: CurveParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The student of the step `student`, with the same draws, looked at every few epochs.

    The supplement's Section 3 does not say whether its points are epochs of one run or the ends of
    separate runs; `points` does. Arrays (looks,): `epochs`, int64; `accuracy` (fraction, test
    split) and `loss` (nats), float64. Values: `accuracy` and `loss` at the end; `images` in the
    subset; `train_images` in the training split.
    """
    return _curve(params, inputs["images"], ctx, None)


def learning_curve_online(
    params: CurveParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `learning_curve`, labelled at every step by the teacher (SL+KD)."""
    return _curve(params, inputs["images"], ctx, online_objective(params, inputs, ctx))


def _curve(
    params: CurveParams, given: StepInput, ctx: StepContext, objective: Objective | None
) -> StepResult:
    looks = params.looks
    runs = [(look,) for look in looks] if params.points == "separate-runs" else [looks]
    judged = [
        _run(params, given, ctx.part(number, len(runs), "student"), objective, own)
        for number, own in enumerate(runs)
    ]
    accuracy, loss = np.concatenate(judged).T
    values = {
        "accuracy": float(accuracy[-1]),
        "loss": float(loss[-1]),
        "images": params.per_class * params.dataset.classes,
        "train_images": params.dataset.train_size,
    }
    arrays = {"epochs": np.array(looks), "accuracy": accuracy, "loss": loss}
    return StepResult(values, arrays)


def _run(
    params: CurveParams,
    given: StepInput,
    ctx: StepContext,
    objective: Objective | None,
    looks: tuple[int, ...],
) -> np.ndarray:
    """Accuracy and loss after these epochs, the last of which ends the run: (looks, 2)."""
    recipe = params.recipe
    classifier, examples = beginner(params, given, ctx)
    split = sets.load(params.dataset).test
    test = Examples.on(ctx.device, split.images, split.labels)
    per_epoch = len(batch_sizes(len(examples), recipe.batch_size, len(examples)))
    rows = {look * per_epoch: row for row, look in enumerate(looks)}
    judged = torch.empty(len(looks), 2, dtype=torch.float64)
    samples = looks[-1] * len(examples)
    for update in training(
        classifier, examples, recipe, samples, ctx, params.factor, objective, {"judged": judged}
    ):
        if update.number in rows:
            now = evaluate(classifier, test)
            judged[rows[update.number]] = torch.tensor(
                [now.accuracy, now.loss], dtype=torch.float64
            )
    return judged.numpy()
