"""Losses with a teacher's answers as targets."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.train.loop import Objective


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
