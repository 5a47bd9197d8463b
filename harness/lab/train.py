"""The one training loop, and the evaluation that follows it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from harness.errors import EvidenceError
from harness.lab.augment import augment
from harness.lab.models import Classifier
from harness.lab.steps import Recipe
from harness.plan.step import StepContext


@dataclass(frozen=True)
class Examples:
    """Images and labels of one split or subset, resident on the device."""

    images: Tensor
    """uint8 (n, channels, height, width)."""
    labels: Tensor
    """int64 (n,)."""

    @classmethod
    def on(cls, device: str, images: np.ndarray, labels: np.ndarray) -> Examples:
        """From uint8 (n, height, width, channels) and integer labels (n,)."""
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return cls(pixels.to(device), torch.from_numpy(labels.astype(np.int64)).to(device))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Update:
    """One finished update of the weights, and what the network said before it."""

    chosen: Tensor
    """Rows of the examples in the batch, int64 (b,), on the device."""
    logits: Tensor
    """(b, classes), in train mode on the augmented batch, before the update."""
    loss: Tensor
    """Mean loss of the batch, a scalar on the device."""


def training(
    classifier: Classifier,
    examples: Examples,
    recipe: Recipe,
    samples: int,
    ctx: StepContext,
    factor: int = 1,
) -> Iterator[Update]:
    """Train until `samples` examples were seen, yielding after every update.

    The recipe's schedule spans exactly this run, whatever its `epochs`. Examples come in a new
    random order each epoch. Draws: "order" and "augment" of `ctx`, both on the CPU.
    """
    order = Generator().manual_seed(ctx.derive("order"))
    views = Generator().manual_seed(ctx.derive("augment"))
    optimizer = make_optimizer(classifier.network, recipe)
    sizes = batch_sizes(len(examples), recipe.batch_size, samples)
    warmup = round(len(sizes) * recipe.warmup_epochs * len(examples) / samples)
    batches = random_batches(len(examples), sizes, order)
    for step, batch in enumerate(batches):
        if step % max(1, len(sizes) // 100) == 0:
            ctx.report(step / len(sizes), f"training step {step} of {len(sizes)}")
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step, len(sizes), warmup)
        chosen = batch.to(classifier.device)
        pixels = classifier.pixels(examples.images[chosen])
        pixels = augment(pixels, recipe, classifier.dataset.flip, factor, views)
        classifier.network.train()
        logits = classifier.logits(pixels)
        loss = functional.cross_entropy(logits, examples.labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield Update(chosen, logits.detach(), loss.detach())


def batch_sizes(examples: int, batch_size: int, samples: int) -> list[int]:
    """Sizes of the batches of a run over `samples` examples, epoch by epoch.

    The last batch of an epoch holds what is left; a single example left over joins the batch
    before it, because batch norm may have no statistics for one.
    """
    sizes: list[int] = []
    for start in range(0, samples, examples):
        full, rest = divmod(min(examples, samples - start), batch_size)
        sizes += [batch_size] * full
        if rest == 1 and sizes:
            sizes[-1] += 1
        elif rest:
            sizes.append(rest)
    return sizes


def random_batches(examples: int, sizes: list[int], generator: Generator) -> Iterator[Tensor]:
    """Rows of the examples in each batch, int64 on the CPU: one random order after another."""
    queue = torch.empty(0, dtype=torch.int64)
    for size in sizes:
        while len(queue) < size:
            queue = torch.cat([queue, torch.randperm(examples, generator=generator)])
        batch, queue = queue[:size], queue[size:]
        yield batch


def learning_rate(recipe: Recipe, step: int, steps: int, warmup: int) -> float:
    """The rate of update `step` (from 0) of `steps`, the first `warmup` of which ramp up to it."""
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    if recipe.scheduler == "constant":
        return recipe.learning_rate
    progress = (step - warmup) / (steps - warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * progress)) / 2


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser, with weight decay on every parameter (DeepCore's choice)."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    return torch.optim.SGD(
        network.parameters(),
        lr=rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=decay,
    )


@dataclass(frozen=True)
class Evaluation:
    accuracy: float
    """Fraction of examples classified correctly, in [0, 1]."""
    loss: float
    """Mean cross-entropy, in nats."""
    correct: np.ndarray
    """bool (n,)."""


def evaluate(classifier: Classifier, examples: Examples) -> Evaluation:
    """Judge a network on un-augmented images, in evaluation mode.

    Raises `EvidenceError` if the loss is not finite: the training has diverged.
    """
    logits = torch.cat(list(classifier.predict(examples.images)))
    loss = functional.cross_entropy(logits, examples.labels).item()
    if not math.isfinite(loss):
        raise EvidenceError(
            "the network's loss is not a finite number: its training diverged; "
            "lower the recipe's learning rate"
        )
    correct = (logits.argmax(dim=1) == examples.labels).cpu().numpy()
    return Evaluation(float(correct.mean()), loss, correct)
