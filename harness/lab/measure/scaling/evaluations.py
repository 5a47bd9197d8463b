"""Training students that are evaluated on the test split not only at their end."""

from __future__ import annotations

import numpy as np
import torch

from harness.lab.data import sets
from harness.lab.measure.scaling.curves import CurveParams
from harness.lab.train.loop import Examples, Objective, evaluate, training
from harness.lab.train.schedule import batch_sizes
from harness.lab.train.student_training import beginner
from harness.plan.step import Json, StepContext, StepInput, StepResult


def curve(
    params: CurveParams, given: StepInput, ctx: StepContext, objective: Objective | None
) -> StepResult:
    """Accuracy and loss at the evaluated epochs, of one run or of one run for each."""
    epochs = params.evaluated_epochs
    runs = [(epoch,) for epoch in epochs] if params.points == "separate-runs" else [epochs]
    evaluated = [
        _run(params, given, ctx.part(number, len(runs), "student"), objective, own)
        for number, own in enumerate(runs)
    ]
    accuracy, loss = np.concatenate(evaluated).T
    values: dict[str, Json] = {
        "accuracy": float(accuracy[-1]),
        "loss": float(loss[-1]),
        "images": params.per_class * params.dataset.classes,
        "train_images": params.dataset.train_size,
    }
    arrays = {"epochs": np.array(epochs), "accuracy": accuracy, "loss": loss}
    return StepResult(values, arrays)


def _run(
    params: CurveParams,
    given: StepInput,
    ctx: StepContext,
    objective: Objective | None,
    epochs: tuple[int, ...],
) -> np.ndarray:
    """Accuracy and loss after these epochs, the last of which ends the run: (epochs, 2)."""
    recipe = params.recipe
    classifier, examples = beginner(params, given, ctx)
    test = Examples.of(sets.load(params.dataset).test, ctx.device)
    per_epoch = len(batch_sizes(len(examples), recipe.batch_size, len(examples)))
    rows = {epoch * per_epoch: row for row, epoch in enumerate(epochs)}
    evaluated = torch.empty(len(epochs), 2, dtype=torch.float64)
    samples = epochs[-1] * len(examples)
    for update in training(
        classifier,
        examples,
        recipe,
        samples,
        ctx,
        params.factor,
        objective,
        {"evaluated": evaluated},
    ):
        if update.number in rows:
            now = evaluate(classifier, test)
            evaluated[rows[update.number]] = torch.tensor(
                [now.accuracy, now.loss], dtype=torch.float64
            )
    return evaluated.numpy()
