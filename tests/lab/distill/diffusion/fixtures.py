"""What the tests of the diffusion methods share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from harness.lab.data.prepared import Split
from harness.lab.data.ragged import Ragged


class Identity:
    """An autoencoder whose latents are the pixels themselves, four times as large."""

    class config:
        scaling_factor = 4.0

    def encode(self, shown: Tensor) -> Any:
        class Posterior:
            mean, std = shown, torch.zeros_like(shown)

        class Answer:
            latent_dist = Posterior

        return Answer


def _many_sizes() -> Split:
    """Colour images of two classes, wide and high, whose edges differ from their middle."""
    drawn = np.random.default_rng(5)
    sizes = np.array([(8, 14), (14, 8), (9, 9), (8, 20), (16, 11), (10, 13)])
    pixels = drawn.integers(0, 256, 3 * int(sizes.prod(axis=1).sum()), dtype=np.uint8)
    return Split(Ragged.packed(pixels, sizes), np.array([0, 0, 0, 1, 1, 1]))


MANY_SIZES = _many_sizes()


def resized(image: Tensor, side: int) -> Tensor:
    """A uint8 image (h, w, 3) by torchvision, in [0, 1]; (3, side, side)."""
    pixels = image.permute(2, 0, 1).double() / 255
    return transforms.resize(pixels, [side, side], antialias=True)
