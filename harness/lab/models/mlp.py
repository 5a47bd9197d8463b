"""The multi-layer perceptron of DC-Bench."""

from __future__ import annotations

from torch import nn

from harness.lab.recipe import DatasetRef

HIDDEN = 128


def mlp(dataset: DatasetRef) -> nn.Module:
    """Two hidden layers of 128 ReLUs on the flattened image."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(dataset.channels * dataset.resolution**2, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, dataset.classes),
    )
