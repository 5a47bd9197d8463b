"""Experts: networks trained on all data, and the trajectories of their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from harness.errors import UserError
from harness.lab.distill.synthesis import refuse_statistics
from harness.lab.distill.trajectories import ExpertsParams
from harness.lab.models.classifier import Classifier
from harness.lab.train.fused import (
    Member,
    at_once,
    hand_back,
    joined,
    training_together,
    worth_compiling,
)
from harness.lab.train.loop import Examples, evaluate
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput


def trained(
    params: ExpertsParams, train: Examples, test: Examples, ctx: StepContext
) -> tuple[list[dict[str, np.ndarray]], list[float]]:
    """The trajectory of each expert, see `paths`, and its accuracy at the end."""
    trajectories, accuracies = [], []
    for number, contexts in enumerate(groups := _groups(params, ctx)):
        members = [Member(_fresh(params, own), train, own) for own in contexts]
        trajectories += paths(members, params, ctx.part(number, len(groups)))
        accuracies += [evaluate(each.classifier, test).accuracy for each in members]
    return trajectories, accuracies


def _fresh(params: ExpertsParams, own: StepContext) -> Classifier:
    recipe = params.recipe
    return Classifier.fresh(
        params.network,
        params.dataset,
        own.device,
        recipe.precision,
        own.derive("init"),
        recipe.zca,
    )


def _groups(params: ExpertsParams, ctx: StepContext) -> list[list[StepContext]]:
    """The contexts of all experts, those together that are trained together."""
    contexts = [ctx.part(number, params.count) for number in range(params.count)]
    first = _fresh(params, contexts[0])
    refuse_statistics(first, params.network)
    size = at_once(first, params.count, params.recipe.batch_size)
    return [contexts[start : start + size] for start in range(0, params.count, size)]


def paths(
    members: Sequence[Member], params: ExpertsParams, ctx: StepContext
) -> list[dict[str, np.ndarray]]:
    """Every parameter of each at the start and after each epoch, (epochs + 1, ...)."""
    epochs, train = params.recipe.epochs, members[0].examples
    samples = epochs * len(train)
    long = worth_compiling(members[0].classifier, params.count * samples)
    whole = joined([replace(each.classifier, long=long) for each in members])
    passed = {
        name: weight.detach().new_empty((epochs + 1, *weight.shape)).cpu()
        for name, weight in whole.network.named_parameters()
    }

    def keep(epoch: int) -> None:
        for name, weight in whole.network.named_parameters():
            passed[name][epoch] = weight.detach()

    keep(0)
    per_epoch = len(batch_sizes(len(train), params.recipe.batch_size, samples)) // epochs
    for update in training_together(whole, members, params.recipe, samples, ctx, kept=passed):
        if update.number % per_epoch == 0:
            keep(update.number // per_epoch)
    hand_back(whole, [each.classifier for each in members])
    apart = {name: weights.chunk(len(members), dim=1) for name, weights in passed.items()}
    return [
        {name: parts[number].contiguous().numpy() for name, parts in apart.items()}
        for number in range(len(members))
    ]


@dataclass(frozen=True)
class Trajectories:
    """The weights of experts, read from their records a piece at a time."""

    files: tuple[Path, ...]
    epochs: int
    zca: bool
    """Whether the experts read whitened images; whoever follows them has to as well."""

    @classmethod
    def of(cls, given: StepInput) -> Trajectories:
        count, epochs = given.values["count"], given.values["epochs"]
        assert isinstance(count, int)
        assert isinstance(epochs, int)
        files = tuple(given.tensors(f"expert-{n:03d}") for n in range(count))
        return cls(files, epochs, zca=bool(given.values.get("zca")))

    def weights(self, expert: int, epoch: int, device: str) -> dict[str, Tensor]:
        """All parameters of an expert after `epoch` epochs."""
        from safetensors import safe_open

        with safe_open(self.files[expert], framework="pt") as file:
            return {name: file.get_slice(name)[epoch].to(device) for name in sorted(file.keys())}

    def drawn(
        self, low: int, high: int, ahead: int, device: str, generator: Generator
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """A random expert at an epoch in [low, high), and `ahead` epochs later.

        Raises `UserError` if the experts were not trained for so long.
        """
        if high - 1 + ahead > self.epochs:
            raise UserError(
                f"trajectories of {self.epochs} epochs cannot be matched from epoch {high - 1} to "
                f"{high - 1 + ahead}; train the experts for longer, or start earlier"
            )
        expert = int(torch.randint(len(self.files), (), generator=generator))
        epoch = int(torch.randint(low, high, (), generator=generator))
        return self.weights(expert, epoch, device), self.weights(expert, epoch + ahead, device)
