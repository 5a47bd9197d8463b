"""Random views of a batch of images, drawn on the CPU and made on the device of the images."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator, Tensor

from harness.errors import UserError
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import crop_resize, cut
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import Recipe, Resize
from harness.lab.train.dsa import Draws, Independent, Siamese, dsa, groups

RATIOS = (3 / 4, 4 / 3)
ATTEMPTS = 10


def views(
    classifier: Classifier,
    images: Tensor | Ragged,
    recipe: Recipe,
    factor: int,
    generator: Generator,
) -> Tensor:
    """A random view of each image (n, c, side, side), normalised for the classifier.

    Images are uint8, of one size or of many, or floating and normalised already. DSA works on
    normalised images, all else on pixels, or on what is there: weights of unit sum do not mind the
    scale.
    """
    flip = classifier.dataset.flip
    if isinstance(images, Ragged):
        normalised = _views_of_many_sizes(classifier, images, recipe, factor, generator)
    elif images.is_floating_point():
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
    if factor > 1 and recipe.patch_shuffle == "rded":
        pixels = patch_shuffle(pixels, factor, generator)
    if recipe.augmentation.startswith("rrc-flip"):
        pixels = crop_and_mirror(pixels, recipe.crop_scale, flip, generator)
    return pixels


def crop_and_mirror(
    pixels: Tensor, scale: tuple[float, float], flip: bool, generator: Generator
) -> Tensor:
    """Random resized crop to the same side, then mirroring of one half if `flip`; each its own."""
    count, side = len(pixels), pixels.shape[-1]
    pixels = crop_resize(pixels, random_boxes(count, side, scale, RATIOS, generator), side)
    if flip:
        pixels = _some_mirrored(pixels, generator)
    return pixels


def _views_of_many_sizes(
    classifier: Classifier, images: Ragged, recipe: Recipe, factor: int, generator: Generator
) -> Tensor:
    """The same of images that become square here: random crops of the whole image, or its middle.

    What is drawn is what square images draw.
    """
    if factor > 1 and recipe.patch_shuffle == "rded":
        raise UserError(
            f"patches of factor {factor} are shuffled in square images, but those of "
            f"'{classifier.dataset.name}' have many sizes; use factor 1"
        )
    if not recipe.augmentation.startswith("rrc-flip"):
        return classifier.shown(images)
    return crop_views(classifier, images, recipe.crop_scale, generator, recipe.train_resize)


def crop_views(
    classifier: Classifier,
    images: Tensor | Ragged,
    scale: tuple[float, float],
    generator: Generator,
    resize: Resize = "256",
) -> Tensor:
    """Random resized crop and mirroring of uint8 images of one size or of many, normalised.

    `resize` is `Recipe.train_resize`.
    """
    flip = classifier.dataset.flip
    if isinstance(images, Tensor):
        return classifier.normalised(
            crop_and_mirror(classifier.pixels(images), scale, flip, generator)
        )
    source = images.published if resize == "none" else images.on(classifier.device)
    boxes = boxes_within(source.sizes, scale, RATIOS, generator)
    pixels = cut(source, boxes, classifier.dataset.resolution, classifier.dtype) / 255
    pixels = pixels.to(classifier.device)
    if flip:
        pixels = _some_mirrored(pixels, generator)
    return classifier.normalised(pixels)


def _some_mirrored(pixels: Tensor, generator: Generator) -> Tensor:
    return mirror(pixels, torch.rand(len(pixels), generator=generator) < 0.5)


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
    """Crops of `count` square images, as `boxes_within`."""
    return boxes_within(torch.full((count, 2), side), scale, ratios, generator)


def boxes_within(
    sizes: Tensor, scale: tuple[float, float], ratios: tuple[float, float], generator: Generator
) -> Tensor:
    """A random crop of each image as int64 (n, 4): top, left, height, width.

    Heights and widths of the images are int64 (n, 2). Area uniform in `scale`, aspect ratio
    log-uniform in `ratios`; a crop that does not fit is drawn again, at most ten times, and then it
    is the largest in the middle whose ratio is within `ratios` (torchvision's rule).
    """
    count = len(sizes)
    heights, widths = sizes.T[:, :, None]
    draws = torch.rand(4, count, ATTEMPTS, generator=generator, dtype=torch.float64)
    area = heights * widths * (scale[0] + draws[0] * (scale[1] - scale[0]))
    low, high = math.log(ratios[0]), math.log(ratios[1])
    ratio = torch.exp(low + draws[1] * (high - low))
    width = torch.sqrt(area * ratio).round().long()
    height = torch.sqrt(area / ratio).round().long()
    top = (draws[2] * (heights - height + 1)).long()
    left = (draws[3] * (widths - width + 1)).long()
    fits = (width > 0) & (width <= widths) & (height > 0) & (height <= heights)
    first = fits.int().argmax(dim=1)
    boxes = torch.stack([top, left, height, width], dim=-1)[torch.arange(count), first]
    return torch.where(fits.any(dim=1, keepdim=True), boxes, _middle(sizes, ratios))


def _middle(sizes: Tensor, ratios: tuple[float, float]) -> Tensor:
    """The largest box in the middle of each image whose width to height is within `ratios`."""
    height, width = sizes.T
    inside = torch.stack(
        [
            torch.minimum(height, (width / ratios[0]).round().long()),
            torch.minimum(width, (height * ratios[1]).round().long()),
        ],
        dim=1,
    )
    return torch.cat([(sizes - inside) // 2, inside], dim=1)


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
