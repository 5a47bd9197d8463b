"""Batches of images, class after class, under several backbones in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from harness.lab.distill.backbones.matched import Averages, Backbone, Look, backbones_of, look
from harness.lab.distill.backbones.steps import MatchParams
from harness.lab.distill.kept import as_bytes, through_jpeg
from harness.lab.distill.pixels import Made, cosine_rates, descend_pixels, one_view
from harness.lab.distill.synthesis import mean_losses
from harness.plan.step import StepContext, StepInput, StepResult


@dataclass(frozen=True)
class Batch:
    """Some images that follow each other, where those of a class do."""

    number: int
    numbers: np.ndarray
    """int64 (b,): which of its class each is."""
    labels: Tensor
    """int64 (b,), on the device."""


@dataclass(frozen=True)
class Matching:
    """What all batches share."""

    params: MatchParams
    backbones: list[Backbone]
    ctx: StepContext

    @classmethod
    def of(
        cls,
        params: MatchParams,
        inputs: Mapping[str, StepInput],
        ctx: StepContext,
        by_class: bool = False,
    ) -> Matching:
        """Classes are among the targets if `by_class`."""
        return cls(params, backbones_of(params, inputs, ctx, by_class), ctx)

    @property
    def batches(self) -> list[Batch]:
        params, classes = self.params, self.params.dataset.classes
        labels = torch.arange(classes, device=self.ctx.device).repeat_interleave(params.per_class)
        numbers = torch.arange(params.per_class).repeat(classes)
        parts = zip(numbers.split(params.batch_size), labels.split(params.batch_size), strict=True)
        return [Batch(i, own.numpy(), classes) for i, (own, classes) in enumerate(parts)]

    def part(self, batch: Batch) -> StepContext:
        """The context of one batch."""
        count = self.params.per_class * self.params.dataset.classes
        return self.ctx.part(batch.number, -(-count // self.params.batch_size))

    def view(self, images: Tensor, drawn: Generator) -> Tensor:
        """One random crop, mirroring and roll for the whole batch."""
        params = self.params
        flip = params.dataset.flip
        return one_view(images, params.augmentation, params.crop_scale, flip, params.roll, drawn)

    def looked(
        self, batch: Batch, iteration: int, view: Tensor, averages: Averages, drawn: Generator
    ) -> Look:
        """By the backbone whose turn it is; turns go on from batch to batch."""
        turn = batch.number * self.params.iterations + iteration
        number = turn % len(self.backbones)
        return look(self.params, self.backbones, number, view, averages, drawn)

    def descend(
        self,
        first: Tensor,
        batch: Batch,
        loss: Callable[[int, Tensor, Generator, Averages], Tensor],
        kept: Mapping[str, Tensor] | None = None,
    ) -> Made:
        """Steps of Adam down the loss, from averages that are fresh for the batch.

        In the official codes the averages of a batch begin with those of the batch before it.
        Draws: "synthesis" of the part.
        """
        params = self.params
        averages = Averages.fresh(params, self.backbones)

        def averaged(iteration: int, pixels: Tensor, drawn: Generator) -> Tensor:
            return loss(iteration, pixels, drawn, averages)

        rates = cosine_rates(params.learning_rate_pixels, params.iterations)
        return descend_pixels(
            first,
            self.backbones[0].classifier,
            rates,
            self.part(batch),
            averaged,
            averages.held | dict(kept or {}),
        )

    def recovered(self, recover: Callable[[Batch], Made]) -> StepResult:
        """Every batch made.

        Arrays `images` uint8 (n, h, w, c) and `labels` int64 (n,), class by class; `losses` float64
        (batches, iterations). Values `first_loss` and `last_loss`, means of the first and the last
        tenth.
        """
        params, batches = self.params, self.batches

        def finished() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for batch in batches:
                images, losses = recover(batch)
                kept = as_bytes(images, params.dataset)
                yield through_jpeg(kept, params.jpeg_quality), losses

        made, losses = zip(*finished(), strict=True)
        arrays = {
            "images": np.concatenate(made),
            "labels": np.concatenate([batch.labels.cpu().numpy() for batch in batches]),
            "losses": np.stack(losses),
        }
        return StepResult(mean_losses(arrays["losses"].mean(axis=0)), arrays)
