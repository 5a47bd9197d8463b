"""Image files as they are published, decoded and known by their bytes; images through JPEG."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from harness.errors import EvidenceError
from harness.lab.data.prepared import Split

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""Errors that Pillow raises for a file that is no whole picture."""


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


def opened(content: bytes) -> Image.Image:
    """A whole picture in RGB, whatever its file has. Raises one of `UNREADABLE` if it is none."""
    with warnings.catch_warnings():
        # Broken metadata and unusual sizes; what cannot be decoded raises.
        warnings.simplefilter("ignore")
        return Image.open(io.BytesIO(content)).convert("RGB")


def shrunk(content: bytes, short: int) -> np.ndarray:
    """A picture whose shorter side has become `short` pixels, uint8 (height, width, 3).

    Bilinear with antialiasing, by Pillow, and the longer side cut off to whole pixels: what
    torchvision's `Resize` makes of a file. Grey, CMYK and indexed pictures become RGB.
    Raises one of `UNREADABLE` if it is no whole picture.
    """
    picture = opened(content)
    width, height = picture.size
    if width <= height:
        size = (short, int(short * height / width))
    else:
        size = (int(short * width / height), short)
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))


def by_number(paths: Iterable[Path]) -> list[Path]:
    """By the number that ends a file's name: `n01443537_2.JPEG` before `n01443537_10.JPEG`.

    Names without one come first, and equal numbers by their whole name.
    """

    def key(path: Path) -> tuple[int, str]:
        number = path.stem.rpartition("_")[2]
        return (int(number) if number.isdecimal() else -1, path.name)

    return sorted(paths, key=key)


def centred(content: bytes, side: int) -> np.ndarray:
    """The evaluation view of a picture, uint8 (side, side, 3), if it is not of that size already.

    Its shorter side becomes 8/7 of `side`, 256 for 224, and the middle is cut out. Raises one of
    `UNREADABLE` if it is no whole picture.
    """
    picture = Image.open(io.BytesIO(content))
    if picture.size == (side, side):
        return np.asarray(picture.convert("RGB"))
    whole = shrunk(content, round(side * 8 / 7))
    top, left = (round((length - side) / 2) for length in whole.shape[:2])
    return whole[top : top + side, left : left + side]


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
