"""Released sets that were read once: a folder of plain arrays, known by a fingerprint.

`<data>/released/<fingerprint>/` holds `labels.npy`, `images.npy` or `indices.npy`, for learned
labels `soft_labels.npy`, and `manifest.json`. Values are kept as they were released.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import EvidenceError
from harness.lab.data import prepared, sets
from harness.lab.imports.imported import Imported
from harness.lab.recipe import DatasetRef

FORMAT = 1
MANIFEST = "manifest.json"
PROBE = "probe"
"""Stands for a set of a fixed formula, which is not on disk."""


def folder_of(fingerprint: str) -> Path:
    return prepared.data_root() / "released" / fingerprint


def fingerprint(given: Imported, dataset: DatasetRef) -> str:
    """SHA-256 of what the set is: its data set, scaling, learned rate, and every array's values."""
    arrays = {name: _plain(array) for name, array in sorted(given.arrays().items())}
    header = {
        "dataset": [dataset.name, dataset.fingerprint],
        "space": given.space,
        "learning_rate": given.learning_rate,
        "arrays": {name: [array.dtype.str, *array.shape] for name, array in arrays.items()},
    }
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for array in arrays.values():
        digest.update(array.data)
    return digest.hexdigest()


def write(given: Imported, dataset: DatasetRef, source: str) -> str:
    """Keep a set, in one move; returns its fingerprint. `source` says where it was read from."""
    identity = fingerprint(given, dataset)
    folder = folder_of(identity)
    folder.parent.mkdir(parents=True, exist_ok=True)
    manifest = {
        "format": FORMAT,
        "dataset": dataset.name,
        "source": source,
        "space": given.space,
        "learning_rate": given.learning_rate,
        "notes": list(given.notes),
        "arrays": sorted(given.arrays()),
    }
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".reading-") as temporary:
        made = Path(temporary) / identity
        made.mkdir()
        for name, array in given.arrays().items():
            np.save(made / f"{name}.npy", _plain(array), allow_pickle=False)
        (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        if not folder.exists():
            made.rename(folder)
    return identity


def read(identity: str, dataset: DatasetRef) -> Imported:
    """The set of a fingerprint, every value checked against it.

    Raises `EvidenceError` if it is not here, is damaged, or was read for another data set.
    """
    if identity == PROBE:
        return _probe(dataset)
    folder = folder_of(identity)
    if not (folder / MANIFEST).is_file():
        raise EvidenceError(
            f"no released set {identity} in {folder.parent}: download it from where its method "
            f"says, and read it with `repro data import {dataset.name}`"
        )
    try:
        manifest: Mapping[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        arrays = {
            str(name): np.load(folder / f"{name}.npy", allow_pickle=False)
            for name in manifest["arrays"]
        }
        given = Imported(
            **arrays,
            learning_rate=manifest["learning_rate"],
            space=manifest["space"],
            notes=tuple(manifest["notes"]),
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"{folder}: cannot be read ({error}); import the set again") from None
    if fingerprint(given, dataset) != identity:
        raise EvidenceError(
            f"{folder}: does not have its fingerprint with data set '{dataset.name}': it is "
            f"damaged, or was read for '{manifest['dataset']}'; import it again"
        )
    return given


def _probe(dataset: DatasetRef) -> Imported:
    """The first image of each class, its contrast raised beyond black and white."""
    train = sets.load(dataset).train
    rows = [int(np.flatnonzero(train.labels == label)[0]) for label in range(dataset.classes)]
    pixels = (train.array[rows] / 255 - 0.5) * 1.5 + 0.5
    images = (pixels - np.array(dataset.mean)) / np.array(dataset.std)
    return Imported(train.labels[rows], images.astype(np.float32), space="mean-std")


def _plain(array: np.ndarray) -> np.ndarray:
    """In C order and little-endian, so that the same values have the same bytes."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
