"""The one recovery loop: batches of images whose pixels descend a loss under frozen networks.

And the loss of SRe2L and DWA: the distance of images from the statistics that a teacher's BatchNorm
layers keep. A synthesis descends it, and `bn_loss` measures a given subset by the same functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.pictures import through_jpeg
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import crop_resize
from harness.lab.distill.recover import RecoverParams, RecoveryParams
from harness.lab.distill.synthesis import as_bytes, descend, mean_losses
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.models.running import layer_inputs
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


Moments: TypeAlias = list[tuple[Tensor, Tensor]]
"""Mean and variance of each layer's input, less the mean that the layer keeps; (channels,)."""


@dataclass(frozen=True)
class InputSums:
    """Sums over examples and places of one layer's input, less the mean that the layer keeps."""

    count: int
    first: Tensor
    """Sum of the values, (channels,)."""
    second: Tensor
    """Sum of their squares, (channels,)."""

    @classmethod
    def of(cls, entering: Tensor, layer: BatchNorm) -> InputSums:
        """From maps (n, channels, ...); differentiable in them."""
        kept, _ = running(layer)
        away = entering.transpose(0, 1).flatten(1) - kept[:, None]
        return cls(away.shape[1], away.sum(dim=1), away.square().sum(dim=1))

    def __add__(self, other: InputSums) -> InputSums:
        return InputSums(
            self.count + other.count, self.first + other.first, self.second + other.second
        )

    def moments(self, variance: str = "biased") -> tuple[Tensor, Tensor]:
        """Mean and variance (channels,), the variance `biased` or `unbiased`."""
        mean = self.first / self.count
        spread = self.second / self.count - mean.square()
        correction = self.count / (self.count - 1) if variance == "unbiased" else 1.0
        return mean, spread * correction


def batchnorm_layers(teacher: Classifier) -> list[BatchNorm]:
    """The BatchNorm layers, in the order of the network. Raises `UserError` if it has none."""
    found = [layer for layer in teacher.network.modules() if isinstance(layer, BatchNorm)]
    if not found:
        raise UserError(
            "a loss of batch-norm statistics needs a teacher with BatchNorm layers, but this "
            "network has none; choose another one"
        )
    return found


def running(layer: BatchNorm) -> tuple[Tensor, Tensor]:
    """The running mean and variance (channels,) that a BatchNorm layer keeps."""
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean, layer.running_var


@contextmanager
def input_sums(layers: list[BatchNorm], dtype: torch.dtype) -> Iterator[dict[int, InputSums]]:
    """Within the context, sum up the inputs of the layers, in type `dtype`, over all passes.

    The sums of a layer stand under its place in `layers`.
    """
    sums: dict[int, InputSums] = {}

    def add(place: int, entering: Tensor) -> None:
        own = InputSums.of(entering.to(dtype), layers[place])
        sums[place] = sums[place] + own if place in sums else own

    with layer_inputs(dict(enumerate(layers)), add):
        yield sums


def distances(layers: list[BatchNorm], moments: Moments, first: float) -> tuple[Tensor, Tensor]:
    """sum_l w_l |mu_l - m_l|_2 and sum_l w_l |v_l - s_l|_2, scalars; differentiable.

    mu_l and v_l are the statistics of the input of layer l, m_l and s_l those that it keeps; w_1 is
    `first`, the other weights are 1 (supplement, Equations 1 and 2; w_1 in VILA-Lab/SRe2L).
    """
    weights = [first] + [1.0] * (len(layers) - 1)
    of_means = [weight * mean.norm() for weight, (mean, _) in zip(weights, moments, strict=True)]
    of_variances = [
        weight * (variance - running(layer)[1]).norm()
        for weight, layer, (_, variance) in zip(weights, layers, moments, strict=True)
    ]
    return torch.stack(of_means).sum(), torch.stack(of_variances).sum()


def recovery_loss(
    params: RecoverParams,
    teacher: Classifier,
    layers: list[BatchNorm],
    view: Tensor,
    labels: Tensor,
) -> Tensor:
    """Cross-entropy plus the weighted distance of statistics, a scalar; differentiable in the view.

    Args:
        layers: the teacher's BatchNorm layers.
        view: normalised images (b, c, h, w).
        labels: int64 (b,).
    """
    with input_sums(layers, teacher.dtype) as sums:
        logits = teacher.answer(view)
    moments = [sums[place].moments() for place in range(len(layers))]
    means, variances = distances(layers, moments, params.first_layer_weight)
    matched = params.bn_weight * (means + params.variance_weight * variances)
    return functional.cross_entropy(logits, labels) + matched


def climb(teacher: Classifier, subset: Examples, steps: int, size: float) -> None:
    """DWA's directed weight adjustment: `steps` ascents of the mean cross-entropy on the subset.

    Each moves all weights together by `size` / `steps` along the gradient, in evaluation mode; the
    statistics that the layers keep stay. In AngusDujw/Diversity-Driven-Synthesis each batch adds
    its own ascent to those before it.
    """
    teacher.network.eval()
    weights = list(teacher.network.parameters())
    for _ in range(steps):
        teacher.network.zero_grad()
        for rows in torch.arange(len(subset)).split(SCORED_AT_ONCE):
            logits = teacher.answer(teacher.shown(subset.images[rows]))
            loss = functional.cross_entropy(logits, subset.labels[rows], reduction="sum")
            (loss / len(subset)).backward()
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        with torch.no_grad():
            for weight in weights:
                if weight.grad is not None:
                    weight.add_(size / steps * weight.grad / norm)
