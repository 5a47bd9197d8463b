"""Images of many sizes: in one piece of memory, and as their publisher's files have them."""

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


@dataclass(frozen=True)
class Ragged:
    """n RGB images of different heights and widths.

    Rows of it share its memory: nothing is read before pixels are asked for.
    """

    pixels: Tensor
    """uint8 (pixels of all images, 3), row by row; mapped from a file, or on a device."""
    starts: Tensor
    """int64 (n,), on the CPU: the first pixel of each image."""
    sizes: Tensor
    """int64 (n, 2), on the CPU: height and width of each image."""
    files: PublishedFiles | None = None
    """Of the same images, where it is known which those are."""

    @classmethod
    def packed(
        cls, pixels: np.ndarray, sizes: np.ndarray, files: PublishedFiles | None = None
    ) -> Ragged:
        """From pixels uint8 (3 m,) of images that follow each other, and their sizes (n, 2)."""
        shapes = torch.from_numpy(np.asarray(sizes, dtype=np.int64))
        return cls(torch.from_numpy(pixels).view(-1, 3), _starts(shapes), shapes, files)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, rows: Tensor | np.ndarray | slice) -> Ragged:
        if not isinstance(rows, slice):
            rows = torch.as_tensor(rows).cpu()
        files = None if self.files is None else self.files[rows]
        return Ragged(self.pixels, self.starts[rows], self.sizes[rows], files)

    @property
    def published(self) -> PublishedFiles:
        """The same images as published. Raises `EvidenceError` if their files are not known."""
        if self.files is None:
            raise EvidenceError(
                "which file each image was made from is not known, so crops of the published files "
                "cannot be taken: prepare the data set again with `repro data prepare`"
            )
        return self.files

    def split(self, count: int) -> Iterator[Ragged]:
        """Parts of `count` images in order, the last one of what is left; as of a tensor."""
        for start in range(0, len(self), count):
            yield self[start : start + count]

    def is_floating_point(self) -> bool:
        """Never; as of a tensor."""
        return False

    @cached_property
    def bytes(self) -> int:
        """Memory that these images take by themselves."""
        return 3 * int(self.sizes.prod(dim=1).sum())

    def on(self, device: str | torch.device) -> Ragged:
        """Themselves where they are on that device, else a copy of these images alone."""
        if self.pixels.device.type == torch.device(device).type:
            return self
        starts = _starts(self.sizes)
        packed = torch.empty((self.bytes // 3, 3), dtype=torch.uint8, device=device)
        counts = self.sizes.prod(dim=1).tolist()
        for to, source, count in zip(starts.tolist(), self.starts.tolist(), counts, strict=True):
            packed[to : to + count] = self.pixels[source : source + count]
        return Ragged(packed, starts, self.sizes, self.files)

    def image(self, row: int) -> Tensor:
        """One image, uint8 (height, width, 3), without a copy."""
        height, width = self.sizes[row].tolist()
        start = int(self.starts[row])
        return self.pixels[start : start + height * width].view(height, width, 3)

    def crops(self, boxes: Tensor) -> Tensor:
        """What the boxes (n, 4) of top, left, height and width hold, one box of each image.

        uint8 (n, 3, largest height, largest width) on the device of the pixels; each box lies at
        the top left, and its last row and column go on beyond it.
        """
        top, left, height, width = boxes.T
        rows = top[:, None] + torch.arange(int(height.max())).minimum(height[:, None] - 1)
        columns = left[:, None] + torch.arange(int(width.max())).minimum(width[:, None] - 1)
        first = self.starts[:, None] + rows * self.sizes[:, 1:]
        device = self.pixels.device
        places = first.to(device)[:, :, None] + columns.to(device)[:, None, :]
        return self.pixels[places].permute(0, 3, 1, 2)


def _starts(sizes: Tensor) -> Tensor:
    ends = sizes.prod(dim=1).cumsum(dim=0)
    return ends - sizes.prod(dim=1)
