"""What students make of crops of the published files, against crops of kept images.

Files of Tiny-ImageNet have 64 pixels. Here these stand for the 375 that a file of ImageNet usually
has, as in `benchmarks.crops`: kept are 44, which stand for 256, and students see 38, which stand
for 224. Both students of a seed have the same initial weights, batches and boxes, relative to the
side. Both are tested on the middle of the kept images, as all large-scale codes test, and on the
same part of the files.

    python -m benchmarks.crop_students           what the kept accuracies come to
    python -m benchmarks.crop_students FOLDER    makes them anew first, of Tiny-ImageNet's container
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.bench import RESULTS
from benchmarks.crops import CROP, KEPT, scaled
from harness.lab.data.prepared import Split
from harness.lab.data.resize import cut
from harness.lab.models.networks import NORMS, convnet
from harness.lab.models.running import drawing_from
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import RATIOS, mirror, random_boxes
from tools.prepare_tiny_part import FILES, read_container

SIDE = 64
CLASSES = range(0, 200, 20)
SEEDS, EPOCHS, BATCH, RATE = 5, 6, 25, 2e-3
SCALE = (0.08, 1.0)
CSV = RESULTS / "crop_students.csv"
TABLE = RESULTS / "crop_students.md"
DATASET = DatasetRef(
    name="tiny-part",
    fingerprint="not needed here",
    classes=len(CLASSES),
    train_size=100 * len(CLASSES),
    test_size=50 * len(CLASSES),
    smallest_class=100,
    resolution=scaled(CROP, SIDE),
    channels=3,
    mean=(0.480, 0.448, 0.398),
    std=(0.277, 0.269, 0.282),
    flip=True,
)

Accuracies = Mapping[str, np.ndarray]
"""Test view -> accuracies in percent (seeds, 2), of crops of files and of kept images."""


class Effect(NamedTuple):
    """By how much students of crops of the files are better, in points."""

    points: float
    low: float
    high: float
    """Of the 95 % interval, by Student's t over the pairs."""

    @classmethod
    def of(cls, pairs: np.ndarray) -> Effect:
        found = stats.ttest_rel(pairs[:, 0], pairs[:, 1])
        bounds = found.confidence_interval(0.95)
        between = float((pairs[:, 0] - pairs[:, 1]).mean())
        return cls(between, float(bounds.low), float(bounds.high))


class Pictures(NamedTuple):
    """Images of the classes, uint8 (n, 3, side, side), as published and as kept."""

    files: Tensor
    kept: Tensor
    labels: Tensor

    @classmethod
    def of(cls, split: Split) -> Pictures:
        rows = np.flatnonzero(np.isin(split.labels, list(CLASSES)))
        files = np.asarray(split.images)[rows]
        size = (scaled(KEPT, SIDE),) * 2
        small = [Image.fromarray(each).resize(size, Image.Resampling.BILINEAR) for each in files]
        labels = torch.from_numpy(np.searchsorted(list(CLASSES), split.labels[rows]))
        return cls(_planes(files), _planes(np.stack([np.asarray(each) for each in small])), labels)


def _planes(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def normalised(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(each)[:, None, None] for each in (DATASET.mean, DATASET.std))
    return (pixels.float() / 255 - mean) / std


def student(images: Tensor, labels: Tensor, seed: int) -> nn.Module:
    """A small ConvNet, trained on random crops with hard labels, by AdamW and a cosine."""
    with drawing_from(seed, "cpu"):
        network = convnet(DATASET, width=16, depth=3, norm=NORMS["instance"])
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    drawn = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images), generator=drawn).split(BATCH):
            boxes = random_boxes(len(rows), images.shape[-1], SCALE, RATIOS, drawn)
            crops = cut(images[rows], boxes, DATASET.resolution, torch.float32)
            crops = mirror(crops, torch.rand(len(rows), generator=drawn) < 0.5)
            loss = functional.cross_entropy(network(normalised(crops)), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network


def test_views(test: Pictures) -> dict[str, Tensor]:
    """The middle of each image, as kept and as published."""
    side = DATASET.resolution
    corner = (test.kept.shape[-1] - side) // 2
    cover = round(side / test.kept.shape[-1] * SIDE)
    box = torch.tensor([(SIDE - cover) // 2] * 2 + [cover] * 2).expand(len(test.files), 4)
    return {
        "kept images": test.kept[..., corner : corner + side, corner : corner + side],
        "files": cut(test.files, box, side, torch.float32),
    }


def accuracy(network: nn.Module, view: Tensor, labels: Tensor) -> float:
    """In percent."""
    with torch.no_grad():
        right = network(normalised(view)).argmax(dim=1) == labels
    return 100 * right.double().mean().item()


def trained(train: Pictures, test: Pictures) -> Accuracies:
    views = test_views(test)
    made: dict[str, list[list[float]]] = {name: [] for name in views}
    for seed in range(SEEDS):
        both = [student(images, train.labels, seed) for images in (train.files, train.kept)]
        for name, view in views.items():
            made[name].append([accuracy(network, view, test.labels) for network in both])
            print(seed, name, made[name][-1], file=sys.stderr, flush=True)
    return {name: np.array(pairs) for name, pairs in made.items()}


def keep(accuracies: Accuracies) -> None:
    with CSV.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["test view", "seed", "crops of files", "crops of kept images"])
        for view, pairs in accuracies.items():
            for seed, pair in enumerate(pairs):
                lines.writerow([view, seed, *(f"{value:.4f}" for value in pair)])


def kept() -> Accuracies:
    found: dict[str, list[list[float]]] = {}
    with CSV.open(newline="", encoding="utf-8") as file:
        for view, _, *pair in list(csv.reader(file))[1:]:
            found.setdefault(view, []).append([float(value) for value in pair])
    return {view: np.array(pairs) for view, pairs in found.items()}


def table(accuracies: Accuracies) -> str:
    return "\n".join(_lines(accuracies))


def _lines(accuracies: Accuracies) -> Iterator[str]:
    yield "| tested on | seeds | crops of files | crops of kept images | difference (95 %) |"
    yield "|---|---:|---:|---:|---:|"
    for view, pairs in accuracies.items():
        files, small = pairs.mean(axis=0)
        effect = Effect.of(pairs)
        yield (
            f"| {view} | {len(pairs)} | {files:.1f} | {small:.1f} "
            f"| {effect.points:+.1f} ({effect.low:+.1f} to {effect.high:+.1f}) |"
        )


def main() -> None:
    if len(sys.argv) > 2:
        sys.exit("usage: python -m benchmarks.crop_students [FOLDER_OF_TINY_IMAGENET]")
    if sys.argv[1:]:
        torch.set_num_threads(1)
        folder = Path(sys.argv[1])
        train, test = (Pictures.of(read_container(folder / name)) for name in FILES)
        keep(trained(train, test))
    made = table(kept())
    TABLE.write_text(made + "\n", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
