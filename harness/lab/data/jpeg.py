"""Images as they come back from JPEG files."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


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
