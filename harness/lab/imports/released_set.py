"""A released set as the images that students train on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import field_validator

from harness.errors import UserError
from harness.lab.probing import DATASET, NETWORK
from harness.lab.recipe import Count, DatasetRef, passes
from harness.later import np, torch
from harness.plan.step import (
    Json,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    declare,
)

if TYPE_CHECKING:
    from harness.lab.imports.imported import Imported
    from harness.lab.models.classifier import Classifier


class ReleasedSetParams(StepParams):
    dataset: DatasetRef
    per_class: Count
    fingerprint: str
    """The set's, as `repro data import` prints it."""
    network: str
    """The teacher's, which has to recognise the images; a list of rows needs no teacher."""
    whitened: bool
    """Whether students read whitened images, as those of a set released whitened have to."""

    @field_validator("fingerprint")
    @classmethod
    def _named(cls, fingerprint: str) -> str:
        if not re.fullmatch(r"probe|[0-9a-f]{64}", fingerprint):
            raise ValueError(
                "no released set is named here; `repro data import` reads one that you have "
                "downloaded, and prints the 64 hexadecimal digits to write into the method's spec"
            )
        return fingerprint


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
    from harness.lab.imports import released
    from harness.lab.imports.imported import scaled
    from harness.lab.models.classifier import Classifier

    given = released.read(params.fingerprint, params.dataset)
    place = released.folder_of(params.fingerprint)
    _check_declared(params, given)
    values: dict[str, Json] = {"space": given.space}
    if given.learning_rate is not None:
        values["learning_rate"] = given.learning_rate
    arrays = given.arrays()
    if given.images is not None:
        images, scale = scaled(given.images, given.space, params.dataset)
        if images.dtype != "uint8":
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

    from harness.lab.imports.imported import check_answers
    from harness.lab.train.loop import Examples

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


def probe_released_set() -> Probe:
    """There is no teacher, since an untrained one would not recognise the images."""
    from harness.lab.imports.released import PROBE

    params = ReleasedSetParams(
        dataset=DATASET, per_class=1, fingerprint=PROBE, network=NETWORK, whitened=False
    )
    return Probe(params, {})


STEPS = (
    declare(
        released_set,
        probe_released_set,
        lambda p, facts: passes(facts, p.network, p.dataset, 0, p.per_class * p.dataset.classes),
        inputs=("teacher?",),
    ),
)
