"""Common corruptions of images, at the strengths of CIFAR-10-C and of ImageNet-C (Hendrycks and
Dietterich 2019).

The five of their nineteen that need no other pictures and mean the same at 8 pixels as at 32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

SEVERITIES: Mapping[str, tuple[float, ...]] = {
    "gaussian-noise": (0.04, 0.06, 0.08, 0.09, 0.10),
    "gaussian-blur": (0.4, 0.6, 0.7, 0.8, 1.0),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
    "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),
}
"""Standard deviation of the noise; that of the blur in pixels; contrast left; brightness added;
side left. From hendrycks/robustness, make_cifar_c.py."""
IMAGENET_C: Mapping[str, tuple[float, ...]] = {
    "gaussian-noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    "gaussian-blur": (1, 2, 3, 4, 6),
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "pixelate": (0.6, 0.5, 0.4, 0.3, 0.25),
}
"""The same for 224 pixels. From hendrycks/robustness, make_imagenet_c.py."""


def corrupted(
    images: np.ndarray,
    corruption: str,
    severity: int,
    seed: int,
    strengths: Mapping[str, tuple[float, ...]] = SEVERITIES,
) -> np.ndarray:
    """uint8 (n, height, width, channels) of the same shape; `severity` from 1 to 5.

    Only the noise draws, from a CPU generator of `seed`.
    """
    strength = strengths[corruption][severity - 1]
    if corruption == "pixelate":
        return _pixelate(images, strength)
    if corruption == "gaussian-noise":
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(images.shape, generator=generator, dtype=torch.float32).numpy()
        changed = images / np.float32(255) + np.float32(strength) * noise
    else:
        changed = _CHANGES[corruption](images / np.float32(255), strength)
    return np.rint(changed.clip(0, 1) * 255).astype(np.uint8)


def _blur(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian, cut at four standard deviations; the outermost pixels go on beyond the edge."""
    return gaussian_filter(pixels, (0, sigma, sigma, 0), mode="nearest", truncate=4)


def _contrast(pixels: np.ndarray, left: float) -> np.ndarray:
    """Towards the mean of each channel of each image."""
    mean = pixels.mean(axis=(1, 2), keepdims=True)
    return mean + left * (pixels - mean)


def _brightness(pixels: np.ndarray, added: float) -> np.ndarray:
    """More of HSV's value, the largest channel, at the same hue and saturation."""
    value = pixels.max(axis=3, keepdims=True)
    brighter = (value + added).clip(max=1)
    # A black pixel has no hue: it turns grey.
    return np.where(value > 0, pixels * brighter / np.where(value > 0, value, 1), brighter)


def _pixelate(images: np.ndarray, left: float) -> np.ndarray:
    """Shrunk to a share of the side and enlarged again, by Pillow's box filter."""
    side = images.shape[1]
    small = int(side * left)
    parts = [
        np.asarray(
            Image.fromarray(plane)
            .resize((small, small), Image.Resampling.BOX)
            .resize((side, side), Image.Resampling.BOX)
        )
        for image in images
        for plane in image.transpose(2, 0, 1)
    ]
    planes = np.stack(parts).reshape(len(images), -1, side, side)
    return planes.transpose(0, 2, 3, 1)


_CHANGES: Mapping[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "gaussian-blur": _blur,
    "contrast": _contrast,
    "brightness": _brightness,
}
