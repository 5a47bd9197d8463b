"""Corrupted pictures: made from the test split, or published as ImageNet-C and its relatives are.

The corruptions are the five of the nineteen of Hendrycks and Dietterich (2019) that need no other
pictures and mean the same at 8 pixels as at 32, at the strengths of CIFAR-10-C and of ImageNet-C.
Published pictures lie at `<root>/<corruption>/<severity>/<wnid>/*.JPEG`, with severities from 1 to
5; classes may be some of those that a network was trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from harness.errors import EvidenceError
from harness.lab.data import prepared
from harness.lab.data.datasets import published
from harness.lab.data.image_tree import by_class
from harness.lab.data.pictures import UNREADABLE, centred
from harness.lab.data.prepared import Split
from harness.lab.data.resize import evaluation_view
from harness.lab.measure.dcs.ood import OodParams
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, evaluate
from harness.plan.step import StepContext

FOLDER = "mini-imagenet-c"
READ_AT_ONCE = 256
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
"""The same strengths for 224 pixels. From hendrycks/robustness, make_imagenet_c.py."""


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
    rounded: np.ndarray = np.rint(changed.clip(0, 1) * 255).astype(np.uint8)
    return rounded


def _blur(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian, cut at four standard deviations; the outermost pixels go on beyond the edge."""
    blurred: np.ndarray = gaussian_filter(pixels, (0, sigma, sigma, 0), mode="nearest", truncate=4)
    return blurred


def _contrast(pixels: np.ndarray, left: float) -> np.ndarray:
    """Pixels moved towards the mean of each channel of each image."""
    mean = pixels.mean(axis=(1, 2), keepdims=True)
    moved: np.ndarray = mean + left * (pixels - mean)
    return moved


def _brightness(pixels: np.ndarray, added: float) -> np.ndarray:
    """HSV's value, the largest channel, increased at the same hue and saturation."""
    value = pixels.max(axis=3, keepdims=True)
    brighter = (value + added).clip(max=1)
    # A black pixel has no hue: it turns grey.
    divisor = np.where(value > 0, value, 1)
    brightened: np.ndarray = np.where(value > 0, pixels * brighter / divisor, brighter)
    return brightened


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


def on_test_split(
    params: OodParams, test: Split, classifier: Classifier, ctx: StepContext
) -> np.ndarray:
    """Accuracy and loss (corruptions, severities, 2) on the test split, corrupted here."""
    return np.array(
        [
            [
                _judged(classifier, _corrupted_split(params, test, corruption, severity, ctx))
                for severity in params.severities
            ]
            for corruption in params.corruptions
        ]
    )


def _corrupted_split(
    params: OodParams, test: Split, corruption: str, severity: int, ctx: StepContext
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images of one size at once, at CIFAR-10-C's strengths; the views of others at ImageNet-C's.

    The latter some at a time, each batch with noise of its own.
    """
    if isinstance(test.images, np.ndarray):
        yield corrupted(test.images, corruption, severity, ctx.derive("noise")), test.labels
        return
    for start in range(0, len(test.images), READ_AT_ONCE):
        rows = slice(start, start + READ_AT_ONCE)
        seen = evaluation_view(test.images[rows], params.dataset.resolution, torch.float32)
        images = seen.round().byte().permute(0, 2, 3, 1).numpy()
        seed = ctx.derive(f"noise/{start}")
        yield corrupted(images, corruption, severity, seed, IMAGENET_C), test.labels[rows]


def on_pictures(params: OodParams, classifier: Classifier) -> np.ndarray:
    """Accuracy and loss (corruptions, severities, 2) on the publisher's pictures."""
    classes = {wnid: k for k, wnid in enumerate(prepared.class_names(params.dataset.name))}
    root = published(FOLDER)
    folders = corrupted_folders(root, classes, params.pictures)
    severities = {folder.severity for folder in folders}
    corruptions = {folder.corruption for folder in folders}
    if len(folders) != len(corruptions) * len(severities):
        raise EvidenceError(f"{root}: not every corruption has severities {sorted(severities)}")
    side = params.dataset.resolution
    judged = [_judged(classifier, folder.batches(side)) for folder in folders]
    return np.array(judged).reshape(len(corruptions), len(severities), 2)


def _judged(
    classifier: Classifier, batches: Iterator[tuple[np.ndarray, np.ndarray]]
) -> tuple[float, float]:
    """Accuracy and mean loss over all batches of images and labels."""
    right, loss, count = 0.0, 0.0, 0
    for images, labels in batches:
        result = evaluate(classifier, Examples.on(classifier.device, images, labels))
        right, loss = right + result.correct.sum(), loss + result.loss * len(labels)
        count += len(labels)
    return float(right / count), loss / count
