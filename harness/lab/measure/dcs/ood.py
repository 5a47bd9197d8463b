"""Students judged out of distribution as well: on the test split, corrupted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from harness.lab.data import sets
from harness.lab.measure.dcs.corruption import corrupted
from harness.lab.measure.dcs.steps import OodParams
from harness.lab.train.loop import Examples, evaluate
from harness.lab.train.student import train_student
from harness.plan.step import StepContext, StepInput, StepResult


def student_ood(params: OodParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """As `student`, the same to the last bit, and then judged on each corruption too.

    Values `accuracy` and `loss` (test split, as it is), `ood_accuracy` and `ood_loss`, means over
    all corruptions and severities; arrays `ood_accuracies` and `ood_losses`, float64
    (corruptions, severities). The corrupted test split is one data set: its noise is that of
    seed 0, whatever the seed of the student. Draws: those of a student, "noise" of seed 0.
    """
    test = sets.load(params.dataset).test
    classifier, _ = train_student(params, inputs["images"], replace(ctx, step="student"))
    clean = evaluate(classifier, Examples.on(ctx.device, test.images, test.labels))
    seed = replace(ctx, seed=0).derive("noise")
    results = []
    for corruption in params.corruptions:
        for severity in params.severities:
            images = corrupted(test.images, corruption, severity, seed)
            results.append(evaluate(classifier, Examples.on(ctx.device, images, test.labels)))
    shape = len(params.corruptions), len(params.severities)
    accuracies = np.array([result.accuracy for result in results]).reshape(shape)
    losses = np.array([result.loss for result in results]).reshape(shape)
    return StepResult(
        {
            "accuracy": clean.accuracy,
            "loss": clean.loss,
            "ood_accuracy": float(accuracies.mean()),
            "ood_loss": float(losses.mean()),
        },
        {"ood_accuracies": accuracies, "ood_losses": losses},
    )
