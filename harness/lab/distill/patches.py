"""Patches of real images: the crops that a teacher finds easiest, and images tiled from them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.data.ragged import PublishedFiles, Ragged
from harness.lab.data.resize import cut, sizes_of
from harness.lab.distill.stitch import StitchParams
from harness.lab.distill.synthesis import rounded
from harness.lab.models.classifier import Classifier
from harness.lab.train.augment import boxes_within


@dataclass(frozen=True)
class Patches:
    """Patches of one class; sources and boxes say where each was cut."""

    pixels: Tensor
    """uint8 (n, channels, side, side)."""
    sources: Tensor
    """int64 (n,): rows of the training split."""
    boxes: Tensor
    """int64 (n, 4): top, left, height, width in the source."""
    losses: Tensor
    """(n,): the teacher's cross-entropy."""

    def at(self, rows: Tensor) -> Patches:
        return Patches(self.pixels[rows], self.sources[rows], self.boxes[rows], self.losses[rows])


def best_crops(
    teacher: Classifier,
    images: Tensor | Ragged,
    sources: Tensor,
    label: int,
    params: StitchParams,
    generator: Generator,
) -> Patches:
    """For each image of one class, the crop on which the teacher's cross-entropy is lowest.

    `images` uint8 (n, c, h, w), or of many sizes; the result is on the CPU.
    """
    side = params.dataset.resolution
    if isinstance(images, Ragged) and params.train_resize == "none":
        source: Tensor | Ragged | PublishedFiles = images.published
    else:
        source = images
    owners = torch.arange(len(images)).repeat_interleave(params.crops)
    boxes = boxes_within(sizes_of(source)[owners], params.crop_scale, (1.0, 1.0), generator)
    pixels, losses = [], []
    for part in torch.arange(len(owners)).split(teacher.at_once):
        rows = owners[part]
        whole = source[rows.to(teacher.device) if isinstance(source, Tensor) else rows]
        patch = cut(whole, boxes[part], side // params.factor, torch.float64).to(teacher.device)
        kept = rounded(patch, params.rounding)
        pixels.append(kept.cpu())
        judged = patch if params.rounding == "down" else kept
        losses.append(padded_losses(teacher, judged, label, side).cpu())
    crops = Patches(torch.cat(pixels), sources[owners], boxes, torch.cat(losses))
    winner = crops.losses.view(-1, params.crops).argmin(dim=1)
    return crops.at(torch.arange(len(images)) * params.crops + winner)


@torch.no_grad()
def padded_losses(teacher: Classifier, patches: Tensor, label: int, side: int) -> Tensor:
    """Cross-entropy (n,) on patches set into the middle of a `side`-pixel image.

    The border is zero after normalisation, that is the mean colour.
    """
    pixels = teacher.pixels(patches)
    mean = torch.tensor(teacher.dataset.mean, dtype=pixels.dtype, device=pixels.device)
    mean = mean.view(-1, 1, 1)
    before = (side - patches.shape[-1]) // 2
    after = side - patches.shape[-1] - before
    centred = functional.pad(pixels - mean, (before, after, before, after)) + mean
    teacher.network.eval()
    labels = torch.full((len(patches),), label, device=patches.device)
    return functional.cross_entropy(teacher.logits(centred), labels, reduction="none")


def tile(patches: Tensor, factor: int) -> Tensor:
    """(n, factor^2, c, s, s), cells row by row, to images (n, c, factor s, factor s)."""
    count, _, channels, side, _ = patches.shape
    grid = patches.view(count, factor, factor, channels, side, side)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(count, channels, factor * side, factor * side)
