"""The ConvNet of the small scale (Gidaris and Komodakis 2018): DC, DM, TM and DC-Bench use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from torch import nn

from harness.lab.recipe import DatasetRef

Norm: TypeAlias = Callable[[int, int], nn.Module]
"""A norm of feature maps, from their channels and the side of one, in pixels."""

NORMS: Mapping[str, Norm] = {
    "none": lambda channels, side: nn.Identity(),
    "batch": lambda channels, side: nn.BatchNorm2d(channels),
    # One group a channel, with scale and shift; torch's own instance norm has neither.
    "instance": lambda channels, side: nn.GroupNorm(channels, channels),
    # Scale and shift of their own for every place of every channel.
    "layer": lambda channels, side: nn.LayerNorm([channels, side, side]),
    "group": lambda channels, side: nn.GroupNorm(4, channels),
}
"""The norms of VICO-UoE/DatasetCondensation, by its names."""


def convnet(dataset: DatasetRef, width: int, depth: int, norm: Norm) -> nn.Module:
    """Blocks of 3x3 convolution, norm, ReLU and 2x2 average pool, then one linear layer."""
    layers: list[nn.Module] = []
    channels, side = dataset.channels, dataset.resolution
    for _ in range(depth):
        layers += [
            nn.Conv2d(channels, width, kernel_size=3, padding=1),
            norm(width, side),
            nn.ReLU(),
            nn.AvgPool2d(2),
        ]
        channels, side = width, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, dataset.classes))
