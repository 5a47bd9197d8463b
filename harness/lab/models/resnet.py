"""Residual networks (He et al. 2016) as the codes of the small scale build them.

They differ from torchvision's in the stem, in the norm, and in torch's default initialisation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from harness.lab.recipe import DatasetRef

Norm: TypeAlias = Callable[[int], nn.Module]
Stem: TypeAlias = Callable[[int, int, Norm], list[nn.Module]]
"""The first layers, from the channels of the image, their own channels and the norm."""

Block: TypeAlias = Sequence[tuple[int, int]]
"""The kernel of each convolution of a block, and its channels as a multiple of the stage's."""
BASIC: Block = ((3, 1), (3, 1))
BOTTLENECK: Block = ((1, 1), (3, 1), (1, 4))


def cifar_stem(channels: int, width: int, norm: Norm) -> list[nn.Module]:
    """A 3x3 convolution that keeps the resolution."""
    return [nn.Conv2d(channels, width, 3, padding=1, bias=False), norm(width), nn.ReLU()]


def imagenet_stem(channels: int, width: int, norm: Norm) -> list[nn.Module]:
    """A 7x7 convolution and a max pool that leave a quarter of the side."""
    convolution = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
    return [convolution, norm(width), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)]


class Residual(nn.Module):
    """max(0, body(x) + shortcut(x)) on feature maps (n, channels, side, side)."""

    def __init__(self, block: Block, channels: int, width: int, stride: int, norm: Norm) -> None:
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
    norm: Norm,
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
