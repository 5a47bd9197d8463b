"""Students judged out of distribution as well: on corrupted pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from harness.errors import EvidenceError
from harness.lab.data import prepared, sets
from harness.lab.data.datasets import published
from harness.lab.data.prepared import Split
from harness.lab.data.resize import evaluation_view
from harness.lab.measure.dcs.corrupted_folder import READ_AT_ONCE, corrupted_folders
from harness.lab.measure.dcs.corruption import IMAGENET_C, corrupted
from harness.lab.measure.dcs.steps import OodParams
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, evaluate
from harness.lab.train.student_training import train_student
from harness.plan.step import StepContext, StepInput, StepResult

FOLDER = "mini-imagenet-c"


def student_ood(params: OodParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """As `student`, the same to the last bit, and then judged on each corruption too.

    Values `accuracy` and `loss` (test split, as it is), `ood_accuracy` and `ood_loss`, means over
    all corruptions and severities; arrays `ood_accuracies` and `ood_losses`, float64
    (corruptions, severities). The corrupted test split is one data set: its noise is that of
    seed 0, whatever the seed of the student. Draws: those of a student, "noise" of seed 0.
    With `pictures`, those of the publisher's folder instead, corruptions in the order of names.
    Raises `EvidenceError` if that folder is not there, or another one.
    """
    test = sets.load(params.dataset).test
    classifier, _ = train_student(params, inputs["images"], replace(ctx, step="student"))
    clean = evaluate(classifier, Examples.on(ctx.device, test.images, test.labels))
    if params.pictures:
        results = _on_pictures(params, classifier)
    else:
        results = _on_test_split(params, test, classifier, replace(ctx, seed=0))
    accuracies, losses = results[..., 0], results[..., 1]
    return StepResult(
        {
            "accuracy": clean.accuracy,
            "loss": clean.loss,
            "ood_accuracy": float(accuracies.mean()),
            "ood_loss": float(losses.mean()),
        },
        {"ood_accuracies": accuracies.copy(), "ood_losses": losses.copy()},
    )


def _on_test_split(
    params: OodParams, test: Split, classifier: Classifier, ctx: StepContext
) -> np.ndarray:
    """Accuracy and loss (corruptions, severities, 2) on the test split, corrupted here."""
    return np.array(
        [
            [
                _judged(classifier, _corrupted_split(params, test, corruption, severity, ctx))
                for severity in params.severities
            ]
            for corruption in params.corruptions
        ]
    )


def _corrupted_split(
    params: OodParams, test: Split, corruption: str, severity: int, ctx: StepContext
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images of one size at once, at CIFAR-10-C's strengths; the views of others at ImageNet-C's.

    The latter some at a time, each batch with noise of its own.
    """
    if isinstance(test.images, np.ndarray):
        yield corrupted(test.images, corruption, severity, ctx.derive("noise")), test.labels
        return
    for start in range(0, len(test.images), READ_AT_ONCE):
        rows = slice(start, start + READ_AT_ONCE)
        seen = evaluation_view(test.images[rows], params.dataset.resolution, torch.float32)
        images = seen.round().byte().permute(0, 2, 3, 1).numpy()
        seed = ctx.derive(f"noise/{start}")
        yield corrupted(images, corruption, severity, seed, IMAGENET_C), test.labels[rows]


def _on_pictures(params: OodParams, classifier: Classifier) -> np.ndarray:
    """Accuracy and loss (corruptions, severities, 2) on the publisher's pictures."""
    classes = {wnid: k for k, wnid in enumerate(prepared.class_names(params.dataset.name))}
    root = published(FOLDER)
    folders = corrupted_folders(root, classes, params.pictures)
    severities = {folder.severity for folder in folders}
    corruptions = {folder.corruption for folder in folders}
    if len(folders) != len(corruptions) * len(severities):
        raise EvidenceError(f"{root}: not every corruption has severities {sorted(severities)}")
    side = params.dataset.resolution
    judged = [_judged(classifier, folder.batches(side)) for folder in folders]
    return np.array(judged).reshape(len(corruptions), len(severities), 2)


def _judged(
    classifier: Classifier, batches: Iterator[tuple[np.ndarray, np.ndarray]]
) -> tuple[float, float]:
    """Accuracy and mean loss over all batches of images and labels."""
    right, loss, count = 0.0, 0.0, 0
    for images, labels in batches:
        result = evaluate(classifier, Examples.on(classifier.device, images, labels))
        right, loss = right + result.correct.sum(), loss + result.loss * len(labels)
        count += len(labels)
    return float(right / count), loss / count
