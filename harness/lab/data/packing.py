"""Thousands of image files decoded once, by several processes, into one file of pixels.

    <split>_pixels.bin   uint8: the pixels of every image, one image after another, row by row
    <split>_index.bin    one `ENTRY` for every file that was decoded, in order

Both grow together, a batch of files at a time, and an entry is written only when its pixels are on
the disk. So whatever stops a run, the next one goes on after the last whole entry. Memory is that
of a few batches, however many files there are.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np

from harness.errors import EvidenceError, one_line
from harness.lab.data.pictures import UNREADABLE, shrunk

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
