"""ImageNet's own folders, made into two splits of images of many sizes.

`train/<wnid>/` holds the training images of each class. `val/` holds the validation images in the
folders of their classes, or all together with a file that tells their classes beside it: Kaggle's
`LOC_val_solution.csv`, or the publisher's development kit, in whose `meta.mat` are the wnids of the
numbers that its ground truth has. Classes are counted in the order of their wnids, as torchvision's
`ImageFolder` does. Training images come class by class and by number in each, validation images by
number, whatever the layout.

Thousands of files are decoded once, by several processes, into one file of pixels for each split:

    <split>_pixels.bin   uint8: the pixels of every image, one image after another, row by row
    <split>_index.bin    one `ENTRY` for every file that was decoded, in order

Both grow together, a batch of files at a time, and an entry is written only when its pixels are on
the disk. So whatever stops a run, the next one goes on after the last whole entry. Memory is that
of a few batches, however many files there are.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np

from harness.errors import EvidenceError, UserError, one_line
from harness.lab.data import prepared
from harness.lab.data.pictures import UNREADABLE, by_number, shrunk

SUFFIXES = (".jpeg", ".jpg", ".png")
CSV = "LOC_val_solution.csv"
KIT = "ILSVRC2012_devkit_t12/data"
SHORT = 256
"""Pixels of the shorter side as it is kept: that of the usual evaluation view of 224 pixels."""


@dataclass(frozen=True)
class Listing:
    """The files of one split and their classes, in order."""

    paths: list[Path]
    wnids: list[str]

    @property
    def digest(self) -> str:
        """SHA-256 of the files' names and classes."""
        lines = [f"{path.name} {wnid}\n" for path, wnid in zip(self.paths, self.wnids, strict=True)]
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def prepare(name: str, folder: Path, skip_damaged: bool, report: Report) -> Path:
    """Decode the publisher's files in `folder` into the prepared form; returns its folder.

    Goes on where an earlier run on the same files stopped. Raises `EvidenceError` if files are
    missing or damaged, `UserError` if another process is at it.
    """
    try:
        train, test = by_class(folder / "train"), validation(folder)
    except OSError as error:
        raise EvidenceError(
            f"{error.filename}: {error.strerror}; put the publisher's folders train and val into "
            f"{folder}"
        ) from None
    classes = {wnid: number for number, wnid in enumerate(sorted(set(train.wnids)))}
    unknown = sorted(set(test.wnids) - set(classes))
    if unknown or not classes:
        raise EvidenceError(
            f"{folder / 'val'}: classes {unknown[:3]} of its pictures have none in "
            f"{folder / 'train'}, which has {len(classes)} classes"
        )
    unfinished = prepared.folder_of(name).parent / f".{name}-unfinished"
    with _alone(unfinished, name):
        _forget_others(unfinished, {"train": train.digest, "test": test.digest, "short": SHORT})
        entries, files, labels = {}, {}, {}
        for split, listing in (("train", train), ("test", test)):
            entries[split] = pack(listing.paths, unfinished, split, SHORT, skip_damaged, report)
            files[split] = [os.fsencode(path.relative_to(folder)) for path in listing.paths]
            labels[split] = np.array([classes[wnid] for wnid in listing.wnids], dtype=np.int64)
        return prepared.finish_ragged(name, unfinished, entries, files, labels, list(classes))


def by_class(folder: Path) -> Listing:
    """Pictures in folders that are named by wnids, class by class."""
    paths: list[Path] = []
    wnids: list[str] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = by_number(_pictures(place))
        paths += found
        wnids += [place.name] * len(found)
    return Listing(paths, wnids)


def validation(folder: Path) -> Listing:
    """The validation images, by number, in any of the three layouts."""
    found = _pictures(folder / "val")
    if not found:
        listing = by_class(folder / "val")
        found = listing.paths
        classes = {path.stem: wnid for path, wnid in zip(found, listing.wnids, strict=True)}
    elif (folder / CSV).is_file():
        rows = (folder / CSV).read_text("utf-8").splitlines()[1:]
        classes = dict(row.replace(",", " ").split()[:2] for row in rows if row.strip())
    else:
        classes = _told_by_kit(folder / KIT, [path.stem for path in by_number(found)])
    paths = by_number(found)
    untold = [path.name for path in paths if path.stem not in classes]
    if untold:
        raise EvidenceError(
            f"{folder / 'val'}: the class of {untold[0]} and of {len(untold) - 1} more is not told"
        )
    return Listing(paths, [classes[path.stem] for path in paths])


