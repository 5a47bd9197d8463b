"""Minimax Diffusion's algorithm: tuning a generator to images that are typical and diverse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.errors import UserError
from harness.lab.data.prepared import Split
from harness.lab.data.resize import sizes_of
from harness.lab.distill.diffusion.dit import STEPS, Diffusion, no_class, sampled
from harness.lab.distill.diffusion.generate import MinimaxParams
from harness.lab.distill.diffusion.pretrained import (
    AT_ONCE,
    as_pictures,
    decoded,
    encoded,
    normal,
    square,
)
from harness.lab.distill.synthesis import descend, step_down
from harness.lab.train.augment import mirror
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext


@dataclass(frozen=True)
class Memory:
    """The last latents of each class, first in first out."""

    held: Tensor
    """(classes, size, values of a latent)."""
    counts: Tensor
    """int64 (classes,): how many were ever put in; on the CPU."""

    @classmethod
    def empty(cls, classes: int, size: int, like: Tensor) -> Memory:
        """For latents such as `like` (c, h, w)."""
        return cls(like.new_zeros((classes, size, like.numel())), torch.zeros(classes).long())

    def latents(self, label: int) -> Tensor:
        """The latents of a class, (m, values), m at most the size; in no order."""
        return self.held[label, : int(self.counts[label])]

    def put(self, label: int, latents: Tensor) -> None:
        """Latents (b, values) of one class."""
        for latent in latents.detach():
            self.held[label, int(self.counts[label]) % self.held.shape[1]] = latent
            self.counts[label] += 1


def minimax_losses(made: Tensor, reals: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Representativeness and diversity of latents (b, values) of one class (equation 3).

    One minus their least cosine with real ones (m, values), and their greatest cosine with those
    made before: the latent least like any real one comes nearer, and the one most like another
    moves away.
    """
    return 1 - cosines(made, reals).min(), cosines(made, others).max()


