"""Released sets in every layout, as the official codes write them, and a data set they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from harness.lab.data import prepared, sets
from harness.lab.data.prepared import Dataset, Split
from harness.lab.data.zca import whitening
from harness.lab.recipe import DatasetRef

CLASSES, SIDE, PER_CLASS = 12, 8, 20


def smooth(generator: np.random.Generator, count: int) -> np.ndarray:
    """Pictures as cameras make them: far more slow than fast variation; around 0.5."""
    fine = generator.normal(size=(count, SIDE, SIDE, 3))
    row, column = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE), indexing="ij")
    falls = 1 / (0.05 + np.hypot(row, column)) ** 2
    slow = np.fft.ifft2(np.fft.fft2(fine, axes=(1, 2)) * falls[None, :, :, None], axes=(1, 2)).real
    return 0.5 + 0.2 * slow / slow.std()


def data_set(name: str = "pictures") -> DatasetRef:
    """Twelve classes of smooth colour pictures, prepared in the present data folder."""
    generator = np.random.default_rng(0)
    kinds = smooth(generator, CLASSES)

    def split(count: int) -> Split:
        labels = np.tile(np.arange(CLASSES), count)
        pixels = 0.7 * kinds[labels] + 0.3 * smooth(generator, len(labels))
        return Split((pixels.clip(0, 1) * 255).round().astype(np.uint8), labels)

    made = Dataset(split(PER_CLASS), split(2))
    prepared.write(name, made, "a formula")
    sets._loaded.cache_clear()
    whitening.cache_clear()
    pixels = made.train.images / 255
    return DatasetRef(
        name=name,
        fingerprint=prepared.fingerprint(made),
        classes=CLASSES,
        train_size=CLASSES * PER_CLASS,
        test_size=CLASSES * 2,
        smallest_class=PER_CLASS,
        resolution=SIDE,
        channels=3,
        mean=tuple(pixels.mean(axis=(0, 1, 2)).tolist()),
        std=tuple(pixels.std(axis=(0, 1, 2)).tolist()),
        flip=True,
    )


def chosen(ref: DatasetRef, per_class: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Real pixels in [0, 1], (n, c, h, w), and labels, class by class as released sets are."""
    train = sets.load(ref).train
    rows = rows_of(ref, per_class)
    return (train.images[rows] / 255).transpose(0, 3, 1, 2), train.labels[rows].copy()


def rows_of(ref: DatasetRef, per_class: int = 3) -> np.ndarray:
    labels = sets.load(ref).train.labels
    return np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in range(ref.classes)])


def normalised(ref: DatasetRef, per_class: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    pixels, labels = chosen(ref, per_class)
    mean, std = (np.array(values).reshape(3, 1, 1) for values in (ref.mean, ref.std))
    return torch.from_numpy((pixels - mean) / std).float(), torch.from_numpy(labels)


def whitened(ref: DatasetRef, per_class: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    pixels, labels = chosen(ref, per_class)
    return whitening(ref).whitened(torch.from_numpy(pixels)).float(), torch.from_numpy(labels)


def write_sets(path: Path, *held: tuple[torch.Tensor, torch.Tensor]) -> Path:
    """`res_*.pt` of VICO-UoE/DatasetCondensation, with its NumPy accuracies."""
    accuracies = {"ConvNet": [np.float64(0.25), np.mean([0.2, 0.4])]}
    torch.save({"data": [list(pair) for pair in held], "accs_all_exps": accuracies}, path)
    return path


def write_pair(
    folder: Path, images: torch.Tensor, labels: torch.Tensor, rate: float | None = None
) -> Path:
    """`images_best.pt` and `labels_best.pt` of MTT; with `lr_best.pt`, of DATM."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(images, folder / "images_best.pt")
    torch.save(labels, folder / "labels_best.pt")
    if rate is not None:
        torch.save(torch.tensor(rate), folder / "lr_best.pt")
    return folder / "images_best.pt"


NAMES: dict[str, tuple[Callable[[int], str], Callable[[int, int], str]]] = {
    "sre2l": (lambda c: f"new{c:03d}", lambda c, i: f"class{c:03d}_id{i:03d}.jpg"),
    "rded": (lambda c: f"{c:05d}", lambda c, i: f"class{c:05d}_id{i:05d}.jpg"),
    "d4m": (lambda c: f"{c}", lambda c, i: f"{c}-image{i}0.png"),
    "fadrm": (lambda c: f"new{c:03d}", lambda c, i: f"class{c:03d}_id{i:03d}.png"),
    "minimax": (lambda c: f"n{1000_0000 + 37 * c}", lambda c, i: f"{i}.png"),
}
"""Method -> how it names the folder of a class, and a picture of it."""


def write_folders(path: Path, ref: DatasetRef, method: str, per_class: int = 3) -> Path:
    folder_name, file_name = NAMES[method]
    pixels, labels = chosen(ref, per_class)
    for row, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = path / folder_name(int(label))
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((image.transpose(1, 2, 0) * 255).round().astype(np.uint8))
        picture.save(folder / file_name(int(label), row % per_class))
    return path
