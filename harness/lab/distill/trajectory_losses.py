"""The loss that TM and DATM descend, and what DATM asks the experts about real images."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

import torch
from torch import Generator, Tensor, nn

from harness.lab.distill.experts import Trajectories
from harness.lab.distill.objectives import tm_loss, unrolled
from harness.lab.distill.synthesis import Reals, augmented
from harness.lab.distill.trajectories import TrajectoryParams
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.dsa import Independent
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes


def matching_loss(
    params: TrajectoryParams,
    classifier: Classifier,
    learned: nn.ParameterDict,
    targets: Tensor,
    start: dict[str, Tensor],
    target: dict[str, Tensor],
    drawn: Generator,
) -> Tensor:
    """The share of the expert's m epochs that n steps on the synthetic images leave undone.

    A scalar, differentiable in what is learned. `targets` are classes (n,) or probabilities
    (n, classes); `start` and `target` the expert's weights before and after its epochs.
    """
    images, count = learned["images"], len(learned["images"])
    size = min(params.synthetic_batch_size or count, count)
    sizes = list(islice(cycle(batch_sizes(count, size, count)), params.n))
    batches = (
        (augmented(params, images[rows], Independent(drawn)), targets[rows])
        for rows in (batch.to(images.device) for batch in random_batches(count, sizes, drawn))
    )
    start = {name: weight.requires_grad_() for name, weight in start.items()}
    return tm_loss(start, unrolled(classifier.network, start, batches, learned["rate"]), target)


def first_rate(params: TrajectoryParams, images: Tensor) -> Tensor:
    """The rate of the steps on synthetic images at first, a scalar like `images`."""
    return torch.tensor(params.first_learning_rate, dtype=images.dtype, device=images.device)


def pixels_and_rate(params: TrajectoryParams, learned: nn.ParameterDict) -> list[dict[str, Any]]:
    """The optimiser's groups of parameters for the images and for the rate."""
    rates = {"images": params.learning_rate_pixels, "rate": params.learning_rate_rate}
    return [
        {"params": [learned[name]], "lr": rate, "momentum": params.momentum}
        for name, rate in rates.items()
    ]


@torch.no_grad()
def expert_logits(
    classifier: Classifier, reals: Reals, trajectories: Trajectories
) -> tuple[Tensor, Tensor]:
    """Each expert's logits at its end (experts, n, classes), and which are right (experts, n)."""
    logits = []
    for expert in range(len(trajectories.files)):
        weights = trajectories.weights(expert, trajectories.epochs, classifier.device)
        parts = (classifier.shown(part) for part in reals.pixels.split(SCORED_AT_ONCE))
        own = [torch.func.functional_call(classifier.network, weights, part) for part in parts]
        logits.append(torch.cat(own))
    found = torch.stack(logits)
    return found, found.argmax(dim=2) == reals.examples.labels


def mean_of_right(logits: Tensor, right: Tensor) -> Tensor:
    """Mean logits (n, classes) of the experts that are right, or of all where none is."""
    counted = torch.where(right.any(dim=0), right, torch.ones_like(right)).to(logits.dtype)
    return (logits * counted[..., None]).sum(dim=0) / counted.sum(dim=0)[:, None]
