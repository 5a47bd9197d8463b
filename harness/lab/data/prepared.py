"""Prepared data sets: a folder of plain arrays with a manifest, read without copying.

`<data>/<name>/` holds `train_images.npy` and `test_images.npy`, uint8 (n, height, width, channels),
`train_labels.npy` and `test_labels.npy`, int64 (n,), and `manifest.json` with the digest of each.
The data folder is what `REPRO_DATA` names, else `data/` beside the `specs/` of the project.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import EvidenceError

MANIFEST = "manifest.json"
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Split:
    images: np.ndarray
    """uint8 (n, height, width, channels)."""
    labels: np.ndarray
    """int64 (n,), classes from 0."""
    files: str = ""
    """Where images are published compressed with a loss: SHA-256 over the SHA-256 of each file, in
    order. It stands for the pixels, which may differ a little between decoders."""


@dataclass(frozen=True)
class Dataset:
    train: Split
    test: Split


def fingerprint(dataset: Dataset) -> str:
    """SHA-256 of the decoded pixels (training, then test), then of the labels (likewise).

    Pixels are bytes, row by row, or the digest of the files that they were decoded from; labels are
    64-bit little-endian integers. Order matters, so another split of the same images has another
    fingerprint.
    """
    digest = hashlib.sha256()
    for split in (dataset.train, dataset.test):
        digest.update(bytes.fromhex(split.files) or np.ascontiguousarray(split.images))
    for split in (dataset.train, dataset.test):
        digest.update(np.ascontiguousarray(split.labels, dtype="<i8"))
    return digest.hexdigest()


def data_root() -> Path:
    named = os.environ.get("REPRO_DATA")
    if named:
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "specs" / "paper.toml").is_file():
            return folder / "data"
    return here / "data"


def folder_of(name: str) -> Path:
    return data_root() / name


def is_prepared(name: str) -> bool:
    return (folder_of(name) / MANIFEST).is_file()


def read(name: str) -> Dataset:
    """The prepared arrays, memory-mapped.

    Raises `EvidenceError` if they are not there or not readable, or if only the manifest could tell
    that they are not what was prepared.
    """
    folder = folder_of(name)
    if not is_prepared(name):
        raise EvidenceError(
            f"data set '{name}' is not in {folder}: `repro data prepare {name}` makes it from its "
            "publisher's files; REPRO_DATA names another data folder"
        )
    try:
        arrays = {part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in ARRAYS}
    except (OSError, EOFError, ValueError) as error:
        raise EvidenceError(
            f"data set '{name}' in {folder} cannot be read ({error}): "
            f"prepare it again with `repro data prepare {name}`"
        ) from None
    files = _manifest(folder).get("files", {})
    if files and damaged(name):
        raise EvidenceError(
            f"{folder / damaged(name)[0]}: missing, or not as the manifest says; prepare it again "
            f"with `repro data prepare {name}`"
        )
    return Dataset(
        Split(arrays["train_images"], arrays["train_labels"], files.get("train", "")),
        Split(arrays["test_images"], arrays["test_labels"], files.get("test", "")),
    )


def write(name: str, dataset: Dataset, source: str) -> Path:
    """Write the prepared form, in one move, in the place of what is there; returns its folder."""
    folder = folder_of(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "train_images": dataset.train.images,
        "train_labels": dataset.train.labels.astype(np.int64),
        "test_images": dataset.test.images,
        "test_labels": dataset.test.labels.astype(np.int64),
    }
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as temporary:
        made = Path(temporary) / name
        made.mkdir()
        for part, array in arrays.items():
            np.save(made / f"{part}.npy", array, allow_pickle=False)
        manifest = {
            "format": 1,
            "name": name,
            "source": source,
            "fingerprint": fingerprint(dataset),
            "sha256": {f"{part}.npy": _file_digest(made / f"{part}.npy") for part in arrays},
        }
        if dataset.train.files:
            manifest["files"] = {"train": dataset.train.files, "test": dataset.test.files}
        (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    return folder


def damaged(name: str) -> list[str]:
    """Files of a prepared data set that are missing or differ from the manifest's digests.

    Raises `EvidenceError` if the manifest itself cannot be read.
    """
    folder = folder_of(name)
    return [
        file
        for file, digest in sorted(_manifest(folder)["sha256"].items())
        if not (folder / file).is_file() or _file_digest(folder / file) != digest
    ]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        held: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        if isinstance(held["sha256"], dict):
            return held
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise EvidenceError(f"{folder / MANIFEST}: no readable manifest; prepare '{folder.name}' again")


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
