"""Networks by name, and a network together with the data and precision it works in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from harness.errors import UserError, nearest
from harness.lab.compiling import compiled
from harness.lab.recipe import DatasetRef

SCORED_AT_ONCE = 1024


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


@dataclass(frozen=True)
class Classifier:
    """A network with the data set whose pixels it reads, its device and its precision."""

    network: nn.Module
    dataset: DatasetRef
    device: str
    precision: str
    """As in `Recipe`; bfloat16 keeps the weights in float32 and computes under autocast, compiled
    and with the channels of a pixel side by side in memory."""

    @classmethod
    def fresh(
        cls, network: str, dataset: DatasetRef, device: str, precision: str, seed: int
    ) -> Classifier:
        module = build(network, dataset, seed).to(device, _weight_type(precision))
        if precision == "bfloat16":
            module = module.to(memory_format=torch.channels_last)
        return cls(module, dataset, device, precision)

    @classmethod
    def stored(
        cls, network: str, dataset: DatasetRef, device: str, weights: Path, precision: str = ""
    ) -> Classifier:
        """From a safetensors file; works in the precision of the weights if none is given."""
        from safetensors.torch import load_file

        state = load_file(weights)
        wide = any(tensor.dtype == torch.float64 for tensor in state.values())
        chosen = precision or ("float64" if wide else "float32")
        made = cls.fresh(network, dataset, device, chosen, seed=0)
        made.network.load_state_dict(state)
        return made

    def pixels(self, images: Tensor) -> Tensor:
        """uint8 (n, c, h, w) to [0, 1], in the type of the weights."""
        return images.to(_weight_type(self.precision)) / 255

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1], (n, c, h, w), to mean 0 and standard deviation 1 per channel."""
        kind = _weight_type(self.precision)
        mean, std = (
            torch.tensor(values, dtype=kind, device=self.device).view(-1, 1, 1)
            for values in (self.dataset.mean, self.dataset.std)
        )
        return (pixels - mean) / std

    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised pixels (n, c, h, w) to logits (n, classes) in the type of the weights."""
        if self.precision == "bfloat16":
            normalised = normalised.contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            return self._forward(normalised).to(_weight_type(self.precision))

    def logits(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1], (n, c, h, w), to logits (n, classes)."""
        return self.answer(self.normalised(pixels))

    @cached_property
    def _forward(self) -> Callable[[Tensor], Tensor]:
        return compiled(self.network) if self.precision == "bfloat16" else self.network

    @torch.no_grad()
    def predict(self, images: Tensor) -> Iterator[Tensor]:
        """Logits of uint8 images in evaluation mode, un-augmented, a batch at a time, in order."""
        self.network.eval()
        for batch in images.split(SCORED_AT_ONCE):
            yield self.logits(self.pixels(batch))

    def _arithmetic(self) -> AbstractContextManager[None]:
        kind = self.device.partition(":")[0]
        return torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bfloat16")


def _weight_type(precision: str) -> torch.dtype:
    return torch.float64 if precision == "float64" else torch.float32
