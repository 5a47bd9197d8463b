"""How a record holds synthetic images: as bytes, class by class, and perhaps after JPEG."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from harness.lab.recipe import DatasetRef


def class_labels(dataset: DatasetRef, per_class: int) -> np.ndarray:
    """Labels int64 (classes x per_class,) of images that are ordered class by class."""
    return np.repeat(np.arange(dataset.classes, dtype=np.int64), per_class)


def as_bytes(normalised: Tensor, dataset: DatasetRef) -> np.ndarray:
    """Normalised images (n, c, h, w) to uint8 (n, h, w, c), rounded and clipped."""
    mean, std = (
        torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)
        for values in (dataset.mean, dataset.std)
    )
    pixels = (normalised.detach().cpu().double() * std + mean) * 255
    return pixels.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def through_jpeg(images: np.ndarray, quality: int) -> np.ndarray:
    """Images uint8 (n, h, w, 1 or 3) written as JPEG and read again; unchanged if quality is 0."""
    if not quality:
        return images
    return np.stack([_once(image, quality) for image in images])


def _once(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(
        file, "JPEG", quality=quality
    )
    with Image.open(file) as picture:
        return np.asarray(picture).reshape(image.shape)
