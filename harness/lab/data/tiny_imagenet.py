"""Tiny-ImageNet from its publisher's folder.

`tiny-imagenet-200/` holds `train/<wnid>/images/<wnid>_<number>.JPEG`, `val/images/`, whose files
are `val_<number>.JPEG`, and `val/val_annotations.txt`, whose lines begin with the name of a file
and its wnid. Classes are counted in the order of their wnids, as torchvision's `ImageFolder` does;
images of a class, and those of the validation set, come by number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.errors import EvidenceError
from harness.lab.data.pictures import by_number, decoded
from harness.lab.data.prepared import Dataset, Split

URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
FOLDER = "tiny-imagenet-200"
SIDE = 64


def fetch(folder: Path) -> None:
    """Download and unpack the publisher's archive; its files are checked when they are read."""
    from torchvision.datasets.utils import download_and_extract_archive

    try:
        download_and_extract_archive(URL, str(folder))
    except (OSError, RuntimeError) as error:
        raise EvidenceError(
            f"Tiny-ImageNet could not be downloaded ({error}); put the folder {FOLDER} of its "
            f"publisher into {folder}, then `repro data prepare tiny-imagenet`"
        ) from None


def read(folder: Path) -> Dataset:
    """Raises `EvidenceError` if files are missing or are no pictures of the right size."""
    root = folder / FOLDER
    try:
        wnids = sorted(path.name for path in (root / "train").iterdir() if path.is_dir())
        return Dataset(_train(root / "train", wnids), _validation(root / "val", wnids))
    except OSError as error:
        raise EvidenceError(
            f"{error.filename}: {error.strerror}; put the publisher's folder {FOLDER} into "
            f"{folder}, or download it with `repro data fetch tiny-imagenet`"
        ) from None


def _train(folder: Path, wnids: list[str]) -> Split:
    paths = [by_number((folder / wnid / "images").glob("*.JPEG")) for wnid in wnids]
    labels = np.repeat(np.arange(len(wnids)), [len(each) for each in paths])
    return decoded((path.read_bytes() for each in paths for path in each), labels, SIDE)


def _validation(folder: Path, wnids: list[str]) -> Split:
    lines = (folder / "val_annotations.txt").read_text("utf-8").splitlines()
    classes = dict(line.split()[:2] for line in lines if line.strip())
    paths = by_number((folder / "images").glob("*.JPEG"))
    unknown = [path.name for path in paths if classes.get(path.name) not in wnids]
    if unknown:
        raise EvidenceError(
            f"{folder / 'val_annotations.txt'}: no class of the training set for {unknown[0]} and "
            f"{len(unknown) - 1} other pictures"
        )
    labels = np.array([wnids.index(classes[path.name]) for path in paths])
    return decoded((path.read_bytes() for path in paths), labels, SIDE)
