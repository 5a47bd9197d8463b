"""The one recovery loop: batches of images whose pixels descend a loss under frozen networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.pictures import through_jpeg
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import crop_resize
from harness.lab.distill.images import as_bytes
from harness.lab.distill.recover import RecoveryParams
from harness.lab.distill.synthesis import descend, mean_losses
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import RATIOS, random_boxes
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult

Recovered: TypeAlias = tuple[Tensor, np.ndarray]
"""Normalised images (b, c, h, w), and the loss of every iteration, float64."""
PixelLoss: TypeAlias = Callable[[int, Tensor, Generator], Tensor]
"""A scalar from the number of the iteration, the images (b, c, h, w), and a generator to draw
from."""

BETAS = (0.5, 0.9)
"""Adam's, in all official codes."""
_FINISHED = "finished"


@dataclass(frozen=True)
class ImageBatch:
    """Some images that are recovered together."""

    number: int
    indices: np.ndarray
    """int64 (b,): the number of each image within its class."""
    labels: Tensor
    """int64 (b,), on the device."""


def batched(
    indices: Iterable[Tensor], labels: Iterable[Tensor], device: str
) -> tuple[ImageBatch, ...]:
    """Batches, numbered in order, from the indices and the labels of each."""
    pairs = enumerate(zip(indices, labels, strict=True))
    return tuple(ImageBatch(n, own.numpy(), classes.to(device)) for n, (own, classes) in pairs)


@dataclass(frozen=True)
class Recovery:
    """Everything that the batches of one recovery share."""

    params: RecoveryParams
    teacher: Classifier
    """Its pixels are those of the images."""
    batches: tuple[ImageBatch, ...]
    ctx: StepContext
    stages: int = 1
    """Descents of each batch."""

    def part(self, batch: ImageBatch, stage: int = 0) -> StepContext:
        """The context of one descent."""
        number = batch.number * self.stages + stage
        return self.ctx.part(number, len(self.batches) * self.stages)

    def view(self, images: Tensor, drawn: Generator) -> Tensor:
        """A random crop, mirroring and roll, the same for the whole batch.

        The official codes give torchvision's transforms the batch as one, with the same effect.
        """
        params, side = self.params, images.shape[-1]
        if params.augmentation == "rrc-flip":
            box = random_boxes(1, side, params.crop_scale, RATIOS, drawn)
            images = crop_resize(images, box.expand(len(images), 4), side)
            if params.dataset.flip and torch.rand((), generator=drawn) < 0.5:
                images = images.flip(-1)
        down, right = torch.randint(params.roll + 1, (2,), generator=drawn).tolist()
        return images.roll((down, right), dims=(2, 3))

    def noise(self, batch: ImageBatch) -> Tensor:
        """Gaussian images of unit variance, (b, c, h, w). Draws: "first" of the batch's part."""
        dataset = self.params.dataset
        drawn = Generator().manual_seed(self.part(batch).derive("first"))
        shape = (len(batch.labels), dataset.channels, dataset.resolution, dataset.resolution)
        images = torch.randn(shape, generator=drawn, dtype=torch.float64)
        return images.to(self.teacher.device, self.teacher.dtype)

    def descend(
        self,
        images: Tensor,
        batch: ImageBatch,
        loss: PixelLoss,
        stage: int = 0,
        kept: Mapping[str, Tensor] | None = None,
    ) -> Recovered:
        """Steps of Adam down `loss`, clipped to the range that the teacher's pixels can have.

        The learning rate falls by a cosine, which spans all stages. `kept` are tensors that `loss`
        changes in place. Draws: "synthesis" of the part.
        """
        ctx = self.part(batch, stage)
        saved = ctx.checkpoints.load()
        if saved and _FINISHED in saved:
            return torch.from_numpy(np.array(saved[_FINISHED])).to(images.device), saved["losses"]
        count = self.params.iterations
        rates = cosine_rates(self.params.learning_rate_pixels, count, stage, self.stages)
        learned = nn.ParameterDict({"images": images})
        pixels = learned["images"]
        optimizer = torch.optim.Adam([pixels], lr=rates[0], betas=BETAS)
        black, white = (self.teacher.normalised(torch.full_like(images[:1], i)) for i in (0, 1))

        def iterate(number: int, drawn: Generator) -> float:
            optimizer.param_groups[0]["lr"] = rates[number]
            value = loss(number, pixels, drawn)
            optimizer.zero_grad()
            value.backward(inputs=[pixels])
            optimizer.step()
            with torch.no_grad():
                pixels.clamp_(black, white)
            return value.item()

        losses = descend(learned, optimizer, count, ctx, iterate, kept)
        made = pixels.detach()
        # A batch is over sooner than a checkpoint is due, and is not to be made again.
        ctx.checkpoints.save({_FINISHED: made.cpu().numpy(), "losses": losses})
        return made, losses

    def run(self, recover: Callable[[ImageBatch], Recovered]) -> StepResult:
        """Recover every batch, and put the images class by class.

        Arrays `images` uint8 (n, h, w, c) and `labels` int64 (n,), class by class; `losses` float64
        (batches, iterations). Values `first_loss` and `last_loss`, the mean losses of the first and
        of the last tenth of the iterations.
        """

        def finished() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for batch in self.batches:
                images, losses = recover(batch)
                kept = as_bytes(images, self.params.dataset, self.params.rounding)
                yield through_jpeg(kept, self.params.jpeg_quality), losses

        images, losses = zip(*finished(), strict=True)
        labels = np.concatenate([batch.labels.cpu().numpy() for batch in self.batches])
        order = labels.argsort(kind="stable")
        arrays = {
            "images": np.concatenate(images)[order],
            "labels": labels[order],
            "losses": np.stack(losses),
        }
        return StepResult(mean_losses(arrays["losses"].mean(axis=0)), arrays)


def cosine_rates(first: float, count: int, stage: int = 0, stages: int = 1) -> list[float]:
    """`count` learning rates of one of several stages, over which a cosine falls from `first`."""
    shares = ((stage * count + number) / (stages * count) for number in range(count))
    return [first * (1 + math.cos(math.pi * share)) / 2 for share in shares]


def resized(images: Tensor, side: int) -> Tensor:
    """Images (b, c, h, h) at another side, bilinear and not antialiased, as FADRM's code has it."""
    if images.shape[-1] == side:
        return images
    return functional.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Start:
    """Images to start from: image i of class c is picture `rows[i, c]`."""

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

    def images(self, batch: ImageBatch, teacher: Classifier) -> Tensor:
        """The first images of a batch, normalised (b, c, h, w)."""
        classes = batch.labels.cpu().numpy()
        pictures = self.pictures[self.rows[batch.indices, classes]]
        return teacher.shown(Examples.on(teacher.device, pictures, classes).images)
