"""Gradient matching (DC, Zhao et al. 2021; with augmentation it is DSA, Zhao and Bilen 2021)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from harness.lab.distill.objectives import gradient_distance, gradients
from harness.lab.distill.steps import DcParams
from harness.lab.distill.synthesis import (
    Reals,
    augmented,
    classes_of,
    descend,
    first_images,
    fresh,
    some_seed,
    synthesised,
)
from harness.lab.models.classifier import Classifier
from harness.lab.train.dsa import Independent, Siamese
from harness.lab.train.loop import random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult


def distill_dc(params: DcParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Move images until they turn networks the way that real ones do, class by class.

    An iteration has a new random network and `outer_loops` steps of the images, each down the
    distance of the gradients of a random real batch and of all synthetic images, summed over
    classes; between two of them the network learns from the synthetic images for `inner_loops`
    epochs. The loss of an iteration is the mean over its steps and the classes. The record is that
    of `synthesised`. Draws: "first" and "synthesis" of `ctx`.
    """
    reals = Reals.of(params, ctx.device)
    first = Generator().manual_seed(ctx.derive("first"))
    start, _ = first_images(params, reals, fresh(params, ctx.device, seed=0).shown, first)
    learned = nn.ParameterDict({"images": start})
    images = learned["images"]
    optimizer = torch.optim.SGD(
        learned.values(), lr=params.learning_rate_pixels, momentum=params.momentum
    )

    def iterate(number: int, drawn: Generator) -> float:
        classifier = fresh(params, ctx.device, some_seed(drawn))
        slow = torch.optim.SGD(classifier.network.parameters(), lr=params.network_learning_rate)
        total = 0.0
        for outer in range(params.outer_loops):
            optimizer.zero_grad()
            for label in range(params.dataset.classes):
                loss = class_distance(params, reals, images, classifier, label, drawn)
                # At once, so that the graph of only one class is held.
                loss.backward()
                total += loss.item()
            optimizer.step()
            if outer + 1 < params.outer_loops:
                learn(params, classifier, slow, images.detach(), drawn)
        return total / (params.outer_loops * params.dataset.classes)

    losses = descend(learned, optimizer, params.iterations, ctx, iterate)
    return synthesised(params, images, losses)


def class_distance(
    params: DcParams,
    reals: Reals,
    images: Tensor,
    classifier: Classifier,
    label: int,
    drawn: Generator,
) -> Tensor:
    """The objective of one class at the present weights, differentiable in `images`."""
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
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    drawn: Generator,
) -> None:
    """Train the network on the synthetic images for the inner loop's epochs."""
    labels = classes_of(params).to(images.device)
    sizes = batch_sizes(len(images), params.network_batch_size, params.inner_loops * len(images))
    for batch in random_batches(len(images), sizes, drawn):
        chosen = batch.to(images.device)
        views = augmented(params, images[chosen], Independent(drawn))
        optimizer.zero_grad()
        functional.cross_entropy(classifier.network(views), labels[chosen]).backward()
        optimizer.step()
