"""How far the gradients of a subset are from those of real images (DC)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.distill.objectives import gradient_distance, gradients
from harness.lab.measure.dcs.random_networks import Matched, random_networks
from harness.lab.measure.dcs.steps import DcLossParams
from harness.lab.measure.dcs.subset import views
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult


def dc_loss(params: DcLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Distance of the gradients of the cross-entropy, summed over classes (Zhao et al. 2021).

    In each random network `outer_loops` times, and between two of them the network learns from the
    subset for `inner_loops` epochs, as in the synthesis. Value `loss`, the mean; array `losses`
    (networks, outer_loops), float64. Draws: those of `random_networks`, "learn" of `ctx`.
    """
    losses = np.zeros((params.networks, params.outer_loops))
    drawn = Generator().manual_seed(ctx.derive("learn"))
    for number, matched in enumerate(random_networks(params, inputs["images"], ctx)):
        for outer in range(params.outer_loops):
            if outer:
                learn(matched, params, drawn)
            losses[number, outer] = distance(matched, params.distance)
    return StepResult({"loss": float(losses.mean())}, {"losses": losses})


def distance(matched: Matched, kind: str) -> float:
    """The loss at the present weights of one network."""

    def slopes(images: Tensor, label: int) -> list[Tensor]:
        targets = torch.full((len(images),), label, device=images.device)
        return gradients(matched.classifier.network, images, targets)

    return sum(
        gradient_distance(slopes(real, label), slopes(own, label), kind).item()
        for label, (real, own) in enumerate(matched.pairs())
    )


def learn(matched: Matched, params: DcLossParams, drawn: Generator) -> None:
    """Train the network on the subset for `inner_loops` epochs by plain SGD."""
    network, flip = matched.classifier.network, params.dataset.flip
    optimizer = torch.optim.SGD(network.parameters(), lr=params.learning_rate)
    count = len(matched.labels)
    sizes = batch_sizes(count, params.batch_size, params.inner_loops * count)
    for batch in random_batches(count, sizes, drawn):
        rows = batch.to(matched.labels.device)
        seed = int(torch.randint(2**31, (), generator=drawn))
        seen = views(matched.subset[rows], params.dsa_strategy, flip, seed)
        optimizer.zero_grad()
        functional.cross_entropy(network(seen), matched.labels[rows]).backward()
        optimizer.step()
