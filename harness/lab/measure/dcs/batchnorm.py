"""A subset's statistics in a teacher's BatchNorm layers, batch by batch or as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.lab.data.ragged import Ragged
from harness.lab.distill.statistics import InputSums, Moments, input_sums
from harness.lab.measure.dcs.bn_loss import BnLossParams
from harness.lab.measure.dcs.subset import class_by_class, in_turn
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.augment import crop_and_mirror
from harness.lab.train.loop import Examples


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
            logits = teacher.answer(views_of(teacher, batch.images[rows], params, drawn))
            loss += functional.cross_entropy(logits, batch.labels[rows], reduction="sum").item()
    return [sums[place] for place in range(len(layers))], loss


def views_of(
    teacher: Classifier, images: Tensor | Ragged, params: BnLossParams, drawn: Generator
) -> Tensor:
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
