"""The losses that DM and DC descend, each a sum over classes in random networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Optimizer

from harness.lab.distill.images import class_labels
from harness.lab.distill.matching import DcParams, DmParams
from harness.lab.distill.objectives import dm_loss, embedding, gradient_distance, gradients
from harness.lab.distill.synthesis import (
    Reals,
    augmented,
    descend,
    first_images,
    fresh,
    some_seed,
    step_down,
    synthesised,
)
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.dsa import Independent, Siamese
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepResult

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
