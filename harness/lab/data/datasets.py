"""The state of every data set, and the prepared form made from its publisher's files.

Of Tiny-ImageNet, `tiny-imagenet-200/` holds `train/<wnid>/images/<wnid>_<number>.JPEG`,
`val/images/`, whose files are `val_<number>.JPEG`, and `val/val_annotations.txt`, whose lines begin
with the name of a file and its wnid. Classes are counted in the order of their wnids, as
torchvision's `ImageFolder` does; images of a class, and those of the validation set, by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import EvidenceError, UserError, require
from harness.lab.data import image_tree, prepared, sets
from harness.lab.data.image_tree import Report
from harness.lab.data.pictures import by_number, decoded
from harness.lab.data.prepared import Dataset, Split
from harness.lab.recipe import DatasetRef

TINY_URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
TINY_FOLDER = "tiny-imagenet-200"
TINY_SIDE = 64


def _fetch_tiny(folder: Path) -> None:
    """Download and unpack the publisher's archive; its files are checked when they are read."""
    from torchvision.datasets.utils import download_and_extract_archive

    try:
        download_and_extract_archive(TINY_URL, str(folder))
    except (OSError, RuntimeError) as error:
        raise EvidenceError(
            f"Tiny-ImageNet could not be downloaded ({error}); put the folder {TINY_FOLDER} of its "
            f"publisher into {folder}, then `repro data prepare tiny-imagenet`"
        ) from None


def _read_tiny(folder: Path) -> Dataset:
    """Raises `EvidenceError` if files are missing or are no pictures of the right size."""
    root = folder / TINY_FOLDER
    try:
        wnids = sorted(path.name for path in (root / "train").iterdir() if path.is_dir())
        return Dataset(_tiny_train(root / "train", wnids), _tiny_validation(root / "val", wnids))
    except OSError as error:
        raise EvidenceError(
            f"{error.filename}: {error.strerror}; put the publisher's folder {TINY_FOLDER} into "
            f"{folder}, or download it with `repro data fetch tiny-imagenet`"
        ) from None


def _tiny_train(folder: Path, wnids: list[str]) -> Split:
    paths = [by_number((folder / wnid / "images").glob("*.JPEG")) for wnid in wnids]
    labels = np.repeat(np.arange(len(wnids)), [len(each) for each in paths])
    return decoded((path.read_bytes() for each in paths for path in each), labels, TINY_SIDE)


def _tiny_validation(folder: Path, wnids: list[str]) -> Split:
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
    return decoded((path.read_bytes() for path in paths), labels, TINY_SIDE)


@dataclass(frozen=True)
class Publisher:
    """How a publisher's files are had and read."""

    needs: str
    """Describes the files that have to be in the folder of the publisher's files."""
    fetch: Callable[[Path], None]
    """Download the files into a folder, and check them."""
    read: Callable[[Path], Dataset] | None
    """Decode the files of a folder. Raises `EvidenceError` if they are missing or damaged.

    None: they are ImageNet's folders, and are not decoded into memory."""


def path(name: str) -> Path:
    """Where the prepared form of a data set is or belongs."""
    return prepared.folder_of(name)


def published(name: str) -> Path:
    """Where the publisher's files of a data set are or belong."""
    return prepared.published(name)


def state(name: str, fields: Mapping[str, Any]) -> tuple[str, str]:
    """One word on a data set, and one line that says what is missing and where to put it.

    `bundled` and `prepared` can be trained from; `missing` can be made here or has no reader;
    `other` is prepared but is not the one of the spec.
    """
    if name in sets.BUNDLED:
        return "bundled", "built from an installed package"
    if prepared.is_prepared(name):
        problems = _problems(name, fields, prepared.damaged(name, pixels=False))
        return ("other", problems[0]) if problems else ("prepared", str(path(name)))
    if name in PUBLISHERS:
        return "missing", (
            f"put {PUBLISHERS[name].needs} into {published(name)} (or `repro data fetch {name}`), "
            f"then `repro data prepare {name}`"
        )
    return "missing", f"this version cannot prepare it; put its prepared form into {path(name)}"


