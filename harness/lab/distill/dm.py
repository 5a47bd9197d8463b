"""Distribution matching (DM, Zhao and Bilen 2023)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn

from harness.lab.distill.objectives import dm_loss, embedding
from harness.lab.distill.steps import DmParams
from harness.lab.distill.synthesis import (
    Reals,
    augmented,
    descend,
    first_images,
    fresh,
    some_seed,
    synthesised,
)
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.dsa import Siamese
from harness.plan.step import StepContext, StepInput, StepResult


def distill_dm(params: DmParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Move images until random networks see the class means that they see of real ones.

    At each iteration, in a new random network: of every class a random batch of real images and
    all synthetic ones, augmented alike; the squared distances of their mean features, summed over
    classes, are descended. The record is that of `synthesised`.
    Draws: "first" and "synthesis" of `ctx`.
    """
    reals = Reals.of(params, ctx.device)
    classifier = fresh(params, ctx.device, seed=0)
    first = Generator().manual_seed(ctx.derive("first"))
    images, _ = first_images(params, reals, classifier.shown, first)
    learned = nn.ParameterDict({"images": images})
    optimizer = torch.optim.SGD(
        learned.values(), lr=params.learning_rate_pixels, momentum=params.momentum
    )

    def iterate(number: int, drawn: Generator) -> float:
        loss = class_means_loss(params, reals, learned["images"], ctx.device, drawn)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    losses = descend(learned, optimizer, params.iterations, ctx, iterate)
    return synthesised(params, learned["images"], losses)


def class_means_loss(
    params: DmParams, reals: Reals, images: Tensor, device: str, drawn: Generator
) -> Tensor:
    """The objective in one random network, summed over classes, differentiable in `images`."""
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
        real = features(classifier, real_views)
    made = features(classifier, views)
    return torch.stack([dm_loss(a, b) for a, b in zip(real, made, strict=True)]).sum()


def features(classifier: Classifier, views: list[Tensor]) -> tuple[Tensor, ...]:
    """The features of each class, from passes of a bounded size."""
    parts = torch.cat(views).split(SCORED_AT_ONCE)
    seen = torch.cat([embedding(classifier.network, part) for part in parts])
    return seen.split([len(view) for view in views])
