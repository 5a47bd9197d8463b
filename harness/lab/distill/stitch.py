"""Images tiled from the patches that a teacher finds easiest (RDED, Sun et al. 2024).

With a pool chosen by CAD-Prune in place of random images, this is CA2D.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.coresets.ranking import require_per_class
from harness.lab.data import sets
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import cut, sizes_of
from harness.lab.distill.kept import through_jpeg
from harness.lab.distill.steps import StitchParams
from harness.lab.models.classifier import Classifier
from harness.lab.train.augment import boxes_within
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult


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


def stitch(params: StitchParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Tile each image from factor x factor of the pool's easiest patches of its class.

    Every pool image offers its best of `crops` random square crops, shrunk to resolution / factor;
    the `per_class` x factor^2 easiest of a class are used, each once. Arrays for n = classes x
    `per_class` images, class by class:
    `images` uint8 (n, height, width, channels); `labels` int64 (n,); `sources` int64 (n, factor^2),
    rows of the training split; `boxes` int32 (n, factor^2, 4), top, left, height, width in the
    source. Cells are counted row by row. Draws: "crop" of `ctx`.
    Raises `UserError` if a class of the pool is too small.
    """
    dataset, factor = params.dataset, params.factor
    train = sets.load(dataset).train
    pool, pool_labels = inputs["pool"].array("indices"), inputs["pool"].array("labels")
    wanted = params.per_class * factor**2
    require_per_class(pool_labels, dataset.classes, wanted, "the pool of stitch")
    teacher = Classifier.stored(
        params.network, dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    generator = Generator().manual_seed(ctx.derive("crop"))
    made: dict[str, list[np.ndarray]] = {"images": [], "sources": [], "boxes": []}
    for label in range(dataset.classes):
        rows = pool[pool_labels == label]
        images = Examples.on(ctx.device, train.images[rows], train.labels[rows]).images
        best = best_crops(teacher, images, torch.from_numpy(rows), label, params, generator)
        easiest = best.at(best.losses.argsort(stable=True)[:wanted])
        # Image i takes the patches of rank i, i + per_class, ...: one from each band of difficulty.
        order = torch.arange(wanted).view(factor**2, params.per_class).T
        made["images"].append(tile(easiest.pixels[order], factor).permute(0, 2, 3, 1).numpy())
        made["sources"].append(easiest.sources[order].numpy())
        made["boxes"].append(easiest.boxes[order].int().numpy())
        ctx.report((label + 1) / dataset.classes, f"class {label + 1} of {dataset.classes}")
    arrays = {name: np.concatenate(parts) for name, parts in made.items()}
    arrays["images"] = through_jpeg(arrays["images"], params.jpeg_quality)
    arrays["labels"] = np.repeat(np.arange(dataset.classes, dtype=np.int64), params.per_class)
    return StepResult({}, arrays)


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
    owners = torch.arange(len(images)).repeat_interleave(params.crops)
    boxes = boxes_within(sizes_of(images)[owners], params.crop_scale, (1.0, 1.0), generator)
    pixels, losses = [], []
    for part in torch.arange(len(owners)).split(teacher.at_once):
        whole = images[owners[part].to(teacher.device)]
        # Rounded to bytes before they are judged: the teacher sees what the student will get.
        patch = cut(whole, boxes[part], side // params.factor, torch.float64).round().byte()
        pixels.append(patch.cpu())
        losses.append(padded_losses(teacher, patch, label, side).cpu())
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
