"""Images of many sizes, one after another in one piece of memory, a file's or a device's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from harness.errors import EvidenceError
from harness.lab.data.published import PublishedFiles


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
