"""By how much crops of kept images differ from crops of the published files, in a scale model.

ImageNet's files have a shorter side of 375 pixels as a rule, and are kept at 256, of which crops of
224 are taken, and patches of half of that. The sample has one picture of each class, of 128 pixels.
So here 128 stands for 375, and everything else is smaller by the same factor: kept are 87 pixels,
crops have 76 and patches 38. `benchmarks.crop_students` says what students make of the difference,
since nothing can be trained on one picture of each class.

    python -m benchmarks.crops FOLDER_OF_THE_SAMPLE
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.bench import RESULTS
from harness.lab.data.pictures import opened, shrunk
from harness.lab.data.resize import cut
from harness.lab.train.augment import RATIOS, random_boxes
from tools.prepare_imagenet_mini import CONTAINER

FILE = RESULTS / "crops.md"
USUAL, KEPT, CROP = 375, 256, 224
SHARES = (0.08, 0.25, 0.5, 1.0)
"""Bounds of the share of an image's area that a crop takes."""
KIND = torch.float64


def scaled(pixels: float, side: int) -> int:
    return round(pixels * side / USUAL)


def pairs(contents: list[bytes], crop: float, square: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """For each range of `SHARES`: a crop of each published image, and one of each kept image.

    `crop` is their side where files have 375 pixels. The same draws make the boxes of both.
    """
    whole = _stacked([np.asarray(opened(content)) for content in contents])
    side = whole.shape[-1]
    kept = _stacked([shrunk(content, scaled(KEPT, side)) for content in contents])
    ratios = (1.0, 1.0) if square else RATIOS
    for scale in pairwise(SHARES):
        made = []
        for images in (whole, kept):
            drawn = torch.Generator().manual_seed(0)
            boxes = random_boxes(len(images), images.shape[-1], scale, ratios, drawn)
            parts = zip(images.split(256), boxes.split(256), strict=True)
            to = scaled(crop, side)
            made.append(torch.cat([cut(some, box, to, KIND) for some, box in parts]))
        yield made[0], made[1]


def _stacked(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def apart(published: Tensor, kept: Tensor) -> float:
    """Root mean square of the difference, in levels of 255."""
    return (published - kept).square().mean().sqrt().item()


def detail(pixels: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels."""
    across, down = pixels.diff(dim=-1).abs().mean(), pixels.diff(dim=-2).abs().mean()
    return (across + down).item() / 2


def table(contents: list[bytes]) -> str:
    lines = [
        "| what | share of the area | difference (RMS of 255 levels) | detail kept |",
        "|---|---|---:|---:|",
    ]
    for what, crop, square in (("training crops", CROP, False), ("patches", CROP / 2, True)):
        bounds = pairwise(SHARES)
        for (low, high), (published, kept) in zip(
            bounds, pairs(contents, crop, square), strict=True
        ):
            share = 100 * detail(kept) / detail(published)
            lines.append(
                f"| {what} | {low:g} to {high:g} | {apart(published, kept):.1f} | {share:.0f} % |"
            )
    return "\n".join(lines)


def contents_of(sample: Path) -> list[bytes]:
    """The files of the sample."""
    with np.load(sample / CONTAINER, allow_pickle=False) as held:
        blob, starts = held["blob"].tobytes(), held["off"].tolist()
    return [blob[a:b] for a, b in pairwise(starts)]


def main() -> None:
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / CONTAINER).is_file():
        sys.exit("usage: python -m benchmarks.crops FOLDER_OF_THE_SAMPLE")
    torch.set_num_threads(1)
    made = table(contents_of(Path(sys.argv[1])))
    FILE.write_text(made + "\n", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
