"""Data sets as plain arrays, known by a fingerprint of their pixels and labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from harness.errors import EvidenceError
from harness.lab.data import prepared
from harness.lab.data.prepared import Dataset, Split, fingerprint
from harness.lab.recipe import DatasetRef


def load(ref: DatasetRef) -> Dataset:
    """The data set that `ref` names, checked against its fingerprint.

    Bundled sets are built, all others read in their prepared form. Raises `EvidenceError` if it is
    not there, or the data differ from `ref`.
    """
    dataset, found = _loaded(ref.name)
    if found != ref.fingerprint:
        raise EvidenceError(
            f"data set '{ref.name}' is not the one of its spec: its fingerprint is {found}, "
            f"expected {ref.fingerprint or '(none given)'}; restore the data, or correct the spec"
        )
    side, channels = ref.resolution, ref.channels
    for split, size in ((dataset.train, ref.train_size), (dataset.test, ref.test_size)):
        said = (size, ref.short_side) if ref.short_side else (size, side, side, channels)
        if _shape(split) != said or split.labels.max() >= ref.classes:
            raise EvidenceError(
                f"data set '{ref.name}' has images {_shape(split)} and {split.labels.max() + 1} "
                f"classes; its spec says {said} and {ref.classes}: correct the spec"
            )
    return dataset


def _shape(split: Split) -> tuple[int, ...]:
    """Shape of an array of images; number and shorter side where images have many sizes."""
    if isinstance(split.images, np.ndarray):
        return split.images.shape
    return len(split.images), int(split.images.sizes.min())


@cache
def _loaded(name: str) -> tuple[Dataset, str]:
    dataset = BUNDLED[name]() if name in BUNDLED else prepared.read(name)
    return dataset, fingerprint(dataset)


def _digits() -> Dataset:
    """scikit-learn's 1,797 grey 8x8 digits (values 0..16), stratified into 1,347 and 450."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
    parts = train_test_split(np.arange(len(labels)), test_size=450, stratify=labels, random_state=0)
    train, test = (Split(images[rows], labels[rows]) for rows in map(np.sort, parts))
    return Dataset(train, test)


def _probe() -> Dataset:
    """A fixed formula: 24 + 8 grey 8x8 images of 4 classes, stripes that differ in direction."""
    row, column = np.indices((8, 8))
    waves = (row, column, row + column, row - column)

    def split(start: int, size: int) -> Split:
        labels = np.arange(size, dtype=np.int64) % 4
        phases = start + np.arange(size) * 0.7
        values = [
            127.5 + 90 * np.sin(1.1 * waves[label] + phase) + 30 * np.cos(row * column + phase)
            for label, phase in zip(labels, phases, strict=True)
        ]
        return Split(np.rint(values).astype(np.uint8)[..., None], labels)

    return Dataset(split(0, 24), split(100, 8))


BUNDLED: dict[str, Callable[[], Dataset]] = {"digits": _digits, "probe": _probe}