def _told_by_kit(kit: Path, stems: list[str]) -> dict[str, str]:
    """The wnid of each validation image, which the publisher's kit tells in their order."""
    from scipy.io import loadmat

    truth = kit / "ILSVRC2012_validation_ground_truth.txt"
    if not truth.is_file():
        raise EvidenceError(
            f"{kit.parents[1] / 'val'}: its pictures are in no folders of classes; put {CSV} or "
            f"the publisher's {KIT} into {kit.parents[1]}"
        )
    synsets = loadmat(str(kit / "meta.mat"), squeeze_me=True)["synsets"]
    wnids = {int(synset["ILSVRC2012_ID"]): str(synset["WNID"]) for synset in synsets}
    numbers = truth.read_text("utf-8").split()
    if len(numbers) != len(stems):
        raise EvidenceError(f"{truth}: {len(numbers)} classes for {len(stems)} pictures")
    return {stem: wnids[int(number)] for stem, number in zip(stems, numbers, strict=True)}


def _pictures(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """No other process prepares this data set meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"data set '{name}' is being prepared by another process; wait for it"
            ) from None
        yield


def _forget_others(folder: Path, source: Mapping[str, str | int]) -> None:
    """Start anew unless what is in the folder was made from the same source."""
    told = folder / "source.json"
    text = json.dumps(source, indent=1) + "\n"
    if not (told.is_file() and told.read_text("utf-8") == text):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        told.write_text(text, "utf-8")


ENTRY = np.dtype([("size", "<i4", 2), ("sha256", "u1", 32)])
"""Height and width of an image as it is kept, 0 and 0 if it was left out; digest of its file."""
AT_ONCE = 64
"""Files decoded by one process before it hands them over."""

Report: TypeAlias = Callable[[int, int], None]
"""Called with the number of files that are done, and the number of all files."""


@dataclass(frozen=True)
class Packed:
    """The pixels and entries that one batch of files became."""

    pixels: bytes
    entries: np.ndarray
    damaged: tuple[str, ...]
    """One line on each file that is no whole picture."""


def pack(
    paths: Sequence[Path], folder: Path, split: str, short: int, skip_damaged: bool, report: Report
) -> np.ndarray:
    """Decode the files that are left to do, and return the entries of all.

    `short` is the shorter side of every image as it is kept. Raises `EvidenceError` at the first
    damaged files unless they are to be left out; what came before them is kept.
    """
    pixels, index = folder / f"{split}_pixels.bin", folder / f"{split}_index.bin"
    done = _resume(pixels, index)
    left = [paths[i : i + AT_ONCE] for i in range(done, len(paths), AT_ONCE)]
    with pixels.open("ab") as pixel_file, index.open("ab") as index_file:
        for packed in _in_order(left, short):
            if packed.damaged and not skip_damaged:
                raise EvidenceError(
                    f"{'; '.join(packed.damaged)}: put whole files there and prepare again, which "
                    f"goes on after the {done} files that are done, or leave them out with "
                    "--skip-damaged"
                )
            entries = packed.entries.tobytes()
            for file, content in ((pixel_file, packed.pixels), (index_file, entries)):
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            done += len(packed.entries)
            report(done, len(paths))
    return np.fromfile(index, ENTRY)


def size_of(entries: np.ndarray) -> int:
    """Bytes of the pixels of these entries."""
    return 3 * int(entries["size"].astype(np.int64).prod(axis=1).sum())


def _resume(pixels: Path, index: Path) -> int:
    """Cut both files back to whole entries whose pixels are there; returns how many these are."""
    if not (pixels.is_file() and index.is_file()):
        pixels.write_bytes(b"")
        index.write_bytes(b"")
        return 0
    os.truncate(index, index.stat().st_size // ENTRY.itemsize * ENTRY.itemsize)
    entries = np.fromfile(index, ENTRY)
    if pixels.stat().st_size < size_of(entries):
        # The disk lost what it had said to hold.
        os.truncate(index, 0)
        entries = entries[:0]
    os.truncate(pixels, size_of(entries))
    return len(entries)


def _in_order(batches: Sequence[Sequence[Path]], short: int) -> Iterator[Packed]:
    """Each batch decoded, in order; no more are under way than every process has two of."""
    workers = min(len(os.sched_getaffinity(0)), len(batches))
    if workers < 2:
        for batch in batches:
            yield decode(batch, short)
        return
    queue: deque[Future[Packed]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for batch in batches:
                if len(queue) == 2 * workers:
                    yield queue.popleft().result()
                queue.append(pool.submit(decode, batch, short))
            while queue:
                yield queue.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def decode(paths: Sequence[Path], short: int) -> Packed:
    """One batch of files, in order."""
    images, damaged = [], []
    entries = np.zeros(len(paths), ENTRY)
    for entry, path in zip(entries, paths, strict=True):
        content = path.read_bytes()
        entry["sha256"] = np.frombuffer(hashlib.sha256(content).digest(), np.uint8)
        try:
            image = shrunk(content, short)
        except UNREADABLE as error:
            damaged.append(one_line(f"{path} cannot be decoded ({error})"))
            continue
        entry["size"] = image.shape[:2]
        images.append(image.tobytes())
    return Packed(b"".join(images), entries, tuple(damaged))
