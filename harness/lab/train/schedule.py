"""How long a run is, how fast it learns at each update, and with what optimiser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from harness.lab.recipe import Recipe


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


@dataclass(frozen=True)
class Schedule:
    """The learning rate of every update of one run, whatever the recipe's own length is."""

    recipe: Recipe
    steps: int
    per_epoch: int
    """Updates of a whole epoch."""
    warmup: int
    """Updates that ramp up to the rate."""
    drop: int
    """The update at which a step schedule falls: at the same share of the run as in a student's."""

    @classmethod
    def of(cls, recipe: Recipe, examples: int, samples: int) -> Schedule:
        steps = len(batch_sizes(examples, recipe.batch_size, samples))
        return cls(
            recipe=recipe,
            steps=steps,
            per_epoch=len(batch_sizes(examples, recipe.batch_size, examples)),
            warmup=round(steps * recipe.warmup_epochs * examples / samples),
            drop=round(steps * recipe.epochs_before_drop / recipe.run_epochs),
        )

    def rate(self, step: int) -> float:
        """The learning rate of update `step`, from 0."""
        recipe = self.recipe
        if step < self.warmup:
            first, share = recipe.warmup_start * self.warmup, 1 - recipe.warmup_start
            return recipe.learning_rate * (first + share * (step + 1)) / self.warmup
        if recipe.scheduler == "constant":
            return recipe.learning_rate
        if recipe.scheduler == "step":
            return recipe.learning_rate * (recipe.step_factor if step >= self.drop else 1)
        if recipe.scheduler_interval == "epoch":
            step = max(self.warmup, step - step % self.per_epoch)
        progress = (step - self.warmup) / (self.steps - self.warmup)
        # A cosine that would reach its floor where it is cut off: all of it for 0, half for 1/2.
        part = math.acos(2 * recipe.cosine_floor - 1) / math.pi
        return recipe.learning_rate * (1 + math.cos(math.pi * progress * part)) / 2

    def starts_afresh(self, step: int) -> bool:
        """Whether the official loop replaces its optimiser, and so loses its momentum, here."""
        recipe = self.recipe
        return recipe.scheduler == "step" and recipe.loop == "official" and step == self.drop


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser, with weight decay on the parameters that it names."""
    parameters = list(network.parameters())
    groups: list[dict[str, Any]] = [{"params": parameters}]
    if recipe.decayed_parameters == "weights":
        groups = [
            {"params": [p for p in parameters if p.ndim > 1]},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=recipe.betas, weight_decay=decay)
    # torch refuses Nesterov's look ahead where there is no momentum, with which it is plain SGD.
    nesterov = recipe.nesterov and recipe.momentum > 0
    return torch.optim.SGD(
        groups, lr=rate, momentum=recipe.momentum, nesterov=nesterov, weight_decay=decay
    )
