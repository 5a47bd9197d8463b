"""Images as their publisher's files have them, decoded when a crop of them is asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from harness.errors import EvidenceError
from harness.lab.data.pictures import UNREADABLE, opened

AT_ONCE = 32
"""Files that may be decoded at once, which bounds the memory."""


@dataclass(frozen=True)
class PublishedFiles:
    """n RGB images, of which nothing is in memory but the names and digests of their files."""

    folder: Path
    entries: np.ndarray
    """(n,) of `name`, the path below `folder`, and `sha256`, 32 bytes."""

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, rows: Tensor | np.ndarray | slice) -> PublishedFiles:
        chosen = rows if isinstance(rows, slice) else np.asarray(rows)
        return PublishedFiles(self.folder, self.entries[chosen])

    @cached_property
    def sizes(self) -> Tensor:
        """Height and width of each image, int64 (n, 2), which the head of its file tells."""
        found = []
        for entry in self.entries:
            try:
                with Image.open(self._path(entry)) as picture:
                    found.append(picture.size[::-1])
            except UNREADABLE as error:
                raise self._refused(entry, str(error)) from None
        return torch.tensor(found, dtype=torch.int64).reshape(-1, 2)

    def crops(self, boxes: Tensor) -> Iterator[Tensor]:
        """What the boxes (n, 4) of top, left, height and width hold, one box of each image.

        Each is uint8 (3, height, width), on the CPU. Images that come several times in a row are
        decoded once. Raises `EvidenceError` if a file is not the one that was prepared.
        """
        pairs = zip(self.entries, boxes.tolist(), strict=True)
        jobs = [list(group) for _, group in groupby(pairs, key=lambda pair: pair[0]["name"])]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for first in range(0, len(jobs), AT_ONCE):
                for crops in pool.map(self._cropped, jobs[first : first + AT_ONCE]):
                    yield from crops

    def _cropped(self, pairs: list[tuple[Any, list[int]]]) -> list[Tensor]:
        entry = pairs[0][0]
        try:
            content = self._path(entry).read_bytes()
            whole = np.asarray(opened(content))
        except UNREADABLE as error:
            raise self._refused(entry, str(error)) from None
        if hashlib.sha256(content).digest() != entry["sha256"].tobytes():
            raise self._refused(entry, "its digest is another")
        parts = (whole[t : t + h, x : x + w] for _, (t, x, h, w) in pairs)
        return [torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1))) for p in parts]

    def _path(self, entry: Any) -> Path:
        return self.folder / os.fsdecode(bytes(entry["name"]))

    def _refused(self, entry: Any, why: str) -> EvidenceError:
        return EvidenceError(
            f"{self._path(entry)}: not the file that the data set was prepared from ({why}); put "
            "it back, or prepare the data set again"
        )
