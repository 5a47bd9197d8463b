"""Networks by name, and those of the small scale.

The ConvNet (Gidaris and Komodakis 2018) is that of DC, DM, TM and DC-Bench, as is the perceptron;
residual networks (He et al. 2016) are as the codes of the small scale build them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.errors import require
from harness.lab.models.running import drawing_from
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


Builder: TypeAlias = Callable[[DatasetRef], nn.Module]


def instance_norm(channels: int) -> nn.Module:
    """One group a channel, with scale and shift, as the codes of the small scale have it."""
    return nn.GroupNorm(channels, channels)


def _torchvision(dataset: DatasetRef, name: str) -> nn.Module:
    from torchvision.models import get_model

    network: nn.Module = get_model(name, weights=None, num_classes=dataset.classes)
    return network


def _timm(dataset: DatasetRef, name: str) -> nn.Module:
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=dataset.classes)
    return network


class Shrunk(nn.Module):
    """Images (n, c, h, w) resized to `side`, bilinear and antialiased."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        size = (self.side, self.side)
        return functional.interpolate(images, size, mode="bilinear", antialias=True)


def _at_side(dataset: DatasetRef, name: str, side: int) -> nn.Module:
    """torchvision's network on smaller images than the data set's."""
    return nn.Sequential(Shrunk(side), _torchvision(dataset, name))


TORCHVISION: Mapping[str, str] = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "resnet152": "resnet152",
    "mobilenet-v2": "mobilenet_v2",
    "efficientnet-b0": "efficientnet_b0",
    "shufflenet-v2-x0-5": "shufflenet_v2_x0_5",
    "alexnet": "alexnet",
}
"""Networks that are torchvision's, and its names for them."""

TIMM: Mapping[str, str] = {"resnet18-timm": "resnet18"}
"""Networks that are timm's, and its names for them; their weights are named as torchvision's."""

_RESNET18 = partial(resnet, block=BASIC, counts=(2, 2, 2, 2))
_RESNET152 = partial(resnet, block=BOTTLENECK, counts=(3, 8, 36, 3))

NETWORKS: Mapping[str, Builder] = {
    "convnet-digits": partial(convnet, width=32, depth=2, norm=NORMS["batch"]),
    "convnet-digits-instance": partial(convnet, width=32, depth=2, norm=NORMS["instance"]),
    "convnet-digits-none": partial(convnet, width=32, depth=2, norm=NORMS["none"]),
    "convnet-d3": partial(convnet, width=128, depth=3, norm=NORMS["instance"]),
    "convnet-d4": partial(convnet, width=128, depth=4, norm=NORMS["instance"]),
    # Every norm of the official codes, by name: convnet-d3-batch and so on.
    **{
        f"convnet-d{depth}-{name}": partial(convnet, width=128, depth=depth, norm=norm)
        for depth in (3, 4)
        for name, norm in NORMS.items()
        if name != "instance"
    },
    "mlp": mlp,
    "resnet18-cifar": partial(_RESNET18, stem=cifar_stem, norm=instance_norm),
    "resnet18-cifar-batch": partial(_RESNET18, stem=cifar_stem, norm=nn.BatchNorm2d),
    "resnet18-imagenet-stem": partial(_RESNET18, stem=imagenet_stem, norm=instance_norm),
    "resnet152-cifar": partial(_RESNET152, stem=cifar_stem, norm=instance_norm),
    "resnet152-imagenet-stem": partial(_RESNET152, stem=imagenet_stem, norm=instance_norm),
    # For 8-pixel images: two stages of one block, on the CIFAR stem.
    "resnet18-digits": partial(
        resnet, block=BASIC, counts=(1, 1), stem=cifar_stem, norm=instance_norm, width=16
    ),
    "resnet152-digits": partial(
        resnet, block=BOTTLENECK, counts=(1, 1), stem=cifar_stem, norm=instance_norm, width=8
    ),
    **{name: partial(_torchvision, name=theirs) for name, theirs in TORCHVISION.items()},
    **{name: partial(_timm, name=theirs) for name, theirs in TIMM.items()},
    # For stand-ins of the large scale on a CPU.
    **{
        f"{name}-96px": partial(_at_side, name=TORCHVISION[name], side=96)
        for name in ("resnet50", "resnet101")
    },
}


def build(network: str, dataset: DatasetRef, seed: int) -> nn.Module:
    """A freshly initialised network; the global generator is left as it was.

    Raises `UserError` for an unknown name.
    """
    require(network, NETWORKS, f"unknown network '{network}'")
    with drawing_from(seed, "cpu"):
        return NETWORKS[network](dataset)
