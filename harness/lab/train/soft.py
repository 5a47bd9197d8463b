"""Soft labels: a teacher's answers as targets."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.train.loop import Objective, given_examples, scale_of
from harness.lab.train.steps import SoftLabelsParams
from harness.plan.step import StepContext, StepInput, StepResult


def soft_labels(
    params: SoftLabelsParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The teacher's answer to every un-augmented image of the input.

    Array `logits` (n, classes), in the type of the teacher's weights, before any temperature; value
    `accuracy`, the fraction of the images that the teacher puts into their own class.
    """
    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    images = inputs["images"]
    examples = given_examples(images, sets.load(params.dataset).train, ctx.device)
    scale = scale_of(images, params.dataset)
    parts = examples.images.split(teacher.at_once)
    shown = (teacher.rescaled(teacher.shown(part), scale) for part in parts)
    logits = torch.cat([answered(teacher, part, params.mode) for part in shown])
    accuracy = (logits.argmax(dim=1) == examples.labels).double().mean().item()
    return StepResult({"accuracy": accuracy}, {"logits": logits.cpu().numpy()})


@torch.no_grad()
def answered(teacher: Classifier, normalised: Tensor, mode: str) -> Tensor:
    """Logits of normalised views, without a gradient.

    In train mode, norms use the statistics of the batch.
    """
    teacher.network.train(mode == "train")
    return teacher.answer(normalised)


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
    """The teacher's answer to the very view that the student sees, normalised by `scale`."""
    return lambda logits, chosen, seen: divergence(
        logits, answered(teacher, teacher.rescaled(seen, scale), recipe.teacher_mode), recipe
    )
