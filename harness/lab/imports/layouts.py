"""The layouts that released sets have: tensors in files, pictures in folders, lists of rows.

A file of tensors holds several sets (DC, DSA, DM), or images beside labels: (n, channels, height,
width), scaled as the official code scales real ones. Labels are classes (n,), or learned logits
(n, classes) where the labels were distilled too (DATM). Pictures are JPEG or PNG, one folder a
class. Lists name rows of the training split.
"""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness.lab.data import sets
from harness.lab.data.torch_files import (
    NumpyArray,
    Refused,
    check_regular,
    read_torch,
    tensor_array,
)
from harness.lab.imports.imported import Imported, Space
from harness.lab.recipe import DatasetRef

BEST = "images_best.pt"


def read_sets(path: Path, dataset: DatasetRef, space: Space, chosen: int | None) -> Imported:
    """One set of a `res_*.pt` of DC, DSA or DM: its last, or the one counted from 1.

    The official code averages over all sets of a file, DC-Bench evaluates the last.
    """
    content = read_torch(path)
    sets = content.get("data") if isinstance(content, dict) else None
    if not isinstance(sets, list) or not sets:
        raise Refused(path, "a table with a list 'data' of sets was expected, as DC's code writes")
    number = len(sets) if chosen is None else chosen
    if not 1 <= number <= len(sets):
        raise Refused(path, f"set {number} is asked for, but it holds {len(sets)}")
    held = sets[number - 1]
    if not isinstance(held, list | tuple) or len(held) != 2:
        raise Refused(path, f"set {number} is no pair of images and labels")
    images = _images(path, tensor_array(path, held[0], "images"), dataset)
    labels, soft = _labels(path, tensor_array(path, held[1], "labels"), dataset)
    note = f"set {number} of {len(sets)}"
    return Imported(labels, images, soft_labels=soft, space=space, notes=(note,))


def read_pair(path: Path, dataset: DatasetRef, space: Space) -> Imported:
    """`images_*.pt` and the `labels_*.pt` beside it, with `lr_*.pt` where the rate was learned.

    A folder means its `images_best.pt`. A file that was released in parts is named without the
    parts' numbers: `images_best.pt` for `images_best_0.pt`, `images_best_1.pt` and so on.
    """
    path = path / BEST if path.is_dir() else path
    if "images" not in path.name:
        raise Refused(path, f"a file such as {BEST} was expected, with its labels beside it")
    images = np.concatenate(
        [
            _images(part, tensor_array(part, read_torch(part), "images"), dataset)
            for part in _parts(path)
        ]
    )
    beside = path.with_name(path.name.replace("images", "labels"))
    given = [tensor_array(part, read_torch(part), "labels") for part in _parts(beside)]
    if len({label.ndim for label in given}) != 1:
        raise Refused(beside, "its parts hold labels of different kinds")
    labels, soft = _labels(beside, np.concatenate(given), dataset)
    rate = path.with_name(path.name.replace("images", "lr"))
    return Imported(
        labels,
        images,
        soft_labels=soft,
        learning_rate=_rate(rate) if rate.exists() else None,
        space=space,
    )


def _parts(path: Path) -> list[Path]:
    """The file, or its parts in the order of their numbers. Raises `Refused` if one is missing."""
    if path.exists():
        return [path]
    numbered = re.compile(re.escape(path.stem) + r"_(\d+)" + re.escape(path.suffix))
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    found = {int(match[1]): part for part in beside if (match := numbered.fullmatch(part.name))}
    if not found:
        raise Refused(path, "there is no such file, whole or in parts")
    missing = sorted(set(range(max(found) + 1)) - set(found)) if max(found) < 1000 else [0]
    if missing:
        raise Refused(path, f"part {missing[0]} of {max(found) + 1} is missing")
    return [found[number] for number in sorted(found)]


def _images(path: Path, images: np.ndarray, dataset: DatasetRef) -> np.ndarray:
    """float32 (n, height, width, channels), from (n, channels, height, width)."""
    expected = (dataset.channels, dataset.resolution, dataset.resolution)
    if images.dtype.kind != "f" or images.shape[1:] != expected:
        raise Refused(
            path,
            f"images are {images.dtype} of shape {images.shape}, but those of '{dataset.name}' "
            f"are floating (n, {', '.join(map(str, expected))})",
        )
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1), dtype=np.float32)


