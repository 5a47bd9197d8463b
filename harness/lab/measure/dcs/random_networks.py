"""A subset and real images, class by class, before one random network after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from harness.lab.data import sets
from harness.lab.measure.dcs.steps import RandomNetworksParams
from harness.lab.measure.dcs.subset import given_subset, real_rows, views
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput


@dataclass(frozen=True)
class Matched:
    """What is compared in one network."""

    classifier: Classifier
    subset: Tensor
    """Normalised images (n, c, h, w)."""
    labels: Tensor
    """int64 (n,)."""
    reals: list[Tensor]
    """Normalised real images of each class."""
    strategy: str
    """Of DSA, see `MatchingParams`."""
    seeds: list[int]
    """Of the augmentation of each class."""

    def pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of the real images and of the subset's, a class at a time."""
        flip = self.classifier.dataset.flip
        for label, (real, seed) in enumerate(zip(self.reals, self.seeds, strict=True)):
            own = self.subset[self.labels == label]
            yield views(real, self.strategy, flip, seed), views(own, self.strategy, flip, seed)


def random_networks(
    params: RandomNetworksParams, given: StepInput, ctx: StepContext
) -> Iterator[Matched]:
    """The networks of a seed, whatever the subset, so that losses of subsets are paired.

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
        parts = [Examples.on(ctx.device, train.images[r], train.labels[r]) for r in rows]
        seeds = Generator().manual_seed(own.derive("augment"))
        yield Matched(
            classifier,
            classifier.shown(subset.images),
            subset.labels,
            [classifier.shown(part.images) for part in parts],
            params.dsa_strategy,
            torch.randint(2**31, (params.dataset.classes,), generator=seeds).tolist(),
        )
