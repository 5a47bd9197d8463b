"""The losses of batch-norm statistics (SRe2L, DWA) on a given subset, which is not changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Generator, Tensor
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.lab.distill.statistics import (
    InputSums,
    Moments,
    batchnorm_layers,
    climb,
    distances,
    input_sums,
)
from harness.lab.measure.dcs.steps import BnLossParams
from harness.lab.measure.dcs.subset import class_by_class, given_subset, in_turn
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.augment import crop_and_mirror
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult


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
    layers = batchnorm_layers(teacher)
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
        mean_term += share * of_means.item()
        variance_term += share * of_variances.item()
    loss = params.bn_weight * (mean_term + params.variance_weight * variance_term)
    return StepResult(
        {
            "loss": loss + cross_entropy * params.cross_entropy,
            "mean_term": mean_term,
            "variance_term": variance_term,
            "cross_entropy": cross_entropy,
        }
    )


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
) -> tuple[list[InputSums], float]:
    """The sums of each layer, and the summed cross-entropy, over one batch of any size."""
    teacher.network.eval()
    loss = 0.0
    with input_sums(layers, torch.float64) as sums:
        for rows in torch.arange(len(batch)).split(SCORED_AT_ONCE):
            logits = teacher.answer(seen(teacher, batch.images[rows], params, drawn))
            loss += functional.cross_entropy(logits, batch.labels[rows], reduction="sum").item()
    return [sums[place] for place in range(len(layers))], loss


def seen(teacher: Classifier, images: Tensor, params: BnLossParams, drawn: Generator) -> Tensor:
    """Normalised images, or a random view of each."""
    normalised = teacher.shown(images)
    if params.augmentation == "none":
        return normalised
    return crop_and_mirror(normalised, params.crop_scale, params.dataset.flip, drawn)


def aggregated(
    sizes: list[int], sums: list[list[InputSums]], params: BnLossParams
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
