"""Whether a released set is what it is said to be. What is wrong is refused, with the reason."""

from __future__ import annotations

import math
from pathlib import Path
from typing import get_args

import numpy as np
from scipy.optimize import linear_sum_assignment

from harness.lab.data.refused import Refused
from harness.lab.imports.imported import Imported, Space, to_pixels
from harness.lab.recipe import DatasetRef

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
