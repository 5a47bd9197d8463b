"""Each family computes what an independent implementation of it does, and starts as torch does.

The sizes are those counted on official codes (DC, DC-Bench, RDED) and documented by torchvision.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from harness.lab.models.networks import (
    BASIC,
    BOTTLENECK,
    Block,
    Norm,
    build,
    cifar_stem,
    imagenet_stem,
    instance_norm,
    resnet,
)
from harness.lab.recipe import DatasetRef
from tests.lab.fixtures import DIGITS


def shaped(side: int, classes: int, channels: int = 3) -> DatasetRef:
    fields = {"resolution": side, "classes": classes, "channels": channels}
    return DIGITS.model_copy(update=fields)


CIFAR10, CIFAR100, TINY = shaped(32, 10), shaped(32, 100), shaped(64, 200)
IMAGENET = shaped(224, 1000)


@pytest.mark.parametrize(
    ("network", "dataset", "parameters"),
    [
        ("convnet-d3", CIFAR10, 320_010),
        ("convnet-d3", CIFAR100, 504_420),
        ("convnet-d3", TINY, 1_938_120),
        ("convnet-d4", TINY, 857_160),
        ("convnet-d3-batch", CIFAR100, 504_420),
        ("convnet-d4-batch", TINY, 857_160),
        ("convnet-d3-group", CIFAR100, 504_420),
        # Without the scale and shift of three norms of 128 channels.
        ("convnet-d3-none", CIFAR100, 504_420 - 3 * 2 * 128),
        # With those of every place of 32 x 32, 16 x 16 and 8 x 8 in their stead.
        ("convnet-d3-layer", CIFAR100, 504_420 + 2 * 128 * (32**2 + 16**2 + 8**2 - 3)),
        ("mlp", CIFAR10, 411_146),
        ("mlp", CIFAR100, 422_756),
        ("mlp", TINY, 1_615_304),
        ("resnet18-cifar", CIFAR10, 11_173_962),
        ("resnet18-cifar", CIFAR100, 11_220_132),
        ("resnet18-cifar-batch", CIFAR100, 11_220_132),
        ("resnet18-imagenet-stem", CIFAR10, 11_181_642),
        ("resnet18-imagenet-stem", CIFAR100, 11_227_812),
        ("resnet18-imagenet-stem", TINY, 11_279_112),
        ("resnet152-cifar", CIFAR10, 58_156_618),
        ("resnet152-cifar", CIFAR100, 58_341_028),
        ("resnet152-imagenet-stem", CIFAR10, 58_164_298),
        ("resnet152-imagenet-stem", CIFAR100, 58_348_708),
        ("resnet152-imagenet-stem", TINY, 58_553_608),
        ("resnet18", IMAGENET, 11_689_512),
        ("resnet50", IMAGENET, 25_557_032),
        ("resnet101", IMAGENET, 44_549_160),
        ("resnet152", IMAGENET, 60_192_808),
        ("mobilenet-v2", IMAGENET, 3_504_872),
    ],
)
def test_sizes_are_those_of_the_official_networks(
    network: str, dataset: DatasetRef, parameters: int
) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in build(network, dataset, seed=0).parameters()) == parameters


def pictures(dataset: DatasetRef, count: int = 2) -> Tensor:
    shape = (count, dataset.channels, dataset.resolution, dataset.resolution)
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def stirred(network: nn.Module) -> nn.Module:
    """In float64, with norms that scale and shift."""
    draws = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.double().parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 1.5, generator=draws)
    return network


def theirs(block: type[nn.Module], stem: str, norm: Norm, dataset: DatasetRef) -> nn.Module:
    """torchvision's network of one block a stage, with the stem that the official codes give it."""
    made = ResNet(block, [1, 1, 1, 1], num_classes=dataset.classes, norm_layer=norm)
    if stem == "cifar":
        made.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        made.maxpool = nn.Identity()
    return made.double()


