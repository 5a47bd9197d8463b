"""How far a few steps on a subset stay behind an expert's epochs on real images (TM, DATM)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle, islice

import numpy as np
import torch
from torch import Generator, Tensor

from harness.errors import UserError
from harness.lab.distill.experts import Trajectories
from harness.lab.distill.objectives import tm_loss as share_left
from harness.lab.distill.objectives import unrolled
from harness.lab.measure.dcs.steps import TmLossParams
from harness.lab.measure.dcs.subset import given_subset
from harness.lab.models.classifier import Classifier
from harness.lab.train.dsa import Independent, dsa, groups
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult


def tm_loss(params: TmLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """|theta_n - expert(t + m)|^2 / |expert(t) - expert(t + m)|^2 over starting epochs t.

    theta_n are the weights after n steps of SGD on batches of the subset, from expert(t)
    (supplement, Equation 4). Value `loss`, the mean over experts and over the starts from `t_minus`
    to `t_plus` (Section 7.1); arrays `starts` and `losses` (starts,), the mean over experts at each
    start, float64. The draws of an expert and a start are the same for all subsets: "batches" of a
    part of `ctx`. Raises `UserError` if the experts were not trained for so long.
    """
    given, trajectories = inputs["images"], Trajectories.of(inputs["experts"])
    last = max(params.starts) + params.m
    if last > trajectories.epochs:
        raise UserError(
            f"tm_loss: trajectories of {trajectories.epochs} epochs do not reach epoch {last}; "
            "train the experts for longer, or start earlier"
        )
    subset = given_subset(given, params.dataset, params.per_class, ctx.device, ctx.step)
    classifier = Classifier.fresh(
        params.network, params.dataset, ctx.device, params.precision, 0, trajectories.zca
    )
    images, targets = classifier.shown(subset.images), subset.labels
    if len(trajectories.files) != params.experts:
        raise UserError(
            f"tm_loss: {params.experts} experts were declared, but the input holds "
            f"{len(trajectories.files)}; declare as many as were trained"
        )
    if params.labels == "learned" and "soft_labels" in given.arrays:
        logits = torch.from_numpy(np.array(given.array("soft_labels")))
        targets = logits.to(images).softmax(dim=1)
    count = len(trajectories.files)
    losses = np.zeros((count, len(params.starts)))
    for expert in range(count):
        own = ctx.part(expert, count)
        for column, start in enumerate(params.starts):
            own.report(column / len(params.starts), f"start at epoch {start}")
            drawn = Generator().manual_seed(own.derive(f"batches/{start}"))
            batches = drawn_batches(images, targets, params, drawn)
            ends = [trajectories.weights(expert, t, ctx.device) for t in (start, start + params.m)]
            losses[expert, column] = behind(classifier, *ends, batches, params.learning_rate)
    starts = np.array(params.starts)
    within = (starts >= params.t_minus) & (starts <= params.t_plus)
    return StepResult(
        {"loss": float(losses[:, within].mean())},
        {"starts": starts, "losses": losses.mean(axis=0)},
    )


def behind(
    classifier: Classifier,
    start: dict[str, Tensor],
    target: dict[str, Tensor],
    batches: Iterator[tuple[Tensor, Tensor]],
    rate: float,
) -> float:
    """The share of the expert's way that is left after one step for each batch."""
    weights = start
    for batch in batches:
        # A step at a time: no graph outlives it.
        weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
        weights = unrolled(classifier.network, weights, [batch], rate)
    return share_left(start, weights, target).item()


def drawn_batches(
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
