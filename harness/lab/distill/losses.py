"""The losses that bi-level distillers descend: DM and DC in random networks, TM and DATM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle, islice
from typing import Any, TypeAlias

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.optim import SGD, Optimizer

from harness.lab.distill.experts import Trajectories
from harness.lab.distill.matching import DcParams, DmParams
from harness.lab.distill.synthesis import (
    Reals,
    augmented,
    class_labels,
    descend,
    first_images,
    fresh,
    some_seed,
    step_down,
    synthesised,
)
from harness.lab.distill.trajectories import TrajectoryParams
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.models.running import last_linear, layer_inputs
from harness.lab.train.dsa import Independent, Siamese
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepResult

Weights: TypeAlias = Mapping[str, Tensor]
"""The parameters of a network by their names."""

COSINE_FLOOR = 1e-6
"""Added to a product of norms, so that a row without a gradient is at distance 1."""


def embedding(network: nn.Module, images: Tensor) -> Tensor:
    """Features (n, d), the input of the last linear layer, with their graph."""
    entered: dict[str, Tensor] = {}
    with layer_inputs({"last": last_linear(network)}, entered.__setitem__):
        network(images)
    return entered["last"]


def dm_loss(real: Tensor, synthetic: Tensor) -> Tensor:
    """Squared distance of the mean features of one class (Zhao and Bilen 2023).

    Features (n, d) and (m, d); a scalar. The official loss is the sum of this over classes, where
    equation 5 of the supplement has one mean over the whole set.
    """
    return (real.mean(dim=0) - synthetic.mean(dim=0)).square().sum()


def gradients(
    network: nn.Module, images: Tensor, targets: Tensor, differentiable: bool = False
) -> list[Tensor]:
    """Gradients of the mean cross-entropy with respect to every parameter, in order.

    Targets are classes (n,) or probabilities (n, classes). If `differentiable`, the gradients keep
    the graph that leads back to the images.
    """
    loss = functional.cross_entropy(network(images), targets)
    return list(torch.autograd.grad(loss, list(network.parameters()), create_graph=differentiable))


def gradient_distance(
    real: Sequence[Tensor], synthetic: Sequence[Tensor], distance: str = "cosine-rows"
) -> Tensor:
    """Distance of two gradients of the same parameters (Zhao et al. 2021), a scalar.

    `cosine-rows`: one minus the cosine, summed over the output rows of every weight; biases and
    norms do not count. `cosine`: one minus the cosine of everything as one vector. `mse`: the
    squared distance of everything as one vector.
    """
    if distance == "cosine-rows":
        pairs = zip(real, synthetic, strict=True)
        return torch.stack([_row_distance(a, b) for a, b in pairs if a.ndim > 1]).sum()
    whole, made = (torch.cat([part.flatten() for part in parts]) for parts in (real, synthetic))
    if distance == "mse":
        return (whole - made).square().sum()
    return _row_distance(whole[None], made[None])


def _row_distance(real: Tensor, synthetic: Tensor) -> Tensor:
    real, synthetic = real.flatten(1), synthetic.flatten(1)
    norms = torch.linalg.vector_norm(real, dim=1) * torch.linalg.vector_norm(synthetic, dim=1)
    cosines = (real * synthetic).sum(dim=1) / (norms + COSINE_FLOOR)
    return torch.sum(1 - cosines)


def unrolled(
    network: nn.Module,
    start: Weights,
    batches: Iterable[tuple[Tensor, Tensor]],
    rate: Tensor | float,
) -> dict[str, Tensor]:
    """The weights after one plain step of SGD, down the cross-entropy, for each batch.

    Differentiable in the images, the targets and the rate. `start` must require gradients. The
    network lends its form only: its own weights, and its running statistics if it has any, stay.
    """
    weights = dict(start)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    for images, targets in batches:
        logits = functional_call(network, (weights, buffers), (images,))
        loss = functional.cross_entropy(logits, targets)
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        weights = {
            name: weight - rate * slope
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
    return weights


def tm_loss(start: Weights, reached: Weights, target: Weights) -> Tensor:
    """Squared distance of `reached` to `target`, as a share of that of `start` (equation 4).

    Exactly 1 where nothing has moved, and 0 at the target.
    """
    left = sum((reached[name] - target[name]).square().sum() for name in target)
    whole = sum((start[name] - target[name]).square().sum() for name in target)
    return torch.as_tensor(left / whole)


Iterate: TypeAlias = Callable[[Reals, Tensor, Optimizer, Generator], float]
"""One iteration of a synthesis: steps of the images by their optimiser, and the loss before."""


def synthesis(params: DmParams, ctx: StepContext, iterate: Iterate) -> StepResult:
    """The record of `synthesised`, of images that are descended by SGD with momentum."""
    reals, classifier = Reals.of(params, ctx.device), fresh(params, ctx.device, seed=0)
    start, _ = first_images(params, reals, classifier.shown, ctx)
    learned = nn.ParameterDict({"images": start})
    images = learned["images"]
    optimizer = SGD(learned.values(), lr=params.learning_rate_pixels, momentum=params.momentum)
    losses = descend(
        learned,
        optimizer,
        params.iterations,
        ctx,
        lambda number, drawn: iterate(reals, images, optimizer, drawn),
    )
    return synthesised(params, images, losses)


def class_means_loss(
    params: DmParams, reals: Reals, images: Tensor, device: str, drawn: Generator
) -> Tensor:
    """DM's objective in one random network, summed over classes, differentiable in `images`."""
    classifier = fresh(params, device, some_seed(drawn))
    classifier.network.requires_grad_(False)
    real_views, views = [], []
    for label, own in enumerate(images.split(params.per_class)):
        rows = reals.drawn(label, params.real_batch_size, drawn)
        shown = classifier.shown(reals.images(rows))
        seed = some_seed(drawn)
        real_views.append(augmented(params, shown, Siamese(seed)))
        views.append(augmented(params, own, Siamese(seed)))
    with torch.no_grad():
        real = _features(classifier, real_views)
    made = _features(classifier, views)
    return torch.stack([dm_loss(a, b) for a, b in zip(real, made, strict=True)]).sum()


