"""A released set as the images that students train on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from harness.errors import UserError
from harness.lab.imports import released
from harness.lab.imports.checks import check_answers
from harness.lab.imports.imported import Imported
from harness.lab.imports.spaces import scaled
from harness.lab.imports.steps import ReleasedSetParams
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.loop import Examples
from harness.plan.step import Json, StepContext, StepInput, StepResult


def released_set(
    params: ReleasedSetParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The images or rows of a set that `repro data import` read, once a teacher recognises them.

    Arrays `labels` int64 (n,), and `indices` int64 (n,) or `images` (n, height, width, channels):
    uint8, or float32 scaled by the values `mean` and `std`, those of the code that made the set. A
    whitened set is scaled by the data set's own, for students that whiten what they read. Learned
    labels are the array `soft_labels` (n, classes), logits. Values: `space` as released,
    `agreement`, the fraction of images that the teacher puts into their class, and
    `learning_rate` if one was learned.
    Raises `UserError` if the set is another than declared, or the teacher does not recognise it.
    """
    given = released.read(params.fingerprint, params.dataset)
    place = released.folder_of(params.fingerprint)
    _check_declared(params, given)
    values: dict[str, Json] = {"space": given.space}
    if given.learning_rate is not None:
        values["learning_rate"] = given.learning_rate
    arrays = given.arrays()
    if given.images is not None:
        images, scale = scaled(given.images, given.space, params.dataset)
        if images.dtype != np.uint8:
            values |= {"mean": list(scale.mean), "std": list(scale.std)}
        arrays["images"] = images
        if "teacher" in inputs:
            teacher = Classifier.stored(
                params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
            )
            values["agreement"] = agreement(place, teacher, images, given.labels, scale)
    return StepResult(values, arrays)


def agreement(
    place: Path, teacher: Classifier, images: np.ndarray, labels: np.ndarray, scale: DatasetRef
) -> float:
    """Fraction of images, scaled by `scale`, that a teacher puts into their class; `Refused` if
    that is chance, or another order of classes fits far better.
    """
    examples = Examples.on(teacher.device, images, labels)
    shown = teacher.rescaled(teacher.shown(examples.images), scale)
    answers = torch.cat([logits.argmax(dim=1) for logits in teacher.predict(shown)])
    return check_answers(place, labels, answers.cpu().numpy(), teacher.dataset.classes)


def _check_declared(params: ReleasedSetParams, given: Imported) -> None:
    size = params.per_class * params.dataset.classes
    if len(given.labels) != size:
        raise UserError(
            f"released set {params.fingerprint[:12]} has {len(given.labels)} images, but "
            f"{params.per_class} for each of {params.dataset.classes} classes, {size}, are "
            "declared: name the set of this size"
        )
    if given.images is not None and (given.space == "zca") != params.whitened:
        released_as = "whitened" if given.space == "zca" else "not whitened"
        students = "read whitened images" if params.whitened else "do not whiten"
        raise UserError(
            f"released set {params.fingerprint[:12]} is {released_as}, but students {students}: "
            "they would lose accuracy without an error; vary the recipe's zca"
        )
