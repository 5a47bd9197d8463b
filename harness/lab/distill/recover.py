"""Images recovered from what a teacher's BatchNorm layers remember (SRe2L, DWA, FADRM).

Batches of one image of each of some classes descend the teacher's cross-entropy on a random view of
them, and the distance of the view's statistics from those that its BatchNorm layers keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.lab.distill.kept import as_bytes, through_jpeg
from harness.lab.distill.pixels import Made, Start, cosine_rates, descend_pixels, noise, one_view
from harness.lab.distill.statistics import climb, distances, listening, norms
from harness.lab.distill.steps import DwaParams, FadrmParams, RecoverParams
from harness.lab.distill.synthesis import mean_losses
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult


@dataclass(frozen=True)
class Batch:
    """Image number `index` of each of some classes."""

    number: int
    index: int
    labels: Tensor
    """int64 (b,), on the device."""


@dataclass(frozen=True)
class Recovery:
    """What all batches share."""

    params: RecoverParams
    teacher: Classifier
    layers: list[BatchNorm]
    ctx: StepContext
    stages: int = 1
    """Descents of each batch."""

    @classmethod
    def of(
        cls,
        params: RecoverParams,
        inputs: Mapping[str, StepInput],
        ctx: StepContext,
        stages: int = 1,
    ) -> Recovery:
        weights = inputs["teacher"].tensors("weights")
        teacher = Classifier.stored(
            params.network, params.dataset, ctx.device, weights, params.precision
        )
        teacher.network.eval()
        return cls(params, teacher, norms(teacher), ctx, stages)

    @property
    def batches(self) -> list[Batch]:
        """First the first image of every class, in batches; then the second."""
        params = self.params
        classes = torch.arange(params.dataset.classes, device=self.ctx.device)
        parts = [
            (i, part) for i in range(params.per_class) for part in classes.split(params.class_batch)
        ]
        return [Batch(number, index, part) for number, (index, part) in enumerate(parts)]

    def part(self, batch: Batch, stage: int = 0) -> StepContext:
        """The context of one descent."""
        count = self.params.per_class * -(-self.params.dataset.classes // self.params.class_batch)
        return self.ctx.part(batch.number * self.stages + stage, count * self.stages)

    def view(self, images: Tensor, drawn: Generator) -> Tensor:
        """One random crop, mirroring and roll for the whole batch."""
        params = self.params
        flip = params.dataset.flip
        return one_view(images, params.augmentation, params.crop_scale, flip, params.roll, drawn)

    def loss(self, view: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy, and the weighted distance of statistics; differentiable in the view."""
        params = self.params
        with listening(self.layers, self.teacher.dtype) as heard:
            logits = self.teacher.answer(view)
        moments = [heard[layer].moments() for layer in self.layers]
        means, variances = distances(self.layers, moments, params.first_layer_weight)
        matched = params.bn_weight * (means + params.variance_weight * variances)
        return functional.cross_entropy(logits, labels) + matched

    def descend(self, images: Tensor, batch: Batch, stage: int = 0) -> Made:
        """Steps of Adam down the loss of a new view each.

        The cosine, which ends at 0, spans all stages. Draws: "synthesis" of the part.
        """
        params = self.params
        rates = cosine_rates(params.learning_rate_pixels, params.iterations, stage, self.stages)

        def loss(number: int, pixels: Tensor, drawn: Generator) -> Tensor:
            return self.loss(self.view(pixels, drawn), batch.labels)

        return descend_pixels(images, self.teacher, rates, self.part(batch, stage), loss)


def distill_sre2l(
    params: RecoverParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Recover images from Gaussian noise (SRe2L, Yin et al. 2023).

    Arrays `images` uint8 (n, h, w, c) and `labels` int64 (n,), class by class; `losses` float64
    (batches, iterations). Values `first_loss` and `last_loss`, means of the first and the last
    tenth. Draws: "first" and "synthesis" of each batch.
    Raises `UserError` if the teacher has no BatchNorm layer.
    """
    recovery = Recovery.of(params, inputs, ctx)

    def recover(batch: Batch) -> Made:
        drawn = Generator().manual_seed(recovery.part(batch).derive("first"))
        first = noise(recovery.teacher, len(batch.labels), params.dataset, drawn)
        return recovery.descend(first, batch)

    return recovered(recovery, recover)


def distill_dwa(params: DwaParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """As `distill_sre2l`, from given images and with a teacher that is perturbed (Du et al. 2024).

    Before a batch descends, the weights climb its cross-entropy on the first view that it will
    have. Climbs of the batches of one image of each class add up; the next image of each class
    begins with the teacher as it was given.
    """
    recovery, start = (
        Recovery.of(params, inputs, ctx),
        Start.of(params.dataset, params.per_class, inputs["start"]),
    )
    teacher = recovery.teacher
    given = {name: tensor.clone() for name, tensor in teacher.network.state_dict().items()}

    def recover(batch: Batch) -> Made:
        images = start.at(batch.index, batch.labels, teacher)
        if batch.labels[0] == 0:
            teacher.network.load_state_dict(given)
        # The descent draws from the same seed.
        drawn = Generator().manual_seed(recovery.part(batch).derive("synthesis"))
        view = Examples(recovery.view(images, drawn), batch.labels)
        climb(teacher, view, params.perturbation_iterations, params.perturbation_size)
        return recovery.descend(images, batch)

    return recovered(recovery, recover)


def distill_fadrm(
    params: FadrmParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `distill_sre2l`, from patches that are mixed in again after each stage (Cui et al. 2025).

    Each stage has a resolution, a new optimiser and `iterations` steps. Between two of them the
    images become `residual` x images + (1 - `residual`) x patches, at the next resolution.
    """
    recovery = Recovery.of(params, inputs, ctx, len(params.stages))
    start = Start.of(params.dataset, params.per_class, inputs["start"])

    def recover(batch: Batch) -> Made:
        patches = start.at(batch.index, batch.labels, recovery.teacher)
        images = patches
        losses = []
        for stage, side in enumerate(params.stages):
            images, patch = resized(images, side), resized(patches, side)
            if stage > 0:
                images = params.residual * images + (1 - params.residual) * patch
            images, own = recovery.descend(images, batch, stage)
            losses.append(own)
        return images, np.concatenate(losses)

    return recovered(recovery, recover)


def resized(images: Tensor, side: int) -> Tensor:
    """Images (b, c, h, h) at another side, bilinear and not antialiased, as the official code."""
    if images.shape[-1] == side:
        return images
    return functional.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def recovered(recovery: Recovery, recover: Callable[[Batch], Made]) -> StepResult:
    """Every batch made, and its images put class by class."""
    params = recovery.params
    dataset, quality = params.dataset, params.jpeg_quality

    def finished() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch in recovery.batches:
            images, own = recover(batch)
            yield through_jpeg(as_bytes(images, dataset), quality), own

    made, losses = zip(*finished(), strict=True)
    # Made one image of each class after another.
    images = np.concatenate(made)
    in_turn = images.reshape(params.per_class, dataset.classes, *images.shape[1:])
    labels = np.repeat(np.arange(dataset.classes, dtype=np.int64), params.per_class)
    arrays = {
        "images": in_turn.swapaxes(0, 1).reshape(images.shape),
        "labels": labels,
        "losses": np.stack(losses),
    }
    return StepResult(mean_losses(arrays["losses"].mean(axis=0)), arrays)
