"""Conversion between images and the latents that diffusion works on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from harness.errors import EvidenceError
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import cut
from harness.lab.distill.diffusion.pretrained import kind
from harness.lab.recipe import DatasetRef

AT_ONCE = 8
"""Images that pass a generator together."""


def normal(like: Tensor, *generators: Generator) -> Tensor:
    """Standard normal numbers of a tensor's shape, type and device, drawn on the CPU.

    With as many generators as the tensor has rows, each draws its row; a single one draws all.
    """
    rows = like.shape if len(generators) == 1 else like[:1].shape
    drawn = [torch.randn(rows, generator=own, dtype=torch.float64) for own in generators]
    return torch.cat(drawn).to(like)


def square(
    images: Tensor | Ragged, boxes: Tensor, side: int, device: str, precision: str
) -> Tensor:
    """Cut boxes (n, 4) out of uint8 images and resize them: (n, c, side, side) in [0, 1].

    Resized before it is rounded to half precision.
    """
    wide = torch.float64 if precision == "float64" else torch.float32
    return (cut(images, boxes, side, wide) / 255).to(device, kind(precision))


def encoded(autoencoder: Any, pixels: Tensor, drawn: Generator) -> Tensor:
    """Latents (n, 4, h/8, w/8) drawn from the posteriors of images (n, 1 or 3, h, w) in [0, 1].

    Scaled to unit variance, as the diffusion was trained on them.
    """
    shown = 2 * pixels.expand(-1, 3, -1, -1) - 1
    with torch.no_grad():
        posterior = autoencoder.encode(shown).latent_dist
        draw = posterior.mean + posterior.std * normal(posterior.mean, drawn)
    latents: Tensor = draw * autoencoder.config.scaling_factor
    return latents


def decoded(autoencoder: Any, latents: Tensor) -> Tensor:
    """Images (n, 3, h, w) in [0, 1] of scaled latents."""
    with torch.no_grad():
        shown: Tensor = autoencoder.decode(latents / autoencoder.config.scaling_factor).sample
    return ((shown + 1) / 2).clamp(0, 1)


def as_pictures(pixels: np.ndarray, dataset: DatasetRef) -> np.ndarray:
    """Images (n, h, w, 3) in [0, 1] as uint8 at the resolution and channels of the data set.

    Rounded first and resized then, by Pillow's bicubic filter, as D4M does.
    Raises `EvidenceError` if a number is not finite, which would be kept as black.
    """
    if not np.isfinite(pixels).all():
        raise EvidenceError(
            "the generator made numbers that are not finite; give it more precision, or a lower "
            "learning rate where it is tuned"
        )
    size = (dataset.resolution, dataset.resolution)
    mode = "RGB" if dataset.channels == 3 else "L"
    made = [Image.fromarray(np.rint(image * 255).astype(np.uint8)) for image in pixels]
    small = [image.resize(size, Image.Resampling.BICUBIC).convert(mode) for image in made]
    return np.stack([np.asarray(image).reshape(*size, dataset.channels) for image in small])
