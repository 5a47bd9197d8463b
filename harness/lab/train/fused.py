"""Several networks of one architecture trained at once, each exactly as it would be alone.

Each member keeps its own first weights, order and augmentation, drawn from its own generators; the
loss is the sum of theirs, and the optimiser treats every weight by itself, so that no member is
touched by another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.models.classifier import Classifier
from harness.lab.models.stacked import activations, member, stackable, stacked
from harness.lab.recipe import Recipe
from harness.lab.train.augment import views
from harness.lab.train.loop import (
    Examples,
    Objective,
    Run,
    RunState,
    Update,
    random_batches,
    updates,
)
from harness.plan.step import StepContext

CACHED = 3 << 20
"""Numbers that one batch of a group puts out at most on a CPU, where only what stays in the cache
is faster together."""
GPU_SHARE = 0.25
"""Share of a GPU's memory that the same may take; gradients and buffers take as much again."""
LONG = 20_000_000_000
"""Numbers that a network puts out in a run, from which on compiling it saves more than it takes."""


@dataclass(frozen=True)
class Member:
    """One of the networks, what it learns from, and whence it draws."""

    classifier: Classifier
    examples: Examples
    """As many as those of the others."""
    ctx: StepContext
    objective: Objective | None = None


def at_once(classifier: Classifier, count: int, batch_size: int) -> int:
    """How many of `count` such networks are best trained together: at least one."""
    if count == 1 or not stackable(classifier.network):
        return 1
    dataset = classifier.dataset
    one = batch_size * activations(classifier.network, dataset.channels, dataset.resolution)
    room = CACHED
    if classifier.device.startswith("cuda"):
        total = torch.cuda.get_device_properties(classifier.device).total_memory
        room = int(GPU_SHARE * total) // classifier.dtype.itemsize
    groups = math.ceil(count / max(1, room // one))
    return math.ceil(count / groups)


def worth_compiling(classifier: Classifier, samples: int) -> bool:
    """Whether a run over `samples` examples in all is worth compiling the network."""
    dataset = classifier.dataset
    one = activations(classifier.network, dataset.channels, dataset.resolution)
    return samples * one >= LONG


def joined(classifiers: Sequence[Classifier]) -> Classifier:
    """All networks as one, which is what `training_together` trains; one of one is itself."""
    network = stacked([classifier.network for classifier in classifiers])
    if classifiers[0].compiles:
        network = network.to(memory_format=torch.channels_last)
    return replace(classifiers[0], network=network)


def hand_back(whole: Classifier, classifiers: Sequence[Classifier]) -> None:
    """Give each network its part of the weights and statistics of the joined one."""
    state = whole.network.state_dict()
    for number, classifier in enumerate(classifiers):
        classifier.network.load_state_dict(member(state, number, len(classifiers)))


def training_together(
    whole: Classifier,
    members: Sequence[Member],
    recipe: Recipe,
    samples: int,
    ctx: StepContext,
    factor: int = 1,
    kept: Mapping[str, Tensor] | None = None,
) -> Iterator[Update]:
    """As `training`, of all members' networks, `joined` in `whole`; `samples` for each.

    Progress and checkpoints are those of `ctx`; each draws as its own context says, the layers of a
    single network too. Those of several draw nothing.
    """
    count, first = len(members), members[0]
    orders = [Generator().manual_seed(each.ctx.derive("order")) for each in members]
    draws = [Generator().manual_seed(each.ctx.derive("augment")) for each in members]
    run = Run.of(recipe, len(first.examples), samples)

    def answer(batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        chosen = batch.to(whole.device)
        seen = [
            views(each.classifier, each.examples.taken(rows), recipe, factor, drawn)
            for each, rows, drawn in zip(members, batch, draws, strict=True)
        ]
        logits = whole.answer(torch.cat(seen, dim=1)).unflatten(1, (count, -1))
        losses = [
            each.objective(said, rows, view)
            if each.objective
            else functional.cross_entropy(said, each.examples.labels[rows])
            for each, said, rows, view in zip(members, logits.unbind(1), chosen, seen, strict=True)
        ]
        return chosen, logits, torch.stack(losses)

    batches = zip(*(random_batches(len(first.examples), run.sizes, o) for o in orders), strict=True)
    state = RunState(whole.network, draws, kept or {})
    own = replace(ctx, step=first.ctx.step, seed=first.ctx.seed)
    return updates(run, map(torch.stack, batches), answer, state, own)
