"""Networks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from harness.errors import UserError, nearest
from harness.lab.recipe import DatasetRef


def convnet(
    dataset: DatasetRef, width: int, depth: int, norm: Callable[[int], nn.Module]
) -> nn.Module:
    """Blocks of 3x3 convolution, norm, ReLU and 2x2 average pool, then one linear layer."""
    layers: list[nn.Module] = []
    channels, side = dataset.channels, dataset.resolution
    for _ in range(depth):
        layers += [
            nn.Conv2d(channels, width, kernel_size=3, padding=1),
            norm(width),
            nn.ReLU(),
            nn.AvgPool2d(2),
        ]
        channels, side = width, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, dataset.classes))


def instance_norm(channels: int) -> nn.Module:
    """One group a channel, with scale and shift, as the codes of the small scale have it."""
    return nn.GroupNorm(channels, channels)


def _resnet18(dataset: DatasetRef) -> nn.Module:
    from torchvision.models import resnet18

    return resnet18(weights=None, num_classes=dataset.classes)


NETWORKS: Mapping[str, Callable[[DatasetRef], nn.Module]] = {
    "convnet-digits": lambda dataset: convnet(dataset, 32, 2, nn.BatchNorm2d),
    "convnet-d3": lambda dataset: convnet(dataset, 128, 3, instance_norm),
    "convnet-d4": lambda dataset: convnet(dataset, 128, 4, instance_norm),
    "resnet18": _resnet18,
}


def build(network: str, dataset: DatasetRef, seed: int) -> nn.Module:
    """A freshly initialised network; the global generator is left as it was.

    Raises `UserError` for an unknown name.
    """
    if network not in NETWORKS:
        raise UserError(f"unknown network '{network}'; {nearest(network, NETWORKS)}")
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would also reseed the generators of the GPUs.
        torch.default_generator.manual_seed(seed)
        return NETWORKS[network](dataset)


def published_weights(network: str, weights: str, dataset: DatasetRef) -> Mapping[str, Tensor]:
    """The state that torchvision publishes for `network` under the name `weights`.

    Raises `UserError` for an unknown name, or if its classes are not as many as the data set's.
    """
    from torchvision.models import get_model_weights

    if network not in NETWORKS or network.startswith("convnet"):
        raise UserError(f"torchvision publishes no weights for network '{network}'")
    known = get_model_weights(network)
    if weights not in known.__members__:
        raise UserError(
            f"network '{network}' has no weights '{weights}'; {nearest(weights, known.__members__)}"
        )
    chosen = known[weights]
    if (classes := len(chosen.meta["categories"])) != dataset.classes:
        raise UserError(
            f"weights '{weights}' of '{network}' tell {classes} classes apart, but data set "
            f"'{dataset.name}' has {dataset.classes}; leave `pretrained` empty to train a teacher"
        )
    return chosen.get_state_dict(progress=False, check_hash=True)
