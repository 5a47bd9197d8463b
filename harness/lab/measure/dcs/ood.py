"""Students evaluated out of distribution as well: on corrupted pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, recipes
from harness.lab.recipe import passes
from harness.lab.train.student import StudentParams
from harness.plan.step import (
    Facts,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)


class OodParams(StudentParams):
    corruptions: tuple[
        Literal["gaussian-noise", "gaussian-blur", "contrast", "brightness", "pixelate"], ...
    ] = Field(min_length=1)
    severities: tuple[Annotated[int, Field(ge=1, le=5)], ...] = Field(min_length=1)
    pictures: Annotated[str, Neutral("")] = ""
    """Fingerprint of a folder of corrupted pictures that are used instead of these; empty: none."""


def student_ood(params: OodParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train as `student`, to the last bit, and evaluate on each corruption too.

    Values `accuracy` and `loss` (test split, as it is), `ood_accuracy` and `ood_loss`, means over
    all corruptions and severities; arrays `ood_accuracies` and `ood_losses`, float64
    (corruptions, severities). The corrupted test split is one data set: its noise is that of
    seed 0, whatever the seed of the student. Draws: those of a student, "noise" of seed 0.
    With `pictures`, those of the publisher's folder instead, corruptions in the order of names.
    Raises `EvidenceError` if that folder is not there, or another one.
    """
    from harness.lab.data import sets
    from harness.lab.measure.dcs.corrupted import on_pictures, on_test_split
    from harness.lab.train.loop import Examples, evaluate
    from harness.lab.train.student_training import train_student

    test = sets.load(params.dataset).test
    classifier, _ = train_student(params, inputs["images"], replace(ctx, step="student"))
    clean = evaluate(classifier, Examples.of(test, ctx.device))
    if params.pictures:
        results = on_pictures(params, classifier)
    else:
        results = on_test_split(params, test, classifier, replace(ctx, seed=0))
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


def _ood_work(p: OodParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    judged = (1 + len(p.corruptions) * len(p.severities)) * p.dataset.test_size
    return passes(facts, p.network, p.dataset, trained, judged, p.recipe.precision)


def _probe() -> Probe:
    return Probe(
        OodParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=RECIPE,
            per_class=5,
            corruptions=("gaussian-noise", "gaussian-blur", "contrast", "brightness", "pixelate"),
            severities=(1, 5),
        ),
        {"images": chosen(per_class=5)},
        variants=recipes({"warmup_epochs": 0}),
    )


STEPS = (declare(student_ood, _probe, _ood_work, inputs=("images",)),)
