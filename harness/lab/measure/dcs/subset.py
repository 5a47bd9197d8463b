"""The subset that is measured: reading, ordering and augmenting it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.ragged import Ragged
from harness.lab.recipe import DatasetRef
from harness.lab.train.dsa import Siamese, dsa, groups
from harness.lab.train.loop import Examples, given_examples, scale_of
from harness.plan.step import StepInput


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