def check(name: str, fields: Mapping[str, Any]) -> list[str]:
    """The faults of a data set, one line each; none if it is the one of its spec."""
    there = name not in sets.BUNDLED and prepared.is_prepared(name)
    return _problems(name, fields, prepared.damaged(name) if there else [])


def _problems(name: str, fields: Mapping[str, Any], damaged: list[str]) -> list[str]:
    if damaged:
        return [f"{path(name) / file}: missing, or not as the manifest says" for file in damaged]
    try:
        sets.load(DatasetRef.model_validate(dict(fields) | {"name": name}))
    except EvidenceError as error:
        return [str(error)]
    return []


def fetch(name: str) -> Path:
    """Download the publisher's files; returns their folder."""
    folder = published(name)
    folder.mkdir(parents=True, exist_ok=True)
    _publisher(name).fetch(folder)
    return folder


def prepare(
    name: str, skip_damaged: bool = False, report: Report = lambda done, total: None
) -> Path:
    """Make the prepared form from the publisher's files; returns its folder.

    `report` is told how many files of how many are done, where that takes long.
    Raises `UserError` if damaged files are to be left out of a set that is known as a whole.
    """
    publisher, folder = _publisher(name), published(name)
    if publisher.read is None:
        return image_tree.prepare(name, folder, skip_damaged, report)
    if skip_damaged:
        raise UserError(f"data set '{name}' is only prepared whole: no file of it can be left out")
    return prepared.write(name, publisher.read(folder), "the publisher's files")


def _publisher(name: str) -> Publisher:
    if name in sets.BUNDLED:
        raise UserError(f"data set '{name}' is bundled: there is nothing to fetch or to prepare")
    require(name, PUBLISHERS, f"data set '{name}' cannot be prepared in this version")
    return PUBLISHERS[name]


def _fetch_cifar100(folder: Path) -> None:
    from torchvision.datasets import CIFAR100

    try:
        CIFAR100(str(folder), download=True)
    except (OSError, RuntimeError) as error:
        raise EvidenceError(
            f"CIFAR-100 could not be downloaded ({error}); put the folder cifar-100-python of its "
            f"publisher into {folder}, then `repro data prepare cifar100`"
        ) from None


def _read_cifar100(folder: Path) -> Dataset:
    """Reads pickles, but none whose MD5 is not the publisher's: torchvision checks them first."""
    from torchvision.datasets import CIFAR100

    def split(train: bool) -> Split:
        try:
            held = CIFAR100(str(folder), train=train)
        except RuntimeError:
            raise EvidenceError(
                f"{folder}: no undamaged cifar-100-python is there; put the publisher's folder "
                "there, or download it with `repro data fetch cifar100`"
            ) from None
        return Split(held.data, np.array(held.targets, dtype=np.int64))

    return Dataset(split(True), split(False))


def _fetch_imagenet(folder: Path) -> None:
    raise EvidenceError(
        "ImageNet-1K is only given to those who register at image-net.org; put its folders train "
        f"and val into {folder}, then `repro data prepare imagenet1k`"
    )


def _fetch_mini(folder: Path) -> None:
    raise EvidenceError(
        "imagenet-mini is not published: tools/prepare_imagenet_mini.py makes its folders train "
        f"and val in {folder}; then `repro data prepare imagenet-mini`"
    )


PUBLISHERS: Mapping[str, Publisher] = {
    "cifar100": Publisher(
        "the publisher's folder cifar-100-python", _fetch_cifar100, _read_cifar100
    ),
    "tiny-imagenet": Publisher(f"the publisher's folder {TINY_FOLDER}", _fetch_tiny, _read_tiny),
    "imagenet1k": Publisher("the publisher's folders train and val", _fetch_imagenet, None),
    "imagenet-mini": Publisher("the folders train and val", _fetch_mini, None),
}
