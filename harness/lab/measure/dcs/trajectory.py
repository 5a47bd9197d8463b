"""How far steps on a subset lead along the trajectories of experts (TM, DATM)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import torch
from torch import Generator, Tensor

from harness.errors import UserError
from harness.lab.distill.experts import Trajectories
from harness.lab.distill.losses import tm_loss, unrolled
from harness.lab.measure.dcs.losses import TmLossParams
from harness.lab.measure.dcs.subset import given_subset
from harness.lab.models.classifier import Classifier
from harness.lab.train.dsa import Independent, dsa, groups
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput


def losses_at_starts(
    params: TmLossParams, given: StepInput, experts: StepInput, ctx: StepContext
) -> np.ndarray:
    """The losses of the step `tm_loss`, float64 (experts, starts)."""
    trajectories = Trajectories.of(experts)
    count = len(trajectories.files)
    _check_experts(params, trajectories)
    subset = given_subset(given, params.dataset, params.per_class, ctx.device, ctx.step)
    classifier = Classifier.fresh(
        params.network, params.dataset, ctx.device, params.precision, 0, trajectories.zca
    )
    images, targets = classifier.shown(subset.images), subset.labels
    if params.labels == "learned" and "soft_labels" in given.arrays:
        logits = torch.from_numpy(np.array(given.array("soft_labels")))
        targets = logits.to(images).softmax(dim=1)
    losses = np.zeros((count, len(params.starts)))
    for expert in range(count):
        own = ctx.part(expert, count)
        for column, start in enumerate(params.starts):
            own.report(column / len(params.starts), f"start at epoch {start}")
            drawn = Generator().manual_seed(own.derive(f"batches/{start}"))
            batches = _drawn_batches(images, targets, params, drawn)
            begun, target = (
                trajectories.weights(expert, t, ctx.device) for t in (start, start + params.m)
            )
            rate = params.learning_rate
            losses[expert, column] = _share_left(classifier, begun, target, batches, rate)
    return losses


def _check_experts(params: TmLossParams, trajectories: Trajectories) -> None:
    """Raises `UserError` unless there are as many experts as declared, trained for so long."""
    last = max(params.starts) + params.m
    if last > trajectories.epochs:
        raise UserError(
            f"tm_loss: trajectories of {trajectories.epochs} epochs do not reach epoch {last}; "
            "train the experts for longer, or start earlier"
        )
    if len(trajectories.files) != params.experts:
        raise UserError(
            f"tm_loss: {params.experts} experts were declared, but the input holds "
            f"{len(trajectories.files)}; declare as many as were trained"
        )


def _share_left(
    classifier: Classifier,
    start: dict[str, Tensor],
    target: dict[str, Tensor],
    batches: Iterator[tuple[Tensor, Tensor]],
    rate: float,
) -> float:
    """The share of the expert's way from `start` to `target` that one step a batch leaves."""
    weights = start
    for batch in batches:
        # A step at a time: no graph outlives it.
        weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
        weights = unrolled(classifier.network, weights, [batch], rate)
    return tm_loss(start, weights, target).item()


def _drawn_batches(
    images: Tensor, targets: Tensor, params: TmLossParams, drawn: Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """n random batches, each image under an augmentation of its own."""
    count = len(images)
    size = min(params.batch_size or count, count)
    names = groups(params.dsa_strategy, params.dataset.flip) if params.dsa_strategy else []
    sizes = islice(cycle(batch_sizes(count, size, count)), params.n)
    for batch in random_batches(count, list(sizes), drawn):
        rows = batch.to(images.device)
        seen = dsa(images[rows], names, "one", Independent(drawn)) if names else images[rows]
        yield seen, targets[rows]
