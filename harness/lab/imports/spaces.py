"""How the values of released sets are scaled, and back to pixels.

Sets of optimised images are released as their optimiser left them: scaled by the official code's
mean and standard deviation of each channel, or whitened. Values beyond black and white are kept.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.lab.data.zca import whitening
from harness.lab.imports.imported import Space
from harness.lab.recipe import DatasetRef

MTT: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "cifar100": {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2023, 0.1994, 0.2010)},
    "tiny-imagenet": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
}
"""Data set -> mean and standard deviation in the codes of MTT and DATM
(GeorgeCazenavette/mtt-distillation); for CIFAR-100 they are CIFAR-10's."""


def scale_of(space: Space, dataset: DatasetRef) -> DatasetRef:
    """The data set with the mean and standard deviation that the official code scaled by.

    `mtt-mean-std`: those of MTT's code, where they are not the data set's own.
    """
    stated = MTT.get(dataset.name, {}) if space == "mtt-mean-std" else {}
    return DatasetRef.model_validate(dataset.model_dump() | dict(stated))


def to_pixels(images: np.ndarray, space: Space, dataset: DatasetRef) -> np.ndarray:
    """Floating images (n, height, width, channels) as pixels: 0 is black, 1 is white."""
    if space == "pixels":
        return images
    if space == "zca":
        planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return whitening(dataset).pixels(planes).permute(0, 2, 3, 1).contiguous().numpy()
    scale = scale_of(space, dataset)
    pixels: np.ndarray = images * np.array(scale.std) + np.array(scale.mean)
    return pixels


def scaled(images: np.ndarray, space: Space, dataset: DatasetRef) -> tuple[np.ndarray, DatasetRef]:
    """Images as a student reads them, and what they are scaled by.

    uint8 images, and floating ones that are scaled already, stay as they are; others are scaled by
    the data set's own mean and standard deviation, as float32.
    """
    scale = scale_of(space, dataset)
    if images.dtype == np.uint8 or space in ("mean-std", "mtt-mean-std"):
        return images, scale
    pixels = to_pixels(images, space, dataset)
    normalised = (pixels - np.array(scale.mean)) / np.array(scale.std)
    return normalised.astype(np.float32), scale
