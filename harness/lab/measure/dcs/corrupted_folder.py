"""Corrupted pictures as ImageNet-C and its relatives are published.

`<root>/<corruption>/<severity>/<wnid>/*.JPEG`, with severities from 1 to 5; classes may be some of
those that a network was trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import EvidenceError
from harness.lab.data.image_tree import by_class
from harness.lab.data.pictures import UNREADABLE, centred

READ_AT_ONCE = 256


@dataclass(frozen=True)
class CorruptedFolder:
    """The pictures of one corruption at one severity, class by class."""

    corruption: str
    severity: int
    paths: list[Path]
    labels: np.ndarray
    """int64 (n,), classes of the training set."""

    def batches(self, side: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pictures uint8 (b, side, side, 3) and their labels, some at a time, in order.

        Raises `EvidenceError` for a file that is no picture.
        """
        for start in range(0, len(self.paths), READ_AT_ONCE):
            part = slice(start, start + READ_AT_ONCE)
            images = [_read(path, side) for path in self.paths[part]]
            yield np.stack(images), self.labels[part]


def corrupted_folders(root: Path, classes: Mapping[str, int], wanted: str) -> list[CorruptedFolder]:
    """Everything below `root`, by corruption and severity; `classes` are numbers of wnids.

    Raises `EvidenceError` if nothing is there, if a class is not one of the training set, or if the
    fingerprint of the files, SHA-256 over the names and SHA-256 of each, is not the one wanted.
    """
    places = sorted(path for path in root.glob("*/[1-5]") if path.is_dir())
    if not places:
        raise EvidenceError(
            f"{root}: no corrupted pictures are there; put folders <corruption>/<severity>/<wnid> "
            "there, or leave their fingerprint empty to have the test split corrupted here"
        )
    digest, found = hashlib.sha256(), []
    for place in places:
        listing = by_class(place)
        unknown = sorted(set(listing.wnids) - set(classes))
        if unknown or not listing.paths:
            raise EvidenceError(f"{place}: {unknown[:3]} are no classes of the training set")
        for path in listing.paths:
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode("utf-8", "replace"))
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        labels = np.array([classes[wnid] for wnid in listing.wnids], dtype=np.int64)
        found.append(CorruptedFolder(place.parent.name, int(place.name), listing.paths, labels))
    if digest.hexdigest() != wanted:
        raise EvidenceError(
            f"{root}: the fingerprint of its files is {digest.hexdigest()}, expected {wanted}; put "
            "the right files there, or name these in the spec"
        )
    return found


def _read(path: Path, side: int) -> np.ndarray:
    try:
        return centred(path.read_bytes(), side)
    except UNREADABLE as error:
        raise EvidenceError(f"{path} cannot be decoded ({error})") from None
