"""How a record holds synthetic images: as bytes, class by class, and perhaps after JPEG."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.lab.recipe import DatasetRef


def class_labels(dataset: DatasetRef, per_class: int) -> np.ndarray:
    """Labels int64 (classes x per_class,) of images that are ordered class by class."""
    return np.repeat(np.arange(dataset.classes, dtype=np.int64), per_class)


def as_bytes(normalised: Tensor, dataset: DatasetRef, rounding: str = "nearest") -> np.ndarray:
    """Normalised images (n, c, h, w) to uint8 (n, h, w, c), rounded and clipped."""
    mean, std = (
        torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)
        for values in (dataset.mean, dataset.std)
    )
    pixels = (normalised.detach().cpu().double() * std + mean) * 255
    return rounded(pixels, rounding).permute(0, 2, 3, 1).contiguous().numpy()


def rounded(pixels: Tensor, rounding: str) -> Tensor:
    """Pixels in [0, 255] as bytes, `nearest` or `down`; what lies outside is clipped."""
    whole = pixels.floor() if rounding == "down" else pixels.round()
    return whole.clamp(0, 255).byte()
