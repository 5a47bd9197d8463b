"""Make the files of `imagenet-mini`, a small tree in ImageNet's own layout, from one image a class.

The sample holds one 128-pixel picture of each of ImageNet's 1,000 classes. 250 classes that follow
each other become one; the first 200 of its pictures are for training, the others for validation.
Pictures get sizes and shapes as ImageNet's have, a few are grey or CMYK, and one file more, which
is cut off in the middle, has to be left out:

    python tools/prepare_imagenet_mini.py FOLDER_OF_THE_SAMPLE
    repro data prepare imagenet-mini --skip-damaged
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from harness.lab.data.datasets import published

CONTAINER = "imagenet1k_1perclass_128.npz"
CLASSES, TRAINING, VALIDATION = 4, 200, 50
SIZES = ((500, 375), (375, 500), (400, 300), (300, 300), (333, 500), (500, 200), (160, 120))
"""Width and height, in turn; the longest is two and a half times as long as high, and the smallest
has to be enlarged."""
GREY, CMYK = 25, 60
"""One file of so many is grey, one of so many CMYK."""


def made(picture: Image.Image, number: int) -> bytes:
    """The file of one picture: its middle, of the shape that is in turn, enlarged."""
    width, height = SIZES[number % len(SIZES)]
    side = picture.size[0]
    share = side / max(width, height)
    left, top = (side - width * share) / 2, (side - height * share) / 2
    box = (left, top, side - left, side - top)
    shaped = picture.resize((width, height), Image.Resampling.BICUBIC, box=box)
    if number % GREY == GREY - 1:
        shaped = shaped.convert("L")
    elif number % CMYK == CMYK - 1:
        shaped = shaped.convert("CMYK")
    held = io.BytesIO()
    shaped.save(held, "JPEG", quality=90)
    return held.getvalue()


def write_tree(
    sample: Path, root: Path, training: int = TRAINING, validation: int = VALIDATION
) -> None:
    """Write `train` and `val` below `root`, in the place of what is there.

    Each class has its first `training` and its last `validation` pictures.
    """
    wnids = json.loads((sample / "classes.json").read_text("utf-8"))["wnids"]
    with np.load(sample / CONTAINER, allow_pickle=False) as held:
        blob, starts = held["blob"].tobytes(), held["off"]
    merged = len(wnids) // CLASSES
    for split in ("train", "val"):
        shutil.rmtree(root / split, ignore_errors=True)
    for number in range(len(wnids)):
        place, within = divmod(number, merged)
        if training <= within < merged - validation:
            continue
        wnid, split = wnids[place * merged], "train" if within < training else "val"
        folder = root / split / wnid
        folder.mkdir(parents=True, exist_ok=True)
        content = blob[starts[number] : starts[number + 1]]
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        (folder / f"{wnid}_{number}.JPEG").write_bytes(made(picture, number))
    first = root / "train" / wnids[0]
    whole = (first / f"{wnids[0]}_0.JPEG").read_bytes()
    (first / f"{wnids[0]}_9999.JPEG").write_bytes(whole[: len(whole) // 2])


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/prepare_imagenet_mini.py FOLDER_OF_THE_SAMPLE")
    sample = Path(sys.argv[1])
    if not (sample / CONTAINER).is_file():
        sys.exit(f"prepare_imagenet_mini: {sample / CONTAINER}: no such file")
    root = published("imagenet-mini")
    write_tree(sample, root)
    print(root)


if __name__ == "__main__":
    main()
