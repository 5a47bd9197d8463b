"""Two backbones in float64, and what their layers saw of the training split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from harness.lab.data import sets
from harness.lab.distill.backbones import methods
from harness.lab.models.networks import build
from harness.lab.probing import DATASET
from harness.plan.step import MemoryInput

TRAIN = sets.load(DATASET).train
BLACK, WHITE = -2.0, 2.0
"""What pixels of the probe's data can be, once they are normalised."""
PLAIN: dict[str, Any] = methods.matching_probe() | {
    "iterations": 1,
    "augmentation": "none",
    "roll": 0,
    "drop_rate": 0.0,
    "ema": 0.0,
}
"""One step, of images as they are, matched by their own statistics."""


@dataclass(frozen=True)
class Known:
    """The backbones, and the inputs that hold them."""

    inputs: dict[str, MemoryInput]
    networks: list[nn.Sequential]
    statistics: list[dict[str, Tensor]]
    classes: list[dict[str, Tensor]]


@pytest.fixture
def known() -> Known:
    inputs = methods.known_backbones()
    records = [inputs[f"statistics.{number}"] for number in range(2)]
    return Known(
        inputs,
        [build(name, DATASET, seed=0).double().eval() for name in methods.NETWORKS],
        [load_file(record.tensors("statistics")) for record in records],
        [load_file(record.tensors("classes")) for record in records],
    )


def normalised(rows: np.ndarray) -> Tensor:
    return (torch.from_numpy(TRAIN.images[rows].transpose(0, 3, 1, 2) / 255) - 0.5) / 0.25


def in_patches(maps: Tensor, side: int) -> list[Tensor]:
    """Patch by patch, (n, c, side, side); maps are enlarged to a multiple of the side."""
    rows, columns = (-(-length // side) * side for length in maps.shape[2:])
    wide = nn.functional.interpolate(maps, size=(rows, columns), mode="bilinear")
    return [
        wide[:, :, top : top + side, left : left + side]
        for top in range(0, rows, side)
        for left in range(0, columns, side)
    ]


def found(network: nn.Sequential, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Without hooks: logits, and `layer/kind/moment` of what enters each layer."""
    maps, seen = images, {}
    for place, layer in enumerate(network):
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            seen[f"{place}/channel/mean"] = maps.mean(dim=(0, 2, 3))
            seen[f"{place}/channel/variance"] = maps.var(dim=(0, 2, 3), unbiased=False)
        if isinstance(layer, nn.Conv2d):
            cut = in_patches(maps, 3)
            seen[f"{place}/patch/mean"] = torch.stack([patch.mean() for patch in cut])
            seen[f"{place}/patch/variance"] = torch.stack([p.var(unbiased=False) for p in cut])
        maps = layer(maps)
    return maps, seen


def targets(known: Known, number: int) -> dict[str, Tensor]:
    """Of the whole training split; those of a BatchNorm layer are its running ones."""
    own = dict(known.statistics[number])
    for place, layer in enumerate(known.networks[number]):
        if isinstance(layer, nn.BatchNorm2d):
            own[f"{place}/channel/mean"] = layer.running_mean
            own[f"{place}/channel/variance"] = layer.running_var
    return own


def distance(seen: dict[str, Tensor], wanted: dict[str, Tensor], first: float) -> Tensor:
    """The layer at place 0 weighs `first`."""
    total = torch.zeros((), dtype=torch.float64)
    for name, values in seen.items():
        weight = first if name.startswith("0/") else 1.0
        total = total + weight * torch.sqrt(((values - wanted[name]) ** 2).sum())
    return total