def _labels(
    path: Path, labels: np.ndarray, dataset: DatasetRef
) -> tuple[np.ndarray, np.ndarray | None]:
    """Classes int64 (n,), and logits float32 (n, classes) if the labels are soft."""
    if labels.dtype.kind in "iu" and labels.ndim == 1:
        return labels.astype(np.int64), None
    if labels.dtype.kind == "f" and labels.ndim == 2 and labels.shape[1] == dataset.classes:
        soft = labels.astype(np.float32)
        return soft.argmax(axis=1), soft
    raise Refused(
        path,
        f"labels are {labels.dtype} of shape {labels.shape}; expected are integers (n,), or "
        f"floating logits (n, {dataset.classes})",
    )


def _rate(path: Path) -> float:
    rate = tensor_array(path, read_torch(path), "learning rate")
    if rate.size != 1 or rate.dtype.kind != "f" or not 0 < float(rate.reshape(())) < np.inf:
        raise Refused(path, "a learning rate, one positive number, was expected")
    return float(rate.reshape(()))


FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
_NUMBERED = re.compile(r"(?:new)?(\d{1,6})")
_WORDNET = re.compile(r"n\d{8}")
_INSIDE = re.compile(r"(?:class)?(\d{1,6})(?:_id|-image)\d+")
QUALITY = 75
"""Quality of the JPEGs that the official codes write: Pillow's default."""


def read_folders(path: Path, dataset: DatasetRef) -> Imported:
    """Every picture, class by class and in the order of the numbers in its name.

    Raises `Refused` if folders do not name the classes of the data set one to one, if classes have
    unequal numbers of pictures, or if a picture is damaged or of another size.
    """
    files = [_pictures(folder, label) for label, folder in enumerate(_folders(path, dataset))]
    counts = np.array([len(found) for found in files])
    if counts.min() != counts.max():
        poor = int(counts.argmin())
        raise Refused(
            path,
            f"class {poor} has {counts.min()} pictures, another has {counts.max()}: the copy is "
            "not complete, or names collided when the set was written",
        )
    if not 0 < counts[0] <= dataset.smallest_class:
        raise Refused(
            path,
            f"{counts[0]} pictures a class, where '{dataset.name}' has at most "
            f"{dataset.smallest_class}",
        )
    side, per_class = dataset.resolution, int(counts[0])
    images = np.empty((len(files) * per_class, side, side, dataset.channels), np.uint8)
    resaved = 0
    for row, file in enumerate(file for found in files for file in found):
        images[row], plain = _picture(file, dataset)
        resaved += not plain
    notes = (f"{resaved} JPEGs are not of quality {QUALITY}: saved again?",) if resaved else ()
    labels = np.repeat(np.arange(dataset.classes, dtype=np.int64), per_class)
    return Imported(labels, images, notes=notes)


def _folders(path: Path, dataset: DatasetRef) -> list[Path]:
    """The folder of each class, in the order of the classes."""
    if not path.is_dir():
        raise Refused(path, "a folder with one folder a class was expected")
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir())
    if all(_WORDNET.fullmatch(folder.name) for folder in folders):
        if len(folders) != dataset.classes:
            raise Refused(
                path,
                f"{len(folders)} WordNet ids, but '{dataset.name}' has {dataset.classes} "
                "classes: without all of them, their order does not tell the classes",
            )
        return folders
    numbers = [_NUMBERED.fullmatch(folder.name) for folder in folders]
    for folder, number in zip(folders, numbers, strict=True):
        if number is None:
            raise Refused(folder, "names no class: expected was new007, 00007, 7 or a WordNet id")
    known = {int(n[1]): folder for n, folder in zip(numbers, folders, strict=True) if n}
    if len(known) != len(folders) or set(known) != set(range(dataset.classes)):
        raise Refused(
            path,
            f"its {len(folders)} folders do not name the classes 0 to {dataset.classes - 1} of "
            f"'{dataset.name}' one to one",
        )
    return [known[label] for label in range(dataset.classes)]


