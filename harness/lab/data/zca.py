"""ZCA whitening, fitted to the pixels of a training split.

MTT whitens some of its sets and DATM all of them. With m the mean and U diag(l) U^T the covariance
(unbiased) of flattened pixels in [0, 1], an image x becomes (x - m) U diag(l + 0.1)^(-1/2) U^T, as
kornia's `ZCAWhitening` with eps 0.1 has it in the official codes. It has an inverse, so that a
whitened set is also a set of pixels, some of them beyond black and white.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from harness.lab.data import sets
from harness.lab.recipe import DatasetRef

EPSILON = 0.1
AT_ONCE = 4096


@dataclass(frozen=True)
class Whitening:
    """The map and its inverse, float64 as fitted, d = channels x height x width."""

    mean: Tensor
    """(d,)."""
    forward: Tensor
    """(d, d), symmetric."""
    back: Tensor
    """(d, d), its inverse."""

    def on(self, device: str, kind: torch.dtype) -> Whitening:
        """The same on a device, in another floating type."""
        return Whitening(*(part.to(device, kind) for part in (self.mean, self.forward, self.back)))

    def whitened(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1], floating (n, c, h, w), whitened in the type that they have."""
        return _mapped(pixels, -self.mean, self.forward, torch.zeros_like(self.mean))

    def pixels(self, whitened: Tensor) -> Tensor:
        """The pixels of whitened images: the inverse of `whitened`."""
        return _mapped(whitened, torch.zeros_like(self.mean), self.back, self.mean)


def _mapped(images: Tensor, before: Tensor, matrix: Tensor, after: Tensor) -> Tensor:
    """(x + before) matrix + after, for flattened images x."""
    before, matrix, after = (
        part.to(images.device, images.dtype) for part in (before, matrix, after)
    )
    return ((images.flatten(1) + before) @ matrix + after).view_as(images)


@lru_cache(maxsize=1)
def whitening(dataset: DatasetRef) -> Whitening:
    """Fitted to the whole training split of a data set."""
    return fitted(sets.load(dataset).train.array)


def fitted(images: np.ndarray) -> Whitening:
    """From uint8 (n, height, width, channels), n at least 2."""
    size = int(np.prod(images.shape[1:]))
    total, products = torch.zeros(size).double(), torch.zeros(size, size).double()
    for start in range(0, len(images), AT_ONCE):
        part = images[start : start + AT_ONCE].transpose(0, 3, 1, 2).reshape(-1, size)
        rows = torch.from_numpy(np.ascontiguousarray(part)).double() / 255
        total += rows.sum(dim=0)
        products += rows.T @ rows
    mean = total / len(images)
    covariance = (products - len(images) * torch.outer(mean, mean)) / (len(images) - 1)
    values, vectors = torch.linalg.eigh(covariance)
    spread = (values.clamp(min=0) + EPSILON).sqrt()
    return Whitening(mean, (vectors / spread) @ vectors.T, (vectors * spread) @ vectors.T)