@pytest.mark.parametrize(
    ("block", "its", "stem", "norm", "dataset"),
    [
        (BASIC, BasicBlock, "cifar", instance_norm, CIFAR100),
        (BASIC, BasicBlock, "imagenet", nn.BatchNorm2d, TINY),
        (BOTTLENECK, Bottleneck, "cifar", nn.BatchNorm2d, CIFAR100),
        (BOTTLENECK, Bottleneck, "imagenet", instance_norm, TINY),
    ],
)
def test_residual_networks_answer_as_torchvisions_with_the_same_weights(
    block: Block, its: type[nn.Module], stem: str, norm: Norm, dataset: DatasetRef
) -> None:
    first = {"cifar": cifar_stem, "imagenet": imagenet_stem}[stem]
    ours = stirred(resnet(dataset, block, (1, 1, 1, 1), first, norm))
    other = theirs(its, stem, norm, dataset)
    with torch.no_grad():
        for mine, same in zip(ours.parameters(), other.parameters(), strict=True):
            same.copy_(mine)
        images = pictures(dataset)
        torch.testing.assert_close(ours(images), other(images))


def test_the_mlp_is_two_hidden_layers() -> None:
    network = build("mlp", CIFAR10, seed=0).double()
    w1, b1, w2, b2, w3, b3 = network.parameters()
    images = pictures(CIFAR10)
    hidden = (images.flatten(1) @ w1.T + b1).clamp(min=0)
    hidden = (hidden @ w2.T + b2).clamp(min=0)
    torch.testing.assert_close(network(images), hidden @ w3.T + b3)
    assert (len(b1), len(b2)) == (128, 128)


def normalised(maps: Tensor, groups: int) -> Tensor:
    """Mean 0 and variance 1 over each group of channels and all places, of each image."""
    parts = maps.unflatten(1, (groups, -1))
    mean = parts.mean(dim=(2, 3, 4), keepdim=True)
    variance = ((parts - mean) ** 2).mean(dim=(2, 3, 4), keepdim=True)
    return ((parts - mean) / (variance + 1e-5).sqrt()).flatten(1, 2)


@pytest.mark.parametrize(("name", "groups"), [("layer", 1), ("group", 4), ("none", 0)])
def test_a_convnet_is_blocks_of_convolution_norm_relu_and_pool(name: str, groups: int) -> None:
    network = stirred(build(f"convnet-d3-{name}", CIFAR10, seed=0))
    own = list(network.parameters())
    images = maps = pictures(CIFAR10)
    while len(own) > 2:
        maps = functional.conv2d(maps, own.pop(0), own.pop(0), padding=1)
        if groups:
            scale, shift = own.pop(0), own.pop(0)
            if name == "group":
                scale, shift = scale[:, None, None], shift[:, None, None]
            maps = normalised(maps, groups) * scale + shift
        maps = functional.avg_pool2d(maps.clamp(min=0), 2)
    torch.testing.assert_close(network(images), maps.flatten(1) @ own[0].T + own[1])


@pytest.mark.parametrize("network", ["resnet18-cifar", "resnet152-digits", "mlp", "convnet-d3"])
def test_weights_start_as_torch_starts_them(network: str) -> None:
    """Uniform within one over the root of the fan-in; torchvision's networks start otherwise."""
    dataset = shaped(8, 10, channels=1) if "digits" in network else CIFAR10
    for module in build(network, dataset, seed=0).modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            bound = 1 / math.sqrt(module.weight[0].numel())
            largest = module.weight.abs().max().item()
            assert 0.8 * bound < largest <= bound
            spread = module.weight.std().item()
            assert spread == pytest.approx(bound / math.sqrt(3), rel=0.25)


def test_stand_ins_for_digits_have_the_shape_of_their_originals() -> None:
    dataset = shaped(8, 10, channels=1)
    for name, kernels in (("resnet18-digits", [3, 3]), ("resnet152-digits", [1, 3, 1])):
        network = build(name, dataset, seed=0).double()
        bodies = [module.body for module in network.modules() if hasattr(module, "body")]
        found = [[c.kernel_size[0] for c in b if isinstance(c, nn.Conv2d)] for b in bodies]
        assert found == [kernels, kernels]
        assert network(pictures(dataset)).shape == (2, 10)