def _pictures(folder: Path, label: int) -> list[Path]:
    """The files of one class; `Refused` for what is no picture, or is named for another class."""
    files = sorted(folder.iterdir(), key=_natural)
    for file in files:
        if file.suffix.lower() not in FORMATS:
            raise Refused(file, "only JPEG and PNG files were expected in a folder of a class")
        named = _INSIDE.match(file.name)
        if named and int(named[1]) != label:
            raise Refused(file, f"is named for class {int(named[1])}, but lies in that of {label}")
    return files


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts id2 before id10, whether or not the numbers are padded."""
    parts = re.split(r"([0-9]+)", path.name)
    keys = [(len(p.lstrip("0")), p.lstrip("0")) if p.isdecimal() else (0, p) for p in parts]
    return [*keys, (0, path.name)]


def _picture(path: Path, dataset: DatasetRef) -> tuple[np.ndarray, bool]:
    """uint8 (height, width, channels), and whether it is as the official codes save."""
    check_regular(path)
    side, mode = dataset.resolution, "RGB" if dataset.channels == 3 else "L"
    form = FORMATS[path.suffix.lower()]
    try:
        with Image.open(path, formats=[form]) as picture:
            if picture.size != (side, side) or picture.mode not in ("RGB", "L"):
                raise Refused(
                    path,
                    f"{picture.mode} of {picture.size[0]} x {picture.size[1]} pixels; those of "
                    f"'{dataset.name}' have {side} x {side}",
                )
            plain = form != "JPEG" or vars(picture)["quantization"] == _tables(picture.mode)
            return np.asarray(picture.convert(mode)).reshape(side, side, dataset.channels), plain
    except Refused:
        raise
    except Exception as error:  # the file decides what goes wrong inside, so it is at fault
        raise Refused(path, f"is no readable picture ({type(error).__name__})") from None


@cache
def _tables(mode: str) -> dict[int, list[int]]:
    """The quantisation tables of a JPEG of the official quality."""
    written = io.BytesIO()
    Image.new(mode, (8, 8)).save(written, "JPEG", quality=QUALITY)
    with Image.open(written) as picture:
        tables: dict[int, list[int]] = vars(picture)["quantization"]
        return tables


LARGEST = 64 << 20
"""Bytes; a row of ten digits for each image of ImageNet-1K takes a fifth of that."""
LARGEST_LINE = 100


def read_list(path: Path, dataset: DatasetRef) -> Imported:
    """The rows in the order of the file, with the labels that the data set gives them.

    Raises `Refused` for rows that are no rows of the training split or come twice, for a number
    that the classes do not divide, and where the file itself states another label.
    """
    readers = {".npy": _from_npy, ".txt": _from_text, ".pt": _from_torch, ".pth": _from_torch}
    if path.suffix not in readers:
        raise Refused(path, f"a list of rows is a file of {', '.join(sorted(readers))}")
    check_regular(path, LARGEST)
    rows, stated = readers[path.suffix](path)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise Refused(path, "a list of integers was expected")
    # Compared before they are converted: an unsigned row may be larger than any signed one.
    if rows.min() < 0 or rows.max() >= dataset.train_size:
        raise Refused(
            path, f"rows {rows.min()} to {rows.max()}, but '{dataset.name}' has "
            f"{dataset.train_size} training images"
        )  # fmt: skip
    if len(np.unique(rows)) != len(rows):
        raise Refused(path, "some rows come twice: this is no list of distinct images")
    if len(rows) % dataset.classes:
        raise Refused(
            path, f"{len(rows)} rows are no whole number for each of {dataset.classes} classes"
        )
    indices = rows.astype(np.int64)
    labels = np.asarray(sets.load(dataset).train.labels)[indices].astype(np.int64)
    if stated is not None and not np.array_equal(stated, labels):
        wrong = int((np.asarray(stated) != labels).argmax())
        raise Refused(
            path,
            f"row {indices[wrong]} is said to be of class {stated[wrong]}, but is of class "
            f"{labels[wrong]} in '{dataset.name}': the order of classes or of images differs",
        )
    return Imported(labels, indices=indices)


def _from_npy(path: Path) -> tuple[np.ndarray, None]:
    try:
        # Mapped first: a header that promises more than the file has is an error, not memory.
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False)), None
    except Exception as error:  # the file decides what goes wrong inside, so it is at fault
        raise Refused(path, f"is no array of numbers ({type(error).__name__})") from None


def _from_text(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    rows = []
    with path.open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(LARGEST_LINE), ""), 1):
            words = line.split()
            if not 1 <= len(words) <= 2 or not all(w.isdecimal() and len(w) < 10 for w in words):
                raise Refused(path, f"line {number}: a row, or a row and its label, was expected")
            rows.append([int(word) for word in words])
    if len({len(row) for row in rows}) != 1:
        raise Refused(path, "a row on each line was expected, or a row and its label")
    table = np.array(rows, dtype=np.int64)
    return table[:, 0], table[:, 1] if table.shape[1] == 2 else None


def _from_torch(path: Path) -> tuple[np.ndarray, None]:
    content: Any = read_torch(path)
    if isinstance(content, dict):
        subset = content.get("subset")
        content = subset.get("indices") if isinstance(subset, dict) else None
    if isinstance(content, list):
        if not all(type(item) is int and abs(item) < 1 << 62 for item in content):
            raise Refused(path, "a list of integers was expected")
        return np.array(content, dtype=np.int64), None
    if not isinstance(content, NumpyArray) and content is None:
        raise Refused(path, "no list of rows: expected was one, or 'subset' with its 'indices'")
    return tensor_array(path, content, "indices"), None
