"""Training students from scratch on small sets: alone or together, and by a teacher's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.train.fused import Member, at_once, hand_back, joined, training_together
from harness.lab.train.loop import (
    Examples,
    Objective,
    evaluate,
    given_examples,
    scale_of,
    training,
    untrained,
)
from harness.lab.train.schedule import batch_sizes
from harness.lab.train.student import StudentParams
from harness.plan.step import Share, StepContext, StepInput, StepResult


@torch.no_grad()
def answered(teacher: Classifier, normalised: Tensor, mode: str) -> Tensor:
    """Logits of normalised views, without a gradient.

    In train mode, norms use the statistics of the batch.
    """
    teacher.network.train(mode == "train")
    return teacher.answer(normalised)


def enlarged(images: Tensor) -> Tensor:
    """The middle of images (n, c, s, s), of the same size, once their side is 8/7 as long.

    Bilinear; the side is rounded down: 36 for 32, and 73 for 64.
    """
    side = images.shape[-1]
    larger = side * 8 // 7
    corner = round((larger - side) / 2)
    middle = slice(corner, corner + side)
    return functional.interpolate(images, size=(larger, larger), mode="bilinear")[
        ..., middle, middle
    ]


def divergence(logits: Tensor, target: Tensor, recipe: Recipe) -> Tensor:
    """KL(q || p) of softened answers, with q the target's and p the student's; a scalar.

    Both logits (b, classes) are divided by the temperature. Summed over classes and averaged over
    the batch, or averaged over both; times the squared temperature if the recipe has `kl_t2`.
    """
    heat = recipe.temperature
    log_p = functional.log_softmax(logits / heat, dim=1)
    log_q = functional.log_softmax(target / heat, dim=1)
    count = len(logits) if recipe.kl_reduction == "batch-mean" else logits.numel()
    loss = functional.kl_div(log_p, log_q, reduction="sum", log_target=True) / count
    return loss * heat**2 if recipe.kl_t2 else loss


def stored(targets: Tensor, recipe: Recipe) -> Objective:
    """One soft label an image, whatever view of it is seen; `targets` are logits (n, classes)."""
    return lambda logits, chosen, seen: divergence(logits, targets[chosen], recipe)


def online(teacher: Classifier, recipe: Recipe, scale: DatasetRef) -> Objective:
    """The teacher's answer to the very view that the student sees, normalised by `scale`.

    Labels that are stored beforehand are the same, but for their rounding to 16 bits (SRe2L).
    """

    def objective(logits: Tensor, chosen: Tensor, seen: Tensor) -> Tensor:
        target = answered(teacher, teacher.rescaled(seen, scale), recipe.teacher_mode)
        if recipe.label_storage == "per-epoch":
            target = target.half().to(target.dtype)
        return divergence(logits, target, recipe)

    return objective


def stored_objective(
    params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> Objective:
    """The loss of a student with one soft label an image: `logits` of its `soft_labels`."""
    targets = torch.from_numpy(np.array(inputs["soft_labels"].array("logits"))).to(ctx.device)
    return stored(targets, params.recipe)


def online_objective(
    params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> Objective:
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
    scale = scale_of(given, params.dataset)
    return untrained(params.network, scale, params.recipe, ctx), examples


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
    means: np.ndarray = (totals / (sizes.sum() // epochs)).astype(losses.dtype)
    return means


def evaluated(classifier: Classifier, losses: np.ndarray, test: Examples) -> StepResult:
    """The record of a trained student, from the losses of its epochs and the test split."""
    result = evaluate(classifier, test)
    return StepResult(
        {"accuracy": result.accuracy, "loss": result.loss},
        {"correct": np.packbits(result.correct), "curve": losses},
    )


def trained(
    params: StudentParams, given: StepInput, ctx: StepContext, objective: Objective | None = None
) -> StepResult:
    """The record of one student, as the step `student` describes it."""
    classifier, losses = train_student(params, given, ctx, objective)
    test = Examples.of(sets.load(params.dataset).test, ctx.device)
    return evaluated(classifier, losses, test)


def trained_together(
    params: StudentParams,
    shares: Sequence[Share],
    ctx: StepContext,
    objective: Callable[[Share], Objective | None],
) -> list[StepResult]:
    """The records that `trained` returns for each share alone, to rounding.

    They are trained in groups of as many as the device has room for.
    """
    members = [_begun(params, share, objective(share)) for share in shares]
    test = Examples.of(sets.load(params.dataset).test, ctx.device)
    size = at_once(members[0].classifier, len(members), params.recipe.batch_size)
    groups = [members[start : start + size] for start in range(0, len(members), size)]
    results = []
    for number, group in enumerate(groups):
        curves = _train(params, group, ctx.part(number, len(groups)))
        results += [evaluated(m.classifier, c, test) for m, c in zip(group, curves, strict=True)]
    return results


def _begun(params: StudentParams, share: Share, objective: Objective | None) -> Member:
    own = replace(share.context, step="student")
    return Member(*beginner(params, share.inputs["images"], own), own, objective)


def _train(params: StudentParams, members: Sequence[Member], ctx: StepContext) -> list[np.ndarray]:
    """The curve of each, whose network is trained then."""
    recipe, examples = params.recipe, len(members[0].examples)
    samples = recipe.run_epochs * examples
    sizes = np.array(batch_sizes(examples, recipe.batch_size, samples))
    whole = joined([member.classifier for member in members])
    kept = torch.empty(len(members), len(sizes), dtype=whole.dtype, device=ctx.device)
    for update in training_together(
        whole, members, recipe, samples, ctx, params.factor, {"losses": kept}
    ):
        kept[:, update.number - 1] = update.loss
    hand_back(whole, [member.classifier for member in members])
    return [curve(losses, sizes, recipe.run_epochs) for losses in kept.cpu().numpy()]
