"""Networks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional

from harness.errors import UserError, nearest
from harness.lab.models.drawing import drawing_from
from harness.lab.models.small_scale import (
    BASIC,
    BOTTLENECK,
    NORMS,
    cifar_stem,
    convnet,
    imagenet_stem,
    mlp,
    resnet,
)
from harness.lab.recipe import DatasetRef

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
    if network not in NETWORKS:
        raise UserError(f"unknown network '{network}'; {nearest(network, NETWORKS)}")
    with drawing_from(seed, "cpu"):
        return NETWORKS[network](dataset)