def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Cosines (a, b) of rows (a, d) with rows (b, d)."""
    return functional.normalize(first, dim=1) @ functional.normalize(second, dim=1).T


@dataclass(frozen=True)
class Phase:
    """Some classes, on whose images a generator is tuned and which it then makes."""

    params: MinimaxParams
    labels: range
    transformer: Any
    tuned: list[nn.Parameter]
    autoencoder: Any
    examples: Examples
    """The training images of these classes."""
    ctx: StepContext
    diffusion: Diffusion

    def batches(self) -> tuple[int, int]:
        """Numbers of batches in an epoch and in all; an incomplete last one is left out."""
        each = len(self.examples) // self.params.batch_size
        if not each:
            raise UserError(
                f"classes {self.labels[0]} to {self.labels[-1]} have {len(self.examples)} training "
                f"images, fewer than one batch of {self.params.batch_size}; choose a smaller batch"
            )
        return each, each * self.params.epochs

    def batch(self, number: int) -> Tensor:
        """Rows of the examples: a new order each epoch, by its number alone."""
        epoch, place = divmod(number, self.batches()[0])
        order = Generator().manual_seed(self.ctx.derive(f"order-{epoch}"))
        size = self.params.batch_size
        rows = torch.randperm(len(self.examples), generator=order)
        return rows[place * size : (place + 1) * size]

    def latents(self, rows: Tensor, drawn: Generator) -> Tensor:
        """Latents of the middle square of each image, half of them mirrored."""
        params, device = self.params, self.ctx.device
        images = self.examples.taken(rows)
        sizes = sizes_of(images)
        short = sizes.min(dim=1, keepdim=True).values
        middle = torch.cat([(sizes - short) // 2, short.expand(-1, 2)], dim=1)
        pixels = square(images, middle, params.side, device, params.precision)
        if params.dataset.flip:
            pixels = mirror(pixels, torch.rand(len(rows), generator=drawn) < 0.5)
        return encoded(self.autoencoder, pixels, drawn)

    def loss(self, rows: Tensor, reals: Memory, made: Memory, drawn: Generator) -> Tensor:
        """The diffusion's loss of a batch, plus both losses of every class; remembers latents."""
        params, device = self.params, self.ctx.device
        clean = self.latents(rows, drawn)
        labels = self.examples.labels[rows.to(device)]
        times = torch.randint(STEPS, (len(rows),), generator=drawn).to(device)
        noise = normal(clean, drawn)
        dropped = torch.rand(len(rows), generator=drawn) < params.label_dropout
        shown = torch.where(dropped.to(device), no_class(self.transformer), labels)
        noised = self.diffusion.noised(clean, times, noise)
        answer = self.transformer(noised, timestep=times, class_labels=shown).sample
        loss = self.diffusion.losses(answer, clean, times, noise).mean()
        guess = self.diffusion.cleaned(noised, times, answer[:, : clean.shape[1]]).flatten(1)
        present = labels.unique().tolist()
        for label in present:
            own, place = guess[labels == label], self.labels.index(label)
            if made.counts[place]:
                typical, alike = minimax_losses(own, reals.latents(place), made.latents(place))
                loss = loss + (params.lambda_r * typical + params.lambda_d * alike) / len(present)
            reals.put(place, clean[labels == label].flatten(1))
            made.put(place, own)
        return loss

    def tune(self) -> np.ndarray:
        """Train, and leave the mean of the weights in the transformer; losses (batches,)."""
        params, count, config = self.params, len(self.labels), self.transformer.config
        learned = nn.ParameterList(self.tuned)
        means = [weight.detach().clone() for weight in self.tuned]
        optimizer = torch.optim.AdamW(learned, lr=params.learning_rate, weight_decay=0)
        latent = means[0].new_empty((config.in_channels, config.sample_size, config.sample_size))
        reals, made = (Memory.empty(count, params.memory, latent) for _ in range(2))

        def iterate(number: int, drawn: Generator) -> float:
            loss = self.loss(self.batch(number), reals, made, drawn)
            step_down(loss, optimizer)
            torch._foreach_lerp_(means, [weight.detach() for weight in self.tuned], 1 - params.ema)
            return loss.item()

        kept = {f"mean-{n}": mean for n, mean in enumerate(means)}
        for name, memory in (("reals", reals), ("made", made)):
            kept |= {name: memory.held, f"{name}-counts": memory.counts}
        first = replace(self.ctx, report=lambda share, text: self.ctx.report(share / 2, text))
        # The other kernels of a GPU add up the gradients of attention in no order.
        with sdpa_kernel(SDPBackend.MATH):
            losses = descend(learned, optimizer, self.batches()[1], first, iterate, kept)
        for mean, weight in zip(means, self.tuned, strict=True):
            weight.detach().copy_(mean)
        return losses

    def images(self) -> np.ndarray:
        """uint8 (n, h, w, c), class by class."""
        params, device = self.params, self.ctx.device
        wanted = torch.tensor(self.labels).repeat_interleave(params.per_class)
        made = []
        for numbers in torch.arange(len(wanted)).split(AT_ONCE):
            share = int(numbers[0]) / len(wanted)
            self.ctx.report((1 + share) / 2, f"image {numbers[0]} of {len(wanted)}")
            drawn = [Generator().manual_seed(self.ctx.derive(f"image-{n}")) for n in numbers]
            latents = sampled(self.transformer, wanted[numbers].to(device), params, drawn)
            pixels = decoded(self.autoencoder, latents).permute(0, 2, 3, 1).cpu()
            made.append(as_pictures(pixels.numpy(), params.dataset))
        return np.concatenate(made)


def check_fit(params: MinimaxParams, published: Any, between: Any) -> None:
    """Raises `UserError` where the generator knows other classes, sides or channels.

    Labels would stand for other classes, and guidance would reach the variance.
    """
    config, halved = published.config, len(between.config.block_out_channels) - 1
    known = {
        "classes of the data set": (params.dataset.classes, no_class(published)),
        "side": (params.side, config.sample_size << halved),
    }
    for name, (ours, theirs) in known.items():
        if ours != theirs:
            raise UserError(
                f"generator '{params.generator}' does not fit: {name} would be {ours}, but it has "
                f"{theirs}; choose another generator or correct the spec"
            )
    if params.guided_channels > config.in_channels:
        raise UserError(
            f"guided_channels is {params.guided_channels}, but the latents of "
            f"'{params.generator}' have {config.in_channels} channels; choose as many at most"
        )


def of_classes(train: Split, labels: range, device: str) -> Examples:
    """The training images of some classes, with their labels."""
    rows = np.flatnonzero(np.isin(np.asarray(train.labels), np.array(labels)))
    return Examples.of(train, device, rows)
