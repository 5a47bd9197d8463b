"""A subset and real images, class by class, in one random network after another (DM, DC)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.data import sets
from harness.lab.distill import losses
from harness.lab.distill.synthesis import some_seed, step_down
from harness.lab.measure.dcs.losses import DcLossParams, RandomNetworksParams
from harness.lab.measure.dcs.subset import given_subset, real_rows, views
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput


@dataclass(frozen=True)
class Matched:
    """A subset and real images to be compared in one network."""

    classifier: Classifier
    subset: Tensor
    """Normalised images (n, c, h, w)."""
    labels: Tensor
    """int64 (n,)."""
    reals: list[Tensor]
    """Normalised real images of each class."""
    strategy: str
    """DSA's strategy, see `MatchingParams`."""
    seeds: list[int]
    """Seeds of the augmentation of each class."""

    def pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of the real images and of the subset's, a class at a time."""
        flip = self.classifier.dataset.flip
        for label, (real, seed) in enumerate(zip(self.reals, self.seeds, strict=True)):
            own = self.subset[self.labels == label]
            yield views(real, self.strategy, flip, seed), views(own, self.strategy, flip, seed)


def random_networks(
    params: RandomNetworksParams, given: StepInput, ctx: StepContext
) -> Iterator[Matched]:
    """Random networks that depend on the seed alone, so that losses of subsets are paired.

    Draws: "init", "real" and "augment" of each network's part of `ctx`.
    """
    train = sets.load(params.dataset).train
    subset = given_subset(given, params.dataset, params.per_class, ctx.device, ctx.step)
    for number in range(params.networks):
        own = ctx.part(number, params.networks)
        own.report(0.0, "comparing")
        classifier = Classifier.fresh(
            params.network, params.dataset, ctx.device, params.precision, own.derive("init")
        )
        classifier.network.train(params.norms == "batch")
        drawn = Generator().manual_seed(own.derive("real"))
        rows = real_rows(params.dataset, params.real_batch_size, drawn)
        parts = [Examples.of(train, ctx.device, r) for r in rows]
        seeds = Generator().manual_seed(own.derive("augment"))
        yield Matched(
            classifier,
            classifier.shown(subset.images),
            subset.labels,
            [classifier.shown(part.images) for part in parts],
            params.dsa_strategy,
            torch.randint(2**31, (params.dataset.classes,), generator=seeds).tolist(),
        )


@torch.no_grad()
def feature_distance(matched: Matched, means: str) -> Tensor:
    """DM's loss in one network, a scalar."""
    network = matched.classifier.network
    pairs = [
        (losses.embedding(network, real), losses.embedding(network, own))
        for real, own in matched.pairs()
    ]
    if means == "whole-set":
        real, own = (torch.cat(side) for side in zip(*pairs, strict=True))
        return losses.dm_loss(real, own)
    return torch.stack([losses.dm_loss(real, own) for real, own in pairs]).sum()


def class_gradients(matched: Matched, kind: str) -> float:
    """DC's loss at the present weights of one network."""

    def slopes(images: Tensor, label: int) -> list[Tensor]:
        targets = torch.full((len(images),), label, device=images.device)
        return losses.gradients(matched.classifier.network, images, targets)

    return sum(
        losses.gradient_distance(slopes(real, label), slopes(own, label), kind).item()
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
        seen = views(matched.subset[rows], params.dsa_strategy, flip, some_seed(drawn))
        step_down(functional.cross_entropy(network(seen), matched.labels[rows]), optimizer)
