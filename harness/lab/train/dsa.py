"""Differentiable siamese augmentation (DSA, Zhao and Bilen 2021), a batch at a time.

Works on normalised images (n, c, side, side), whose zero is the mean colour; pixels that come in
from outside are zero. Draws are made on the CPU, so every device augments alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.errors import require

SCALE = 1.2
DEGREES = 15.0
CROP = 0.125
CUTOUT = 0.5
BRIGHTNESS = 1.0
SATURATION = 2.0
CONTRAST = 0.5


class Draws(Protocol):
    """Random numbers for `count` images."""

    def uniform(self, count: int) -> Tensor:
        """float32 (count,), in [0, 1)."""
        ...

    def integer(self, low: int, high: int, count: int) -> Tensor:
        """int64 (count,), in [low, high)."""
        ...


@dataclass(frozen=True)
class Independent:
    """Every image draws for itself, from one generator: the official code's seed -1."""

    generator: Generator

    def uniform(self, count: int) -> Tensor:
        return torch.rand(count, generator=self.generator)

    def integer(self, low: int, high: int, count: int) -> Tensor:
        return torch.randint(low, high, (count,), generator=self.generator)


@dataclass
class Siamese:
    """Every image takes what the first one draws: the official code's seeds from 0 on.

    Before each draw the generator is seeded anew, with `seed`, `seed` + 1 and so on, so that two
    batches of different size that start from one seed are augmented alike.
    """

    seed: int
    _generator: Generator = field(default_factory=Generator)

    def uniform(self, count: int) -> Tensor:
        return torch.rand(1, generator=self._next()).expand(count)

    def integer(self, low: int, high: int, count: int) -> Tensor:
        return torch.randint(low, high, (1,), generator=self._next()).expand(count)

    def _next(self) -> Generator:
        self._generator.manual_seed(self.seed)
        self.seed += 1
        return self._generator


def groups(strategy: str, flip: bool) -> list[str]:
    """The groups of operations of a strategy such as `color_crop_cutout_flip_scale_rotate`.

    Mirroring is left out where `flip` is false. Raises `UserError` for an unknown group.
    """
    names = strategy.split("_")
    for name in names:
        require(name, GROUPS, f"dsa_strategy '{strategy}': no group '{name}'")
    return [name for name in names if flip or name != "flip"]


def dsa(images: Tensor, names: list[str], mode: str, draws: Draws) -> Tensor:
    """Augment a batch by one group, drawn for the whole batch (mode `one`), or by all in order.

    These are the official modes S and M. Which group it is, is the first draw.
    """
    if mode == "one":
        names = [names[int(draws.integer(0, len(names), 1))]]
    for name in names:
        for operation in GROUPS[name]:
            images = operation(images, draws)
    return images


def brightness(images: Tensor, draws: Draws) -> Tensor:
    """Add U(-1/2, 1/2) to every value of an image."""
    return images + (_each(images, draws.uniform(len(images))) - 0.5) * BRIGHTNESS


def saturation(images: Tensor, draws: Draws) -> Tensor:
    """Stretch every pixel's distance from its own grey (mean over channels) by U(0, 2)."""
    grey = images.mean(dim=1, keepdim=True)
    return (images - grey) * (_each(images, draws.uniform(len(images))) * SATURATION) + grey


def contrast(images: Tensor, draws: Draws) -> Tensor:
    """Stretch every value's distance from the mean of its image by U(1/2, 3/2)."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * (_each(images, draws.uniform(len(images))) + CONTRAST) + mean


def crop(images: Tensor, draws: Draws) -> Tensor:
    """Shift by up to an eighth of the side, along rows and columns."""
    count, _, side, _ = images.shape
    reach = int(side * CROP + 0.5)
    down, right = (draws.integer(-reach, reach + 1, count) for _ in range(2))
    place = torch.arange(side)

    def source(shift: Tensor) -> Tensor:
        """Where each target row or column comes from in an image with a border of one pixel."""
        return (place + shift[:, None] + 1).clamp(0, side + 1).to(images.device)

    padded = functional.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    image = torch.arange(count, device=images.device)[:, None, None]
    moved = padded[image, source(down)[:, :, None], source(right)[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def cutout(images: Tensor, draws: Draws) -> Tensor:
    """Set a square of half the side to zero; its centre may lie on the border."""
    count, _, side, _ = images.shape
    size = int(side * CUTOUT + 0.5)
    top, left = (draws.integer(0, side + 1 - size % 2, count) - size // 2 for _ in range(2))
    place = torch.arange(side)

    def inside(start: Tensor) -> Tensor:
        """(n, side): whether a row or column is in the square; cut off at the border."""
        last = (start + size - 1).clamp(0, side - 1)
        return (place >= start.clamp(0, side - 1)[:, None]) & (place <= last[:, None])

    hole = inside(top)[:, None, :, None] & inside(left)[:, None, None, :]
    return images.masked_fill(hole.to(images.device), 0)


def flip(images: Tensor, draws: Draws) -> Tensor:
    """Swap left and right of one image in two."""
    mirrored = _each(images, draws.uniform(len(images))) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def scale(images: Tensor, draws: Draws) -> Tensor:
    """Stretch rows and columns by two independent factors, uniform in [1/1.2, 1.2]."""
    x, y = (draws.uniform(len(images)) * (SCALE - 1 / SCALE) + 1 / SCALE for _ in range(2))
    nothing = torch.zeros_like(x)
    return _affine(images, [[x, nothing], [nothing, y]])


def rotate(images: Tensor, draws: Draws) -> Tensor:
    """Turn by up to 15 degrees."""
    angle = (draws.uniform(len(images)) - 0.5) * 2 * DEGREES / 180 * math.pi
    cos, sin = angle.cos(), angle.sin()
    return _affine(images, [[cos, -sin], [sin, cos]])


GROUPS: Mapping[str, tuple[Callable[[Tensor, Draws], Tensor], ...]] = {
    "color": (brightness, saturation, contrast),
    "crop": (crop,),
    "cutout": (cutout,),
    "flip": (flip,),
    "scale": (scale,),
    "rotate": (rotate,),
}


def _each(images: Tensor, numbers: Tensor) -> Tensor:
    """One number an image, shaped to meet its pixels."""
    return numbers.to(images.device, images.dtype)[:, None, None, None]


def _affine(images: Tensor, matrix: list[list[Tensor]]) -> Tensor:
    """Sample where `matrix` sends each target point, bilinear; the centre stays where it is."""
    rows = [torch.stack([*row, torch.zeros_like(row[0])], dim=1) for row in matrix]
    theta = torch.stack(rows, dim=1).to(images.device, images.dtype)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)
