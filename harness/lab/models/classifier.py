"""A network together with the data and precision it works in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import evaluation_view
from harness.lab.data.zca import Whitening, whitening
from harness.lab.models.networks import build
from harness.lab.models.running import bfloat16_products, can_compile, compiled
from harness.lab.recipe import DatasetRef

SCORED_AT_ONCE = 1024
SCORED_PIXELS = 1 << 22
"""Images scored at once: no more than so many, and no more than have so many pixels."""


@dataclass(frozen=True)
class Classifier:
    """A network with the data set whose pixels it reads, its device and its precision."""

    network: nn.Module
    dataset: DatasetRef
    device: str
    precision: str
    """As in `Recipe`; bfloat16 keeps the weights in float32 and computes under autocast, compiled
    and with the channels of a pixel side by side in memory."""
    zca: bool = False
    """Whether the network reads whitened images where others read normalised ones."""
    long: bool = False
    """Whether it works for so long that compiling pays in any precision."""

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights, and so of logits and losses."""
        return _weight_type(self.precision)

    @property
    def compiles(self) -> bool:
        return self.precision == "bfloat16" or (self.long and can_compile())

    @property
    def at_once(self) -> int:
        """Images that are scored at once."""
        return min(SCORED_AT_ONCE, max(1, SCORED_PIXELS // self.dataset.resolution**2))

    @classmethod
    def fresh(
        cls,
        network: str,
        dataset: DatasetRef,
        device: str,
        precision: str,
        seed: int,
        zca: bool = False,
    ) -> Classifier:
        module = build(network, dataset, seed).to(device, _weight_type(precision))
        if precision == "bfloat16":
            module = module.to(memory_format=torch.channels_last)
        return cls(module, dataset, device, precision, zca)

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
        return images.to(self.dtype) / 255

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1], (n, c, h, w), to mean 0 and standard deviation 1 per channel.

        Whitened instead, if the network reads whitened images.
        """
        if self.zca:
            return self._whitening.whitened(pixels)
        mean, std = self._statistics(self.dataset)
        return (pixels - mean) / std

    def shown(self, images: Tensor | Ragged) -> Tensor:
        """The network's input for uint8 or floating images, un-augmented.

        Floating images are normalised already, by the mean and deviation of the data set; those of
        many sizes are seen in their evaluation view.
        """
        if isinstance(images, Ragged):
            near = images.on(self.device)
            side = self.dataset.resolution
            return self.normalised(evaluation_view(near, side, self.dtype) / 255)
        if images.is_floating_point():
            return self.rescaled(images.to(self.dtype), self.dataset)
        return self.normalised(self.pixels(images))

    def rescaled(self, normalised: Tensor, scale: DatasetRef) -> Tensor:
        """Images that were normalised by the mean and deviation of `scale`, as by `normalised`."""
        ours = (self.dataset.mean, self.dataset.std)
        if not self.zca and (scale.mean, scale.std) == ours:
            return normalised
        mean, std = self._statistics(scale)
        return self.normalised(normalised * std + mean)

    def scaled(self, shown: Tensor) -> Tensor:
        """The network's input views, (n, c, h, w), as normalised images: whitening is undone."""
        if not self.zca:
            return shown
        mean, std = self._statistics(self.dataset)
        return (self._whitening.pixels(shown) - mean) / std

    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised pixels (n, c, h, w) to logits (n, classes) in the type of the weights."""
        if self.compiles:
            normalised = normalised.contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            return self._forward(normalised).to(self.dtype)

    def logits(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1], (n, c, h, w), to logits (n, classes)."""
        return self.answer(self.normalised(pixels))

    @cached_property
    def _forward(self) -> Callable[[Tensor], Tensor]:
        return compiled(self.network) if self.compiles else self.network

    @cached_property
    def _whitening(self) -> Whitening:
        return whitening(self.dataset).on(self.device, self.dtype)

    @torch.no_grad()
    def predict(self, images: Tensor | Ragged) -> Iterator[Tensor]:
        """Logits of images in evaluation mode, un-augmented, a batch at a time, in order."""
        self.network.eval()
        for batch in images.split(self.at_once):
            yield self.answer(self.shown(batch))

    def _statistics(self, scale: DatasetRef) -> tuple[Tensor, ...]:
        return tuple(
            torch.tensor(values, dtype=self.dtype, device=self.device).view(-1, 1, 1)
            for values in (scale.mean, scale.std)
        )

    def _arithmetic(self) -> AbstractContextManager[None]:
        half = self.precision == "bfloat16"
        return bfloat16_products(self.device) if half else nullcontext()


def _weight_type(precision: str) -> torch.dtype:
    return torch.float64 if precision == "float64" else torch.float32
