"""Parameters that several selections and scores share."""

from __future__ import annotations

from pydantic import model_validator

from harness.lab.recipe import Count, DatasetRef, NetworkParams, passes
from harness.plan.step import (
    Facts,
    StepParams,
    Work,
)


class TaughtParams(NetworkParams):
    """Parameters of every step that asks a teacher about all training examples.

    The network is the teacher's; its answers and features are used.
    """


class SelectParams(StepParams):
    """Parameters of every selection; no class can give more images than it has."""

    dataset: DatasetRef
    per_class: Count

    @model_validator(mode="after")
    def _enough_images(self) -> SelectParams:
        if self.per_class > self.dataset.smallest_class:
            raise ValueError(
                f"{self.per_class} images per class are asked for, but the smallest class of "
                f"'{self.dataset.name}' has {self.dataset.smallest_class}; ask for fewer"
            )
        return self


class TaughtSelectParams(SelectParams, TaughtParams):
    """Parameters of a selection by a teacher's features or answers."""


def taught_work(p: TaughtParams, facts: Facts) -> Work:
    """One forward pass of every training example through the teacher."""
    return passes(facts, p.network, p.dataset, 0, p.dataset.train_size)
