"""The subset that is measured: reading, ordering and augmenting it, and what its losses are of.

These are its statistics in a teacher's BatchNorm layers, batch by batch or as a whole; its images
beside real ones, class by class, in one random network after another (DM, DC); and how far steps on
it lead along the trajectories of experts (TM, DATM).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.ragged import Ragged
from harness.lab.distill import losses
from harness.lab.distill.experts import Trajectories
from harness.lab.distill.losses import tm_loss, unrolled
from harness.lab.distill.recovery import InputSums, Moments, input_sums
from harness.lab.distill.synthesis import some_seed, step_down
from harness.lab.measure.dcs.losses import (
    BnLossParams,
    DcLossParams,
    RandomNetworksParams,
    TmLossParams,
)
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import crop_and_mirror
from harness.lab.train.dsa import Independent, Siamese, dsa, groups
from harness.lab.train.loop import Examples, given_examples, random_batches, scale_of
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput


def given_subset(
    given: StepInput, dataset: DatasetRef, per_class: int, device: str, step: str
) -> Examples:
    """The images of an input: uint8, or floating and normalised as the data set's.

    Raises `UserError` unless they are `per_class` of every class.
    """
    examples = given_examples(given, sets.load(dataset).train, device)
    sizes = np.bincount(examples.labels.cpu().numpy(), minlength=dataset.classes)
    if not (sizes == per_class).all():
        raise UserError(
            f"{step}: {per_class} images of each of {dataset.classes} classes were declared, but "
            f"the input holds {sizes.min()} to {sizes.max()} of {len(sizes)}; "
            "declare as many as the selection makes, and select with balanced = true"
        )
    images = examples.images
    if isinstance(images, Ragged) or not images.is_floating_point():
        return examples
    return Examples(in_own_scale(images, scale_of(given, dataset), dataset), examples.labels)


def in_own_scale(images: Tensor, scale: DatasetRef, dataset: DatasetRef) -> Tensor:
    """Floating images that were normalised as those of `scale`, normalised as the data set's."""
    if (scale.mean, scale.std) == (dataset.mean, dataset.std):
        return images
    mean, std, own_mean, own_std = (
        torch.tensor(values, dtype=images.dtype, device=images.device).view(-1, 1, 1)
        for values in (scale.mean, scale.std, dataset.mean, dataset.std)
    )
    return (images * std + mean - own_mean) / own_std


def in_turn(labels: Tensor) -> Tensor:
    """Rows (n,) so that one image of every class comes after another, the classes in order."""
    by_class = class_by_class(labels)
    own = labels[by_class]
    first = torch.searchsorted(own, own)
    rank = torch.arange(len(labels), device=labels.device) - first
    return by_class[rank.argsort(stable=True)]


def class_by_class(labels: Tensor) -> Tensor:
    """Rows (n,), sorted by class, in the given order within each."""
    return labels.argsort(stable=True)


def real_rows(dataset: DatasetRef, count: int, generator: Generator) -> list[Tensor]:
    """`count` random rows of each class of the training split, or all if it has fewer, or if 0."""
    labels = torch.from_numpy(np.asarray(sets.load(dataset).train.labels))
    shuffled = torch.randperm(len(labels), generator=generator)
    own = [shuffled[labels[shuffled] == label] for label in range(dataset.classes)]
    return [rows[: count or len(rows)] for rows in own]


def views(images: Tensor, strategy: str, flip: bool, seed: int) -> Tensor:
    """Normalised images under DSA's operation of this seed, the same for all; or as they are."""
    if not strategy:
        return images
    return dsa(images, groups(strategy, flip), "one", Siamese(seed))


def batches(subset: Examples, params: BnLossParams) -> Iterator[Examples]:
    """The subset in batches, or whole; the last one may be smaller."""
    order = in_turn if params.batches == "class-mixed" else class_by_class
    size = len(subset) if params.aggregation == "whole" else params.batch_size
    for rows in order(subset.labels).split(size):
        yield Examples(subset.images[rows], subset.labels[rows])


@torch.no_grad()
def observed(
    teacher: Classifier,
    layers: list[BatchNorm],
    batch: Examples,
    params: BnLossParams,
    drawn: Generator,
) -> tuple[list[InputSums], float]:
    """The sums of each layer, and the summed cross-entropy, over one batch of any size."""
    teacher.network.eval()
    loss = 0.0
    with input_sums(layers, torch.float64) as sums:
        for rows in torch.arange(len(batch)).split(SCORED_AT_ONCE):
            logits = teacher.answer(views_of(teacher, batch.images[rows], params, drawn))
            loss += functional.cross_entropy(logits, batch.labels[rows], reduction="sum").item()
    return [sums[place] for place in range(len(layers))], loss


def views_of(
    teacher: Classifier, images: Tensor | Ragged, params: BnLossParams, drawn: Generator
) -> Tensor:
    """Normalised images, or a random view of each."""
    normalised = teacher.shown(images)
    if params.augmentation == "none":
        return normalised
    return crop_and_mirror(normalised, params.crop_scale, params.dataset.flip, drawn)


def aggregated(
    sizes: list[int], sums: list[list[InputSums]], params: BnLossParams
) -> list[tuple[float, Moments]]:
    """Statistics whose losses are added, and the share of each."""
    moments = [[layer.moments(params.variance) for layer in batch] for batch in sums]
    if params.aggregation != "running":
        return [(size / sum(sizes), own) for size, own in zip(sizes, moments, strict=True)]
    running = moments[0]
    for new in moments[1:]:
        running = [
            (torch.lerp(mean, m, params.momentum), torch.lerp(variance, v, params.momentum))
            for (mean, variance), (m, v) in zip(running, new, strict=True)
        ]
    return [(1.0, running)]


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
