"""A network trained on a small set of images from scratch, and judged on the test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import (
    Examples,
    Objective,
    evaluate,
    given_examples,
    scale_of,
    training,
)
from harness.lab.train.schedule import batch_sizes
from harness.lab.train.soft import online, stored
from harness.lab.train.steps import StudentParams
from harness.plan.step import StepContext, StepInput, StepResult


def student(params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train on the images and labels of the input, evaluate after the last epoch.

    The input holds `labels` and either `images` (n x height x width x channels; uint8, or floating
    and normalised already) or `indices` into the training split. Values `accuracy` (fraction, test
    split) and `loss`; arrays `correct`, the test split's correctness packed into bytes by
    `np.packbits`, and `curve`, the mean training loss of each epoch, float32 (epochs run,), float64
    if the recipe's precision is.
    Raises `UserError` if the input does not hold `per_class` images of every class.
    """
    return _trained(params, inputs["images"], ctx, None)


def student_stored(
    params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `student`, with one stored soft label an image: `logits` of the second input.

    All kinds of student draw alike, so that their comparisons are paired.
    """
    objective = labelled(params, inputs, ctx)
    return _trained(params, inputs["images"], replace(ctx, step="student"), objective)


def student_online(
    params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `student`, labelled at every step by the teacher, which sees what the student sees."""
    objective = taught(params, inputs, ctx)
    return _trained(params, inputs["images"], replace(ctx, step="student"), objective)


def labelled(params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> Objective:
    """The loss of a student with one soft label an image: `logits` of its `soft_labels`."""
    targets = torch.from_numpy(np.array(inputs["soft_labels"].array("logits"))).to(ctx.device)
    return stored(targets, params.recipe)


def taught(params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> Objective:
    """The loss of a student whose `teacher` answers to every view that it sees of its `images`."""
    recipe = params.recipe
    teacher = Classifier.stored(
        recipe.teacher,
        params.dataset,
        ctx.device,
        inputs["teacher"].tensors("weights"),
        recipe.precision,
    )
    return online(teacher, recipe, scale_of(inputs["images"], params.dataset))


def beginner(
    params: StudentParams, given: StepInput, ctx: StepContext
) -> tuple[Classifier, Examples]:
    """A student before its training, and what it is going to be trained on.

    Raises `UserError` if the input does not hold `per_class` images of every class.
    """
    examples = given_examples(given, sets.load(params.dataset).train, ctx.device)
    if len(examples) != params.per_class * params.dataset.classes:
        raise UserError(
            f"student: {params.per_class} images per class were declared, so "
            f"{params.per_class * params.dataset.classes} in all, but the input holds "
            f"{len(examples)}"
        )
    classifier = Classifier.fresh(
        params.network,
        scale_of(given, params.dataset),
        ctx.device,
        params.recipe.precision,
        ctx.derive("init"),
        params.recipe.zca,
    )
    return classifier, examples


def train_student(
    params: StudentParams, given: StepInput, ctx: StepContext, objective: Objective | None = None
) -> tuple[Classifier, np.ndarray]:
    """The network after its last epoch, and the mean training loss of each epoch."""
    recipe = params.recipe
    classifier, examples = beginner(params, given, ctx)
    samples = recipe.run_epochs * len(examples)
    sizes = np.array(batch_sizes(len(examples), recipe.batch_size, samples))
    kept = torch.empty(len(sizes), dtype=classifier.dtype, device=ctx.device)
    for update in training(
        classifier, examples, recipe, samples, ctx, params.factor, objective, {"losses": kept}
    ):
        kept[update.number - 1] = update.loss
    return classifier, curve(kept.cpu().numpy(), sizes, recipe.run_epochs)


def curve(losses: np.ndarray, sizes: np.ndarray, epochs: int) -> np.ndarray:
    """The mean loss of each epoch (epochs,), from that of each batch and the sizes of all."""
    totals = (losses * sizes).reshape(epochs, -1).sum(axis=1)
    return (totals / (sizes.sum() // epochs)).astype(losses.dtype)


def judged(classifier: Classifier, losses: np.ndarray, test: Examples) -> StepResult:
    """What a student's record holds, see `student`, from its curve and the test split."""
    result = evaluate(classifier, test)
    return StepResult(
        {"accuracy": result.accuracy, "loss": result.loss},
        {"correct": np.packbits(result.correct), "curve": losses},
    )


def _trained(
    params: StudentParams, given: StepInput, ctx: StepContext, objective: Objective | None
) -> StepResult:
    classifier, losses = train_student(params, given, ctx, objective)
    test = sets.load(params.dataset).test
    return judged(classifier, losses, Examples.on(ctx.device, test.images, test.labels))
