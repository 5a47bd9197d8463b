"""Crops of images, resized: a whole batch at once, bilinear and antialiased.

Resizing is linear and separable, so each crop is a product rows @ image @ columns^T with its own
two matrices: any mixture of boxes, on the device of the images.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.lab.data.ragged import PublishedFiles, Ragged


def crop_resize(pixels: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Crop each image (n, c, h, w), floating, to its box and resize it to `side`.

    Boxes (n, 4) are top, left, height, width.
    """
    boxes = boxes.to(pixels.device)
    height, width = pixels.shape[-2:]
    rows = _resampling(boxes[:, 0], boxes[:, 2], height, side, pixels.dtype)
    columns = _resampling(boxes[:, 1], boxes[:, 3], width, side, pixels.dtype)
    return rows[:, None] @ pixels @ columns[:, None].mT


def cut(
    images: Tensor | Ragged | PublishedFiles, boxes: Tensor, side: int, kind: torch.dtype
) -> Tensor:
    """As `crop_resize`, of uint8 images of one size or of many; (n, c, side, side) of `kind`.

    Published files are read one after another, and what is made of them is on the CPU.
    """
    if isinstance(images, Tensor):
        return crop_resize(images.to(kind), boxes, side)
    placed = torch.cat([torch.zeros_like(boxes[:, :2]), boxes[:, 2:]], dim=1)
    if isinstance(images, PublishedFiles):
        crops = zip(images.crops(boxes), placed.split(1), strict=True)
        return torch.cat([crop_resize(crop[None].to(kind), box, side) for crop, box in crops])
    return crop_resize(images.crops(boxes).to(kind), placed, side)


def sizes_of(images: Tensor | Ragged | PublishedFiles) -> Tensor:
    """Height and width of each image, int64 (n, 2)."""
    if not isinstance(images, Tensor):
        return images.sizes
    return torch.tensor(images.shape[-2:]).expand(len(images), 2)


def evaluation_view(images: Ragged, side: int, kind: torch.dtype) -> Tensor:
    """The middle `side` pixels of each image, when its shorter side has become 8/7 as many.

    That is 256 for 224, as all large-scale codes evaluate; (n, 3, side, side) of `kind`, in
    [0, 255]. Sizes are rounded as torchvision does.
    """
    short = round(side * 8 / 7)
    heights, widths = images.sizes.T
    shorter = torch.minimum(heights, widths)
    resized = short * images.sizes // shorter[:, None]
    corner = ((resized - side) / 2).round().long()
    if torch.equal(resized, images.sizes):
        return images.crops(torch.cat([corner, torch.full_like(corner, side)], dim=1)).to(kind)
    whole = torch.cat([torch.zeros_like(images.sizes), images.sizes], dim=1)
    pixels = images.crops(whole).to(kind)
    rows, columns = (
        _resampling(
            torch.zeros_like(length).to(pixels.device),
            length.to(pixels.device),
            pixels.shape[axis],
            side,
            kind,
            (length.double() / resized[:, part]).to(pixels.device),
            corner[:, part].to(pixels.device),
        )
        for part, (axis, length) in enumerate(((-2, heights), (-1, widths)))
    )
    return rows[:, None] @ pixels @ columns[:, None].mT


def _resampling(
    start: Tensor,
    length: Tensor,
    size: int,
    side: int,
    kind: torch.dtype,
    step: Tensor | None = None,
    skipped: Tensor | None = None,
) -> Tensor:
    """Weights (n, side, size) of the source pixels in each target pixel: triangles of unit sum.

    A triangle reaches one source pixel when enlarging, one target pixel when shrinking. Pixels
    outside the crop weigh nothing, as if it had been cut out first. A target pixel is `step` source
    pixels wide, such that `side` of them fill the crop if none is given, and the first `skipped`
    are left out.
    """
    device = start.device
    target = torch.arange(side, device=device, dtype=kind) + 0.5
    source = torch.arange(size, device=device, dtype=kind) + 0.5
    first, count = start[:, None, None].to(kind), length[:, None, None].to(kind)
    step = count / side if step is None else step[:, None, None].to(kind)
    target = target[:, None] if skipped is None else target[:, None] + skipped[:, None, None]
    centre = first + step * target
    weights = (1 - (source - centre).abs() / step.clamp(min=1)).clamp(min=0)
    weights = weights * ((source > first) & (source < first + count))
    return weights / weights.sum(dim=-1, keepdim=True)
