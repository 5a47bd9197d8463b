"""Random views of a batch of images, drawn on the CPU and made on the device of the images."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator, Tensor

from harness.lab.models.classifier import Classifier
from harness.lab.recipe import Recipe
from harness.lab.train.dsa import Draws, Independent, Siamese, dsa, groups

RATIOS = (3 / 4, 4 / 3)
ATTEMPTS = 10


def views(
    classifier: Classifier, images: Tensor, recipe: Recipe, factor: int, generator: Generator
) -> Tensor:
    """A random view of each image (n, c, side, side), normalised for the classifier.

    Images are uint8, or floating and normalised already. DSA works on normalised images, all else
    on pixels, or on what is there: weights of unit sum do not mind the scale.
    """
    flip = classifier.dataset.flip
    if images.is_floating_point():
        given = augment(images.to(classifier.dtype), recipe, flip, factor, generator)
        normalised = classifier.shown(given)
    else:
        pixels = augment(classifier.pixels(images), recipe, flip, factor, generator)
        normalised = classifier.normalised(pixels)
    if recipe.augmentation == "dsa":
        names = groups(recipe.dsa_strategy, flip)
        return dsa(normalised, names, recipe.dsa_mode, _draws(recipe, generator))
    if recipe.augmentation.endswith("cutmix"):
        return cutmix(normalised, recipe.cutmix_alpha, generator)
    return normalised


def augment(
    pixels: Tensor, recipe: Recipe, flip: bool, factor: int, generator: Generator
) -> Tensor:
    """A random view of each image: PatchShuffle, then random resized crop and mirroring.

    The order is that of the RDED evaluation code. `pixels` is floating (n, c, side, side);
    mirroring happens only where `flip` says that it keeps the class.
    """
    if factor > 1:
        pixels = patch_shuffle(pixels, factor, generator)
    if recipe.augmentation.startswith("rrc-flip"):
        count, side = len(pixels), pixels.shape[-1]
        boxes = random_boxes(count, side, recipe.crop_scale, RATIOS, generator)
        pixels = crop_resize(pixels, boxes, side)
        if flip:
            mirrored = torch.rand(count, generator=generator) < 0.5
            pixels = mirror(pixels, mirrored)
    return pixels


def _draws(recipe: Recipe, generator: Generator) -> Draws:
    if recipe.dsa_parameters == "per-image":
        return Independent(generator)
    return Siamese(int(torch.randint(2**31, (), generator=generator)))


def random_boxes(
    count: int,
    side: int,
    scale: tuple[float, float],
    ratios: tuple[float, float],
    generator: Generator,
) -> Tensor:
    """Crops of a square image as int64 (count, 4): top, left, height, width.

    Area uniform in `scale`, aspect ratio log-uniform in `ratios`; a crop that does not fit is drawn
    again, at most ten times, and then the whole image is taken (torchvision's rule).
    """
    draws = torch.rand(4, count, ATTEMPTS, generator=generator, dtype=torch.float64)
    area = side**2 * (scale[0] + draws[0] * (scale[1] - scale[0]))
    low, high = math.log(ratios[0]), math.log(ratios[1])
    ratio = torch.exp(low + draws[1] * (high - low))
    width = torch.sqrt(area * ratio).round().long()
    height = torch.sqrt(area / ratio).round().long()
    top = (draws[2] * (side - height + 1)).long()
    left = (draws[3] * (side - width + 1)).long()
    fits = (width > 0) & (width <= side) & (height > 0) & (height <= side)
    first = fits.int().argmax(dim=1)
    boxes = torch.stack([top, left, height, width], dim=-1)[torch.arange(count), first]
    boxes[~fits.any(dim=1)] = torch.tensor([0, 0, side, side])
    return boxes


def crop_resize(pixels: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Crop each image (n, c, h, w) to its box and resize it to `side`, bilinear and antialiased.

    Resizing is linear and separable, so each crop is a product rows @ image @ columns^T with its
    own two matrices: the whole batch at once, with any mixture of boxes.
    """
    boxes = boxes.to(pixels.device)
    height, width = pixels.shape[-2:]
    rows = _resampling(boxes[:, 0], boxes[:, 2], height, side, pixels.dtype)
    columns = _resampling(boxes[:, 1], boxes[:, 3], width, side, pixels.dtype)
    return rows[:, None] @ pixels @ columns[:, None].mT


def _resampling(start: Tensor, length: Tensor, size: int, side: int, kind: torch.dtype) -> Tensor:
    """Weights (n, side, size) of the source pixels in each target pixel: triangles of unit sum.

    A triangle reaches one source pixel when enlarging, one target pixel when shrinking. Pixels
    outside the crop weigh nothing, as if it had been cut out first.
    """
    device = start.device
    target = torch.arange(side, device=device, dtype=kind) + 0.5
    source = torch.arange(size, device=device, dtype=kind) + 0.5
    first, count = start[:, None, None].to(kind), length[:, None, None].to(kind)
    step = count / side
    centre = first + step * target[:, None]
    weights = (1 - (source - centre).abs() / step.clamp(min=1)).clamp(min=0)
    weights = weights * ((source > first) & (source < first + count))
    return weights / weights.sum(dim=-1, keepdim=True)


def mirror(pixels: Tensor, mirrored: Tensor) -> Tensor:
    """Swap left and right in the images (n, c, h, w) for which `mirrored` (n,) is true."""
    return torch.where(mirrored.to(pixels.device)[:, None, None, None], pixels.flip(-1), pixels)


def cutmix(pixels: Tensor, alpha: float, generator: Generator) -> Tensor:
    """Paste one box, the same for the whole batch, from another image of it (Yun et al. 2019).

    With a share lambda ~ Beta(alpha, alpha), the box has sides int(side sqrt(1 - lambda)) around a
    uniform centre and is cut off at the border; whose box it is, is a random permutation. Labels
    are not mixed: a teacher has to answer to the mixed image.
    """
    count, side = len(pixels), pixels.shape[-1]
    seed = int(torch.randint(2**31, (), generator=generator))
    share = np.random.default_rng(seed).beta(alpha, alpha)
    other = torch.randperm(count, generator=generator).to(pixels.device)
    half = int(side * math.sqrt(1 - share)) // 2
    row, column = torch.randint(side, (2,), generator=generator).tolist()
    rows = slice(max(row - half, 0), row + half)
    columns = slice(max(column - half, 0), column + half)
    mixed = pixels.clone()
    mixed[:, :, rows, columns] = pixels[other][:, :, rows, columns]
    return mixed


def patch_shuffle(pixels: Tensor, factor: int, generator: Generator) -> Tensor:
    """Permute the `factor` vertical strips of each image, then its horizontal strips.

    Every image (of a side that `factor` divides) draws its own two permutations, so factor 2 has
    four equally likely outcomes, one of them the image itself (RDED, Sun et al. 2024).
    """
    count, side = len(pixels), pixels.shape[-1]
    strips = torch.arange(side).view(factor, side // factor)

    def shuffled() -> Tensor:
        order = torch.rand(count, factor, generator=generator).argsort(dim=1)
        return strips[order].flatten(1).to(pixels.device)

    columns, rows = shuffled(), shuffled()
    image = torch.arange(count, device=pixels.device)[:, None, None]
    moved = pixels.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)
