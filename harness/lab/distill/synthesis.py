"""The parts that distillers share: real and first images, views, descent, and their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator, Tensor, nn

from harness.errors import EvidenceError, UserError
from harness.lab.data import sets
from harness.lab.data.ragged import Ragged
from harness.lab.distill.matching import SynthesisParams
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.dsa import Draws, dsa, groups
from harness.lab.train.loop import Examples, RunState
from harness.plan.step import Json, StepContext, StepResult


@dataclass(frozen=True)
class Reals:
    """The training split, by class."""

    examples: Examples
    pixels: Tensor
    """uint8 (n, c, h, w), the images of `examples`."""
    rows: tuple[Tensor, ...]
    """Rows of each class, int64 on the CPU."""
    rank: Tensor | None = None
    """int64 (n,) on the CPU: a draw takes rows of a lower rank first."""

    @classmethod
    def of(cls, params: SynthesisParams, device: str) -> Reals:
        train = sets.load(params.dataset).train
        labels = torch.from_numpy(np.asarray(train.labels))
        rows = tuple(torch.nonzero(labels == c)[:, 0] for c in range(params.dataset.classes))
        examples = Examples.of(train, device)
        if isinstance(examples.images, Ragged):
            raise UserError(
                f"the images of '{params.dataset.name}' have many sizes, but the bi-level "
                "distillers learn images of one size; choose another data set"
            )
        return cls(examples, examples.images, rows)

    def among(self, allowed: Tensor, rank: Tensor | None = None) -> Reals:
        """The same examples, of which only those are drawn for which `allowed` (n,) is true."""
        rows = tuple(rows[allowed[rows]] for rows in self.rows)
        return replace(self, rows=rows, rank=rank)

    def drawn(self, label: int, count: int, generator: Generator) -> Tensor:
        """`count` random rows of a class, or all if there are fewer."""
        rows = self.rows[label]
        rows = rows[torch.randperm(len(rows), generator=generator)]
        if self.rank is not None:
            rows = rows[self.rank[rows].argsort(stable=True)]
        return rows[:count]

    def images(self, rows: Tensor) -> Tensor:
        """uint8 (n, c, h, w), on the device."""
        return self.pixels[rows.to(self.pixels.device)]


def fresh(params: SynthesisParams, device: str, seed: int, zca: bool = False) -> Classifier:
    """A new random network in train mode. Raises `UserError` if it keeps running statistics."""
    made = Classifier.fresh(params.network, params.dataset, device, params.precision, seed, zca)
    refuse_statistics(made, params.network)
    made.network.train()
    return made


def refuse_statistics(classifier: Classifier, name: str) -> None:
    """Raise `UserError` if the network keeps running statistics.

    The statistics of a batch of one class are not those of the data, and no trajectory holds them.
    """
    if any(True for _ in classifier.network.buffers()):
        raise UserError(
            f"network '{name}' keeps running statistics, which the distillers cannot match; "
            "synthesise with a network that has instance norm, or none"
        )


def some_seed(generator: Generator) -> int:
    return int(torch.randint(2**31, (), generator=generator))


def first_images(
    params: SynthesisParams, reals: Reals, shown: Callable[[Tensor], Tensor], ctx: StepContext
) -> tuple[Tensor, Tensor]:
    """The start of the descent: images (n, c, h, w), class by class, and the rows they are from.

    Normalised real images, or Gaussian noise (and no rows). Draws: "first" of `ctx`. Raises
    `UserError` if a class has too few real ones.
    """
    generator = Generator().manual_seed(ctx.derive("first"))
    side, channels = params.dataset.resolution, params.dataset.channels
    if params.initial_images == "noise":
        count = params.per_class * params.dataset.classes
        noise = torch.randn(count, channels, side, side, generator=generator, dtype=torch.float64)
        return shown(noise.to(reals.pixels.device)), torch.empty(0, dtype=torch.int64)
    chosen = [reals.drawn(c, params.per_class, generator) for c in range(params.dataset.classes)]
    fewest = min(len(rows) for rows in chosen)
    if fewest < params.per_class:
        raise UserError(
            f"{params.per_class} first images of each class are asked for, but a class has only "
            f"{fewest} that qualify; ask for fewer images, or begin with noise"
        )
    rows = torch.cat(chosen)
    return shown(reals.images(rows)), rows


def augmented(params: SynthesisParams, images: Tensor, draws: Draws) -> Tensor:
    """A view of normalised images, or themselves if the synthesis has no augmentation."""
    if params.augmentation == "none":
        return images
    return dsa(images, groups(params.dsa_strategy, params.dataset.flip), "one", draws)


def step_down(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One step of an optimiser down a loss, a scalar."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def descend(
    learned: nn.Module,
    optimizer: torch.optim.Optimizer,
    iterations: int,
    ctx: StepContext,
    iterate: Callable[[int, Generator], float],
    kept: Mapping[str, Tensor] | None = None,
) -> np.ndarray:
    """Iterate from 0 and return the losses (iterations,), float64.

    `iterate` makes one step or more of what is learned, by the optimiser, and returns its loss
    before them; all that it draws, it draws from the generator, so that a run that was cut off
    goes on after its last checkpoint, with what it had put into the tensors `kept`. Draws:
    "synthesis" of `ctx`.

    Raises `EvidenceError` if the loss is no longer finite.
    """
    drawn = Generator().manual_seed(ctx.derive("synthesis"))
    losses = torch.empty(iterations, dtype=torch.float64)
    state = RunState(learned, [drawn], {"losses": losses, **(kept or {})})
    saved = ctx.checkpoints.load()
    done = state.restore(saved, optimizer) if saved else 0
    for number in range(done, iterations):
        ctx.report(number / iterations, f"iteration {number} of {iterations}")
        losses[number] = iterate(number, drawn)
        if not torch.isfinite(losses[number]):
            raise EvidenceError(
                f"the loss of iteration {number} is not a finite number: the synthesis diverged; "
                "lower its learning rates"
            )
        if ctx.checkpoints.due():
            ctx.checkpoints.save(state.saved(number + 1, optimizer))
    return losses.numpy()


def synthesised(
    params: SynthesisParams,
    images: Tensor,
    losses: np.ndarray,
    values: Mapping[str, Json] | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> StepResult:
    """The record of a synthesis: normalised images, and the scale they are in.

    Arrays `images` (n, h, w, c), floating; `labels` int64 (n,), class by class; `losses`, float64.
    Values `mean` and `std` of the scale, and the mean loss of the first and the last tenth.
    """
    scale: dict[str, Json] = {"mean": list(params.dataset.mean), "std": list(params.dataset.std)}
    made = {
        "images": images.detach().permute(0, 2, 3, 1).contiguous().cpu().numpy(),
        "labels": class_labels(params.dataset, params.per_class),
        "losses": losses,
    }
    stated = scale | mean_losses(losses) | dict(values or {})
    return StepResult(stated, made | dict(arrays or {}))


def mean_losses(losses: np.ndarray) -> dict[str, Json]:
    """Means of the first and of the last tenth of the iterations."""
    tenth = max(1, len(losses) // 10)
    return {"first_loss": float(losses[:tenth].mean()), "last_loss": float(losses[-tenth:].mean())}


def class_labels(dataset: DatasetRef, per_class: int) -> np.ndarray:
    """Labels int64 (classes x per_class,) of images that are ordered class by class."""
    return np.repeat(np.arange(dataset.classes, dtype=np.int64), per_class)


def as_bytes(normalised: Tensor, dataset: DatasetRef, rounding: str = "nearest") -> np.ndarray:
    """Normalised images (n, c, h, w) to uint8 (n, h, w, c), rounded and clipped."""
    mean, std = (
        torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)
        for values in (dataset.mean, dataset.std)
    )
    pixels = (normalised.detach().cpu().double() * std + mean) * 255
    return rounded(pixels, rounding).permute(0, 2, 3, 1).contiguous().numpy()


def rounded(pixels: Tensor, rounding: str) -> Tensor:
    """Pixels in [0, 255] as bytes, `nearest` or `down`; what lies outside is clipped."""
    whole = pixels.floor() if rounding == "down" else pixels.round()
    return whole.clamp(0, 255).byte()
