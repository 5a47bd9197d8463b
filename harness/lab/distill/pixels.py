"""Descending pixels under a frozen network's eyes: what all statistics-matching syntheses share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import crop_resize
from harness.lab.distill.synthesis import descend, some_seed
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import RATIOS, random_boxes
from harness.lab.train.dsa import Siamese, dsa, groups
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput

Made: TypeAlias = tuple[Tensor, np.ndarray]
"""Normalised images (b, c, h, w), and the loss of every iteration, float64."""

BETAS = (0.5, 0.9)
"""Of Adam, in all official codes."""
_FINISHED = "finished"


def descend_pixels(
    images: Tensor,
    teacher: Classifier,
    rates: list[float],
    ctx: StepContext,
    loss: Callable[[int, Tensor, Generator], Tensor],
    kept: Mapping[str, Tensor] | None = None,
) -> Made:
    """Steps of Adam at the given rates down `loss`, clipped to what the teacher's pixels can be.

    `loss` is given the number of the iteration, the images and what it may draw from; `kept` are
    tensors that it changes in place. Draws: "synthesis" of `ctx`.
    """
    saved = ctx.checkpoints.load()
    if saved and _FINISHED in saved:
        return torch.from_numpy(np.array(saved[_FINISHED])).to(images.device), saved["losses"]
    learned = nn.ParameterDict({"images": images})
    pixels = learned["images"]
    optimizer = torch.optim.Adam([pixels], lr=rates[0], betas=BETAS)
    black, white = (teacher.normalised(torch.full_like(images[:1], ink)) for ink in (0, 1))

    def iterate(number: int, drawn: Generator) -> float:
        optimizer.param_groups[0]["lr"] = rates[number]
        value = loss(number, pixels, drawn)
        optimizer.zero_grad()
        value.backward(inputs=[pixels])
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(black, white)
        return value.item()

    losses = descend(learned, optimizer, len(rates), ctx, iterate, kept)
    made = pixels.detach()
    # A batch is over sooner than a checkpoint is due, and is not to be made again.
    ctx.checkpoints.save({_FINISHED: made.cpu().numpy(), "losses": losses})
    return made, losses


def cosine_rates(first: float, count: int, stage: int = 0, stages: int = 1) -> list[float]:
    """`count` learning rates of one of several stages, over which a cosine falls from `first`."""
    shares = ((stage * count + number) / (stages * count) for number in range(count))
    return [first * (1 + math.cos(math.pi * share)) / 2 for share in shares]


def one_view(
    images: Tensor,
    augmentation: str,
    crop_scale: tuple[float, float],
    flip: bool,
    roll: int,
    drawn: Generator,
) -> Tensor:
    """A random crop to the same side, mirroring and roll, the same for the whole batch.

    So do torchvision's transforms in the official codes, which are given the batch as one. The crop
    of `rrc-flip` is resized; that of `crop-flip` is DSA's, of the images amid a border an eighth of
    the side wide. Mirroring only where `flip` says that it keeps the class.
    """
    side = images.shape[-1]
    if augmentation == "rrc-flip":
        box = random_boxes(1, side, crop_scale, RATIOS, drawn)
        images = crop_resize(images, box.expand(len(images), 4), side)
        if flip and torch.rand((), generator=drawn) < 0.5:
            images = images.flip(-1)
    elif augmentation == "crop-flip":
        images = dsa(images, groups("crop_flip", flip), "all", Siamese(some_seed(drawn)))
    down, right = torch.randint(roll + 1, (2,), generator=drawn).tolist()
    return images.roll((down, right), dims=(2, 3))


def noise(classifier: Classifier, count: int, dataset: DatasetRef, generator: Generator) -> Tensor:
    """Gaussian, of unit variance; (count, c, h, w) in the type of the weights."""
    shape = (count, dataset.channels, dataset.resolution, dataset.resolution)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    return drawn.to(classifier.device, classifier.dtype)


@dataclass(frozen=True)
class Start:
    """Images to start from: number i of class c is picture `rows[i, c]`."""

    pictures: np.ndarray | Ragged
    """uint8 (n, h, w, c), or of many sizes."""
    rows: np.ndarray
    """int64 (per_class, classes)."""

    @classmethod
    def of(cls, dataset: DatasetRef, per_class: int, given: StepInput) -> Start:
        """Raises `UserError` unless the input holds `per_class` images of every class."""
        labels = given.array("labels")
        sizes = np.bincount(labels, minlength=dataset.classes)
        if not (sizes == per_class).all():
            raise UserError(
                f"a recovery of {per_class} images a class starts from as many, but the "
                f"input holds {sizes.min()} to {sizes.max()}; give one image for each to be made"
            )
        rows = labels.argsort(kind="stable").reshape(dataset.classes, per_class).T
        if "images" in given.arrays:
            return cls(given.array("images"), rows)
        return cls(sets.load(dataset).train.images, given.array("indices")[rows])

    def at(self, numbers: np.ndarray | int, labels: Tensor, teacher: Classifier) -> Tensor:
        """Image `numbers` (b,), or one for all, of classes (b,); normalised (b, c, h, w)."""
        classes = labels.cpu().numpy()
        pictures = self.pictures[self.rows[numbers, classes]]
        return teacher.shown(Examples.on(teacher.device, pictures, classes).images)
