"""Image files as they are published, decoded, and known by their own bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable

import numpy as np
from PIL import Image, UnidentifiedImageError

from harness.errors import EvidenceError
from harness.lab.data.prepared import Split


def decoded(files: Iterable[bytes], labels: np.ndarray, side: int) -> Split:
    """A split from the contents of its files, in order, all of `side` x `side` pixels.

    Grey pictures become RGB. Raises `EvidenceError` if a file is no such picture, or if they are
    not as many as the labels.
    """
    images = np.empty((len(labels), side, side, 3), np.uint8)
    digest = hashlib.sha256()
    count = 0
    for content in files:
        if count < len(labels):
            images[count] = _pixels(content, count, side)
        digest.update(hashlib.sha256(content).digest())
        count += 1
    if count != len(labels):
        raise EvidenceError(f"there are {count} pictures, but {len(labels)} labels of them")
    return Split(images, labels.astype(np.int64), digest.hexdigest())


def _pixels(content: bytes, number: int, side: int) -> np.ndarray:
    try:
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise EvidenceError(f"picture {number} (from 0) cannot be decoded: {error}") from None
    if pixels.shape != (side, side, 3):
        raise EvidenceError(
            f"picture {number} (from 0) has {pixels.shape[1]} x {pixels.shape[0]} pixels; "
            f"expected {side} x {side}"
        )
    return pixels
