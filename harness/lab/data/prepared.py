"""Prepared data sets: a folder of plain arrays with a manifest, read without copying.

`<data>/<name>/` holds `train_images.npy` and `test_images.npy`, uint8 (n, height, width, channels),
`train_labels.npy` and `test_labels.npy`, int64 (n,), and `manifest.json` with the digest of each.
Where images differ in size, `train_pixels.bin` and `test_pixels.bin` hold the pixels of one image
after another, `train_sizes.npy` and `test_sizes.npy`, int32 (n, 2), their heights and widths, and
`train_files.npy` and `test_files.npy` the names and digests of the files that they were made from.
The data folder is what `REPRO_DATA` names, else `data/` beside the `specs/` of the project.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import EvidenceError, UserError

if TYPE_CHECKING:
    from harness.lab.data.ragged import Ragged

MANIFEST = "manifest.json"
PLAIN, RAGGED = 1, 2
"""Formats of a manifest: arrays of images of one size, or images of many."""
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Split:
    images: np.ndarray | Ragged
    """uint8 (n, height, width, channels), or images of many sizes."""
    labels: np.ndarray
    """int64 (n,), classes from 0."""
    files: str = ""
    """Where images are published compressed with a loss: SHA-256 over the SHA-256 of each file, in
    order. It stands for the pixels, which may differ a little between decoders."""

    @property
    def array(self) -> np.ndarray:
        """The images, which have to be of one size. Raises UserError if they are of many."""
        if not isinstance(self.images, np.ndarray):
            raise UserError(
                "images of one size are needed here, but those of this data set have many sizes; "
                "use a data set that is prepared at one size"
            )
        return self.images


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
        digest.update(bytes.fromhex(split.files) or np.ascontiguousarray(split.array).data)
    for split in (dataset.train, dataset.test):
        digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
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


def published(name: str) -> Path:
    """Where the publisher's files of a data set are or belong."""
    return data_root() / "publishers" / name


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
    manifest = _manifest(folder)
    if manifest["format"] == RAGGED:
        return _read_ragged(name, folder, manifest)
    try:
        arrays = {part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in ARRAYS}
    except (OSError, EOFError, ValueError) as error:
        raise EvidenceError(
            f"data set '{name}' in {folder} cannot be read ({error}): "
            f"prepare it again with `repro data prepare {name}`"
        ) from None
    files = manifest.get("files", {})
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
        "train_images": dataset.train.array,
        "train_labels": dataset.train.labels.astype(np.int64),
        "test_images": dataset.test.array,
        "test_labels": dataset.test.labels.astype(np.int64),
    }
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as temporary:
        made = Path(temporary) / name
        made.mkdir()
        for part, array in arrays.items():
            np.save(made / f"{part}.npy", array, allow_pickle=False)
        _finish(made, dataset, {"format": PLAIN, "name": name, "source": source}, folder)
    return folder


def finish_ragged(
    name: str,
    unfinished: Path,
    entries: Mapping[str, np.ndarray],
    files: Mapping[str, Sequence[bytes]],
    labels: Mapping[str, np.ndarray],
    classes: Sequence[str],
) -> Path:
    """Complete a folder that holds the pixels of both splits, and move it into its place.

    `entries` are those of `packing`, one for each file, `files` their paths below the publisher's
    folder, and `labels` (n,) their classes; files that were left out are in neither the arrays nor
    the fingerprint. `classes` are the publisher's names
    of the classes, in order. Returns the folder of the set.
    """
    splits = {}
    for split, made in entries.items():
        kept = made["size"].all(axis=1)
        np.save(unfinished / f"{split}_sizes.npy", made["size"][kept], allow_pickle=False)
        np.save(unfinished / f"{split}_labels.npy", labels[split][kept], allow_pickle=False)
        known = _known_by(files[split], made["sha256"])[kept]
        np.save(unfinished / f"{split}_files.npy", known, allow_pickle=False)
        digest = hashlib.sha256(known["sha256"].tobytes()).hexdigest()
        splits[split] = Split(np.empty(0), labels[split][kept], digest)
    source = json.loads((unfinished / "source.json").read_text("utf-8"))
    told = {"format": RAGGED, "name": name, "source": "the publisher's files", "made_from": source}
    told["classes"] = list(classes)
    # What a run goes on from goes last: pixels of a million images take long to digest.
    leftovers = ["source.json", *(f"{split}_index.bin" for split in entries)]
    _finish(unfinished, Dataset(**splits), told, folder_of(name), leftovers)
    return folder_of(name)


def _known_by(names: Sequence[bytes], digests: np.ndarray) -> np.ndarray:
    """Files by name and digest (n, 32), as `PublishedFiles` has them."""
    listed = np.array(names, dtype=np.bytes_)
    known = np.empty(len(names), [("name", listed.dtype), ("sha256", "u1", 32)])
    known["name"], known["sha256"] = listed, digests
    return known


def _finish(
    made: Path,
    dataset: Dataset,
    told: dict[str, Any],
    folder: Path,
    leftovers: Sequence[str] = (),
) -> None:
    """Write the manifest of what is in `made`, and move all of it to `folder` but the leftovers."""
    paths = [path for path in sorted(made.iterdir()) if path.name not in (MANIFEST, *leftovers)]
    manifest = told | {
        "fingerprint": fingerprint(dataset),
        "sha256": {path.name: _file_digest(path) for path in paths},
        "bytes": {path.name: path.stat().st_size for path in paths},
    }
    if dataset.train.files:
        manifest["files"] = {"train": dataset.train.files, "test": dataset.test.files}
    (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    made.rename(folder)
    for name in leftovers:
        (folder / name).unlink()


def damaged(name: str, pixels: bool = True) -> list[str]:
    """Files of a prepared data set that are missing or differ from the manifest.

    By their digests, but without `pixels` those of images of many sizes by their length alone:
    hundreds of gigabytes may be there. Raises `EvidenceError` if the manifest cannot be read.
    """
    folder = folder_of(name)
    manifest = _manifest(folder)

    def sound(path: Path, digest: str) -> bool:
        if not path.is_file():
            return False
        if path.suffix == ".bin" and not pixels:
            return bool(path.stat().st_size == manifest["bytes"][path.name])
        return _file_digest(path) == digest

    held = sorted(manifest["sha256"].items())
    return [file for file, digest in held if not sound(folder / file, digest)]


def class_names(name: str) -> list[str]:
    """The publisher's names of the classes, in order; none where they were not kept."""
    held = _manifest(folder_of(name)).get("classes", [])
    return [str(each) for each in held]


def _read_ragged(name: str, folder: Path, manifest: dict[str, Any]) -> Dataset:
    """Checked but for the pixels, which are mapped."""
    from harness.lab.data.ragged import PublishedFiles, Ragged

    wrong = damaged(name, pixels=False)
    if wrong:
        raise EvidenceError(
            f"{folder / wrong[0]}: missing, or not as the manifest says; prepare it again with "
            f"`repro data prepare {name}`"
        )
    splits = {}
    for split in ("train", "test"):
        sizes, labels = (np.load(folder / f"{split}_{part}.npy") for part in ("sizes", "labels"))
        # Copy on write, and never written: torch wants memory that it may write to.
        pixels = np.memmap(folder / f"{split}_pixels.bin", np.uint8, mode="c")
        known, files = folder / f"{split}_files.npy", None
        if known.is_file():
            files = PublishedFiles(published(name), np.load(known, mmap_mode="r"))
        images = Ragged.packed(pixels, sizes, files)
        splits[split] = Split(images, labels, manifest["files"][split])
    return Dataset(**splits)


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
