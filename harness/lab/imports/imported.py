"""A released set once its files are read: its values' scale, its labels, and what is wrong with it.

Sets of optimised images are released as their optimiser left them: scaled by the official code's
mean and standard deviation of each channel, or whitened. Values beyond black and white are kept.
A set that is not what it is said to be is refused, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from harness.errors import UserError, nearest
from harness.lab.data.torch_files import Refused
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


CONTRAST = (0.45, 4.0)
"""Standard deviation of a set's pixels, as a share of that of real images. Whitened CIFAR-100 read
as if scaled has 0.26, unscaled pixels 0.27, scaled images read as if whitened 20."""
OFFSET = 1.5
"""Largest distance of the mean colours, in standard deviations of real pixels."""
SURE = 3.0
"""Standard errors above chance from which a teacher is taken to recognise anything."""


def check_labels(path: Path, given: Imported, dataset: DatasetRef) -> int:
    """Images per class. Raises `Refused` for unknown classes, and for classes of unequal size.

    The size of a class may vary in a list of rows, whose method may choose so, and where labels
    were learned, since an image may have moved to another class; none may be without images.
    """
    size = len(given.labels)
    if given.images is not None and len(given.images) != size:
        raise Refused(path, f"{len(given.images)} images, but {size} labels")
    if size == 0 or given.labels.min() < 0 or given.labels.max() >= dataset.classes:
        raise Refused(path, f"labels from 0 to {dataset.classes - 1} were expected")
    counts = np.bincount(given.labels, minlength=dataset.classes)
    per_class, rest = divmod(size, dataset.classes)
    uneven = counts.min() == 0 if given.soft_labels is not None else counts.min() != counts.max()
    if rest or (uneven and given.indices is None):
        raise Refused(
            path,
            f"class {int(counts.argmin())} has {counts.min()} images, class "
            f"{int(counts.argmax())} has {counts.max()}, of {size}: the set is cut off, or its "
            f"labels are not those of '{dataset.name}'",
        )
    return per_class


def check_values(path: Path, given: Imported, dataset: DatasetRef) -> None:
    """Raise `Refused` for values that are not finite, or are scaled otherwise than is said."""
    if given.images is None:
        return
    for name, array in given.arrays().items():
        if not np.isfinite(array).all():
            raise Refused(path, f"its {name} hold values that are no finite numbers")
    if _fits(given, given.space, dataset):
        return
    contrast, offset = _statistics(given, given.space, dataset)
    others = [space for space in get_args(Space) if _fits(given, space, dataset)]
    advice = f"; read as {' or '.join(others)} they would fit" if others else ""
    raise Refused(
        path,
        f"read as {given.space}, its pixels vary {contrast:.3g} times as much as those of "
        f"'{dataset.name}', and their mean is off by {offset:.3g} standard deviations: the values "
        f"are scaled in another way{advice}",
    )


def _fits(given: Imported, space: Space, dataset: DatasetRef) -> bool:
    contrast, offset = _statistics(given, space, dataset)
    return CONTRAST[0] <= contrast <= CONTRAST[1] and offset <= OFFSET


def _statistics(given: Imported, space: Space, dataset: DatasetRef) -> tuple[float, float]:
    """Standard deviation and distance of the mean, both in standard deviations of real pixels."""
    assert given.images is not None
    stored = given.images.dtype == np.uint8
    unit = 255.0 if stored else 1.0
    pixels = given.images if stored else to_pixels(given.images, space, dataset)
    mean, std = (
        statistic(pixels, axis=(0, 1, 2), dtype=np.float64) / unit
        for statistic in (np.mean, np.std)
    )
    real = np.array(dataset.std)
    return float((std / real).mean()), float(abs((mean - np.array(dataset.mean)) / real).max())


def check_answers(path: Path, labels: np.ndarray, answers: np.ndarray, classes: int) -> float:
    """The share of images that a teacher puts into their class; both int64 (n,).

    Raises `Refused` where the teacher does no better than chance, or would agree with most images
    if only the classes were named in another order. Soft labels would hide either mistake: they are
    the teacher's own.
    """
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (labels, answers), 1)
    agreed = float(np.trace(table) / len(labels))
    best = table[linear_sum_assignment(table, maximize=True)].sum() / len(labels)
    chance = 1 / classes
    error = math.sqrt(chance * (1 - chance) / len(labels))
    found = f"the teacher puts {agreed:.1%} of the images into their class (chance: {chance:.1%})"
    if best > 0.5 and agreed < 0.5 * best:
        raise Refused(
            path,
            f"{found}, and {best:.1%} if the classes come in another order: the order of the "
            "labels is not that of the data set",
        )
    if agreed < chance + SURE * error:
        raise Refused(
            path,
            f"{found}: either the labels are not those of the images, or the images are scaled "
            "otherwise than is said, or the teacher has learned nothing",
        )
    return agreed
