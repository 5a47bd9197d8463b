"""Released coresets as lists of rows of the training split.

A `.npy` of integers, a text file with one integer a line (or an integer and its label), or a `.pt`:
a list or a tensor, or a checkpoint of DeepCore, whose `subset` has `indices`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from harness.lab.data import sets
from harness.lab.data.refused import Refused
from harness.lab.data.torch_files import NumpyArray, check_regular, read_torch, tensor_array
from harness.lab.imports.imported import Imported
from harness.lab.recipe import DatasetRef

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
