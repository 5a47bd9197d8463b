"""Networks of the small scale: DC-Bench's perceptron, the ConvNet, and residual networks.

The ConvNet (Gidaris and Komodakis 2018) is that of DC, DM, TM and DC-Bench; residual networks (He
et al. 2016) are as the codes of the small scale build them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

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


ChannelNorm: TypeAlias = Callable[[int], nn.Module]
Stem: TypeAlias = Callable[[int, int, ChannelNorm], list[nn.Module]]
"""The first layers, from the channels of the image, their own channels and the norm."""

Block: TypeAlias = Sequence[tuple[int, int]]
"""The kernel of each convolution of a block, and its channels as a multiple of the stage's."""
BASIC: Block = ((3, 1), (3, 1))
BOTTLENECK: Block = ((1, 1), (3, 1), (1, 4))


def cifar_stem(channels: int, width: int, norm: ChannelNorm) -> list[nn.Module]:
    """A 3x3 convolution that keeps the resolution."""
    return [nn.Conv2d(channels, width, 3, padding=1, bias=False), norm(width), nn.ReLU()]


def imagenet_stem(channels: int, width: int, norm: ChannelNorm) -> list[nn.Module]:
    """A 7x7 convolution and a max pool that leave a quarter of the side."""
    convolution = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
    return [convolution, norm(width), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)]


class Residual(nn.Module):
    """max(0, body(x) + shortcut(x)) on feature maps (n, channels, side, side)."""

    def __init__(
        self, block: Block, channels: int, width: int, stride: int, norm: ChannelNorm
    ) -> None:
        """A stride is taken by the first 3x3 convolution, and by the shortcut."""
        super().__init__()
        strided = next(index for index, (kernel, _) in enumerate(block) if kernel == 3)
        layers: list[nn.Module] = []
        before = channels
        for index, (kernel, multiple) in enumerate(block):
            after = multiple * width
            step = stride if index == strided else 1
            layers += [
                nn.Conv2d(before, after, kernel, step, padding=kernel // 2, bias=False),
                norm(after),
                nn.ReLU(),
            ]
            before = after
        self.body = nn.Sequential(*layers[:-1])
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != before:
            widened = nn.Conv2d(channels, before, 1, stride, bias=False)
            self.shortcut = nn.Sequential(widened, norm(before))

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.body(maps) + self.shortcut(maps))


def resnet(
    dataset: DatasetRef,
    block: Block,
    counts: Sequence[int],
    stem: Stem,
    norm: ChannelNorm,
    width: int = 64,
) -> nn.Module:
    """A stem, stages of residual blocks, the mean over places, and one linear layer.

    Stage i has `counts[i]` blocks of `width` * 2^i channels; every stage but the first halves the
    side.
    """
    layers = stem(dataset.channels, width, norm)
    channels = width
    for stage, count in enumerate(counts):
        inner = width * 2**stage
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            layers.append(Residual(block, channels, inner, stride, norm))
            channels = inner * block[-1][1]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, dataset.classes)]
    return nn.Sequential(*layers, *head)
