"""How far a subset is from the statistics that a teacher's BatchNorm layers keep (SRe2L, DWA)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.measure.dcs.steps import BnLossParams
from harness.lab.measure.dcs.subset import class_by_class, given_subset, in_turn
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.augment import RATIOS, crop_resize, mirror, random_boxes
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult

Moments: TypeAlias = list[tuple[Tensor, Tensor]]
"""Mean and variance of what enters each layer, less the mean that the layer keeps; (channels,)."""


@dataclass(frozen=True)
class Sums:
    """Over examples and places, of what enters one layer, less the mean that the layer keeps."""

    count: int
    first: Tensor
    """float64 (channels,)."""
    second: Tensor
    """Of squares, float64 (channels,)."""

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.count + other.count, self.first + other.first, self.second + other.second)

    def moments(self, variance: str) -> tuple[Tensor, Tensor]:
        mean = self.first / self.count
        spread = self.second / self.count - mean.square()
        correction = self.count / (self.count - 1) if variance == "unbiased" else 1.0
        return mean, spread * correction


def bn_loss(params: BnLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """`bn_weight` x (mean term + `variance_weight` x variance term), plus cross-entropy if asked.

    With mu_l and v_l the statistics of what enters layer l of the teacher, in evaluation mode, and
    m_l and s_l those that the layer keeps, the terms are sum_l w_l |mu_l - m_l|_2 and
    sum_l w_l |v_l - s_l|_2, w_1 = `first_layer_weight`, else 1 (supplement, Equations 1 and 2;
    w_1 and `bn_weight` in VILA-Lab/SRe2L). Values `loss`, `mean_term`, `variance_term`,
    `cross_entropy` (nats, mean over the subset). Draws: "views" of `ctx`, if images are cropped.
    Raises `UserError` if the teacher has no BatchNorm layer, or the subset is another.
    """
    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    layers = norms(teacher)
    subset = given_subset(inputs["images"], params.dataset, params.per_class, ctx.device, ctx.step)
    climb(teacher, subset, params.perturbation_iterations, params.perturbation_size)
    drawn = Generator().manual_seed(ctx.derive("views"))
    sizes, sums, cross_entropy = [], [], 0.0
    for batch in batches(subset, params):
        sizes.append(len(batch))
        own, loss = observed(teacher, layers, batch, params, drawn)
        sums.append(own)
        cross_entropy += loss / len(subset)
    mean_term = variance_term = 0.0
    for share, moments in aggregated(sizes, sums, params):
        of_means, of_variances = distances(layers, moments, params.first_layer_weight)
        mean_term += share * of_means
        variance_term += share * of_variances
    loss = params.bn_weight * (mean_term + params.variance_weight * variance_term)
    return StepResult(
        {
            "loss": loss + cross_entropy * params.cross_entropy,
            "mean_term": mean_term,
            "variance_term": variance_term,
            "cross_entropy": cross_entropy,
        }
    )


def distances(layers: list[BatchNorm], moments: Moments, first: float) -> tuple[float, float]:
    """The terms of the means and of the variances; the first layer weighs `first`, others 1."""
    weights = [first] + [1.0] * (len(layers) - 1)
    of_means = [mean.norm().item() for mean, _ in moments]
    of_variances = [
        (variance - layer.running_var).norm().item()
        for layer, (_, variance) in zip(layers, moments, strict=True)
    ]
    return float(np.dot(weights, of_means)), float(np.dot(weights, of_variances))


def norms(teacher: Classifier) -> list[BatchNorm]:
    """The BatchNorm layers, in the order of the network. Raises `UserError` if it has none."""
    found = [layer for layer in teacher.network.modules() if isinstance(layer, BatchNorm)]
    if not found:
        raise UserError(
            "a loss of batch-norm statistics needs a teacher with BatchNorm layers, but this "
            "network has none; choose another one"
        )
    return found


def batches(subset: Examples, params: BnLossParams) -> Iterator[Examples]:
    """The subset in batches, or whole; the last one may be smaller."""
    order = in_turn if params.batches == "class-mixed" else class_by_class
    size = len(subset) if params.aggregation == "whole" else params.batch_size
    for rows in order(subset.labels).split(size):
        yield Examples(subset.images[rows], subset.labels[rows])


@torch.no_grad()
def observed(
    teacher: Classifier,
    layers: list[BatchNorm],
    batch: Examples,
    params: BnLossParams,
    drawn: Generator,
) -> tuple[list[Sums], float]:
    """The sums of each layer, and the summed cross-entropy, over one batch of any size."""
    sums: dict[nn.Module, Sums] = {}

    def note(layer: BatchNorm, entering: tuple[Tensor]) -> None:
        away = entering[0].double().transpose(0, 1).flatten(1) - layer.running_mean[:, None]
        own = Sums(away.shape[1], away.sum(dim=1), away.square().sum(dim=1))
        sums[layer] = sums[layer] + own if layer in sums else own

    teacher.network.eval()
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    loss = 0.0
    for rows in torch.arange(len(batch)).split(SCORED_AT_ONCE):
        logits = teacher.answer(seen(teacher, batch.images[rows], params, drawn))
        loss += functional.cross_entropy(logits, batch.labels[rows], reduction="sum").item()
    for hook in hooks:
        hook.remove()
    return [sums[layer] for layer in layers], loss


def seen(teacher: Classifier, images: Tensor, params: BnLossParams, drawn: Generator) -> Tensor:
    """Normalised images, or a random view of each."""
    normalised = teacher.shown(images)
    if params.augmentation == "none":
        return normalised
    side = normalised.shape[-1]
    boxes = random_boxes(len(images), side, params.crop_scale, RATIOS, drawn)
    view = crop_resize(normalised, boxes, side)
    if params.dataset.flip:
        view = mirror(view, torch.rand(len(images), generator=drawn) < 0.5)
    return view


def aggregated(
    sizes: list[int], sums: list[list[Sums]], params: BnLossParams
) -> list[tuple[float, Moments]]:
    """Statistics whose losses are added, and the share of each."""
    moments = [[layer.moments(params.variance) for layer in batch] for batch in sums]
    if params.aggregation != "running":
        return [(size / sum(sizes), own) for size, own in zip(sizes, moments, strict=True)]
    running = moments[0]
    for new in moments[1:]:
        running = [
            (torch.lerp(mean, m, params.momentum), torch.lerp(variance, v, params.momentum))
            for (mean, variance), (m, v) in zip(running, new, strict=True)
        ]
    return [(1.0, running)]


def climb(teacher: Classifier, subset: Examples, steps: int, size: float) -> None:
    """DWA's directed weight adjustment: `steps` ascents of the mean cross-entropy on the subset.

    Each moves all weights together by `size` / `steps` along the gradient, in evaluation mode; the
    statistics that the layers keep stay. In AngusDujw/Diversity-Driven-Synthesis each batch adds
    its own ascent to those before it.
    """
    teacher.network.eval()
    weights = list(teacher.network.parameters())
    for _ in range(steps):
        teacher.network.zero_grad()
        for rows in torch.arange(len(subset)).split(SCORED_AT_ONCE):
            logits = teacher.answer(teacher.shown(subset.images[rows]))
            loss = functional.cross_entropy(logits, subset.labels[rows], reduction="sum")
            (loss / len(subset)).backward()
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        with torch.no_grad():
            for weight in weights:
                weight += size / steps * weight.grad / norm
