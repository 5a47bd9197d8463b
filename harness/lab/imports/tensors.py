"""Released sets as tensors: one file of several sets (DC, DSA, DM), or images beside labels.

Images are (n, channels, height, width), scaled as the official code scales real ones. Labels are
classes (n,), or learned logits (n, classes) where the labels were distilled too (DATM).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from harness.lab.data.refused import Refused
from harness.lab.data.torch_files import read_torch, tensor_array
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
