"""A released set once its files are read, whatever their layout: its values' scale, its labels.

Sets of optimised images are released as their optimiser left them: scaled by the official code's
mean and standard deviation of each channel, or whitened. Values beyond black and white are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch

from harness.errors import UserError, nearest
from harness.lab.data.refused import Refused
from harness.lab.data.zca import whitening
from harness.lab.recipe import DatasetRef

Space: TypeAlias = Literal["pixels", "mean-std", "mtt-mean-std", "zca"]
"""How stored values are scaled; see `harness.lab.imports.imported`."""


@dataclass(frozen=True)
class Imported:
    """A released set, of images or of rows of the training split."""

    labels: np.ndarray
    """int64 (n,), classes from 0."""
    images: np.ndarray | None = None
    """uint8, or float32 as stored, (n, height, width, channels)."""
    indices: np.ndarray | None = None
    """int64 (n,), where there are no images."""
    soft_labels: np.ndarray | None = None
    """float32 (n, classes): learned logits, whose largest is the label."""
    learning_rate: float | None = None
    """Learned with the images."""
    space: Space = "pixels"
    notes: tuple[str, ...] = ()
    """Remarks on these files for a reader of the results."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array that is there, by its name."""
        named = {
            "images": self.images,
            "indices": self.indices,
            "labels": self.labels,
            "soft_labels": self.soft_labels,
        }
        return {name: array for name, array in named.items() if array is not None}


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


SoftLabels: TypeAlias = Literal["logits", "probabilities"]
FLOOR = 1e-6
"""The least probability that a logarithm is taken of."""
_ROUNDED = 0.01
"""How far a row of probabilities may be from one in sum, where they were kept in half precision."""


def as_logits(path: Path, given: Imported, said: str | None) -> Imported:
    """The set with logits for soft labels, which are what students read.

    Args:
        said: what the soft labels are, of `SoftLabels`; None where nobody says so.

    Raises:
        Refused: they look like probabilities and nobody says what they are, or it is said that
            they are probabilities and they cannot be.
        UserError: there is no such kind.
    """
    kinds = get_args(SoftLabels)
    if said is not None and said not in kinds:
        raise UserError(f"unknown kind of soft labels '{said}'; {nearest(said, kinds)}")
    soft = given.soft_labels
    if soft is None:
        if said is not None:
            raise Refused(path, f"it has no soft labels, so none can be {said}")
        return given
    found = _looks_like(soft)
    if said is None and found:
        raise Refused(path, _mistaken(soft, found))
    if said != "probabilities":
        return given
    if not found:
        raise Refused(path, "its soft labels are no probabilities: each row would sum to 1")
    note = f"soft labels were {found}; kept are their logarithms, of none below {FLOOR:g}"
    logits = np.log(np.maximum(soft, np.float32(FLOOR)))
    return replace(given, soft_labels=logits, notes=(*given.notes, note))


def _looks_like(soft: np.ndarray) -> str:
    """`one-hot` or `probabilities` where every row is a distribution; else nothing."""
    sums = soft.sum(axis=1, dtype=np.float64)
    inside = ((soft >= 0) & (soft <= 1)).all()
    if not len(soft) or not inside or np.abs(sums - 1).max() > _ROUNDED:
        return ""
    return "one-hot" if np.isin(soft, (0, 1)).all() else "probabilities"


def _mistaken(soft: np.ndarray, found: str) -> str:
    """Why probabilities are no logits, in figures of this set."""
    raised = np.exp(soft, dtype=np.float64)
    read = float((raised.max(axis=1) / raised.sum(axis=1)).mean())
    stated = float(soft.max(axis=1).mean())
    return (
        f"its soft labels are {found}: all from 0 to 1, and 1 in sum for each image. Logits are "
        f"expected; read as such, they would give the likeliest class {read:.1%}, where they say "
        f"{stated:.1%}. Say `--soft-labels probabilities` to have their logarithms kept (of none "
        f"below {FLOOR:g}), or `--soft-labels logits` if that is what they are"
    )
