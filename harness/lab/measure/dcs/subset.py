"""The subset that is measured."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.recipe import DatasetRef
from harness.lab.train.loop import Examples, given_examples
from harness.plan.step import StepInput


def given_subset(
    given: StepInput, dataset: DatasetRef, per_class: int, device: str, step: str
) -> Examples:
    """The images of an input, as a student takes them.

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
    return examples


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