def _features(classifier: Classifier, views: list[Tensor]) -> tuple[Tensor, ...]:
    """The features of each class, from passes of a bounded size."""
    parts = torch.cat(views).split(SCORED_AT_ONCE)
    features = torch.cat([embedding(classifier.network, part) for part in parts])
    return torch.split(features, [len(view) for view in views])


def class_distance(
    params: DcParams,
    reals: Reals,
    images: Tensor,
    classifier: Classifier,
    label: int,
    drawn: Generator,
) -> Tensor:
    """DC's objective of one class at the present weights, differentiable in `images`."""
    rows = reals.drawn(label, params.real_batch_size, drawn)
    seed = some_seed(drawn)
    sides = (classifier.shown(reals.images(rows)), images.split(params.per_class)[label])
    real, made = (augmented(params, side, Siamese(seed)) for side in sides)

    def slopes(views: Tensor, differentiable: bool) -> list[Tensor]:
        targets = torch.full((len(views),), label, device=views.device)
        return gradients(classifier.network, views, targets, differentiable)

    return gradient_distance(slopes(real, False), slopes(made, True), params.distance)


def learn(
    params: DcParams,
    classifier: Classifier,
    optimizer: Optimizer,
    images: Tensor,
    drawn: Generator,
) -> None:
    """Train the network on the synthetic images for the epochs of DC's inner loop."""
    labels = torch.from_numpy(class_labels(params.dataset, params.per_class)).to(images.device)
    sizes = batch_sizes(len(images), params.network_batch_size, params.inner_loops * len(images))
    for batch in random_batches(len(images), sizes, drawn):
        chosen = batch.to(images.device)
        views = augmented(params, images[chosen], Independent(drawn))
        step_down(functional.cross_entropy(classifier.network(views), labels[chosen]), optimizer)


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
