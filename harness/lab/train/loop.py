"""The one training loop, its state for another process to go on from, and the evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm
from torch.optim import Optimizer

from harness.errors import EvidenceError
from harness.lab.data.prepared import Split
from harness.lab.data.ragged import Ragged
from harness.lab.models.classifier import Classifier
from harness.lab.models.running import drawing_from, draws
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.train.augment import views
from harness.lab.train.schedule import Schedule, batch_sizes, make_optimizer
from harness.plan.step import StepContext, StepInput


@dataclass(frozen=True)
class Examples:
    """Images and labels of one split or subset, resident on the device if there is room."""

    images: Tensor | Ragged
    """uint8, or floating and normalised already, (n, channels, height, width); or of many sizes."""
    labels: Tensor
    """int64 (n,)."""

    @classmethod
    def on(cls, device: str, images: np.ndarray | Ragged, labels: np.ndarray) -> Examples:
        """From images (n, height, width, channels), or of many sizes, and integer labels (n,).

        Images of many sizes stay where they are if they would take more than half of the memory
        that the device has left; then their batches are brought to it as they are needed.
        """
        if isinstance(images, Ragged):
            held = images.on(device) if images.bytes < _room(device) else images
            return cls(held, torch.from_numpy(labels.astype(np.int64)).to(device))
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return cls(pixels.to(device), torch.from_numpy(labels.astype(np.int64)).to(device))

    @classmethod
    def of(cls, split: Split, device: str, rows: np.ndarray | Tensor | None = None) -> Examples:
        """A split, or the given rows of it, as `on` takes them."""
        if rows is None:
            return cls.on(device, split.images, split.labels)
        return cls.on(device, split.images[rows], split.labels[rows])

    def __len__(self) -> int:
        return len(self.labels)

    def taken(self, rows: Tensor) -> Tensor | Ragged:
        """Some of the images; rows are on the CPU, and nothing waits for a GPU to tell them."""
        if isinstance(self.images, Ragged):
            return self.images[rows]
        return self.images[rows.to(self.images.device)]


def _room(device: str) -> int:
    """Half of the bytes that a GPU has free."""
    if not device.startswith("cuda"):
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(free) // 2


def given_examples(given: StepInput, train: Split, device: str) -> Examples:
    """The set that a method made: `labels`, and `images` or `indices` into the training split.

    Images are uint8, or floating and normalised as `scale_of` tells.
    """
    images: np.ndarray | Ragged
    if "images" in given.arrays:
        images = given.array("images")
    else:
        images = train.images[given.array("indices")]
    return Examples.on(device, images, given.array("labels"))


def scale_of(given: StepInput, dataset: DatasetRef) -> DatasetRef:
    """The data set with its pixels scaled as those of a method's floating images.

    Such a record states the `mean` and `std` that its images were made with, as values; whoever
    learns from them has to see the test split so too. Else the data set as it is.
    """
    stated = {name: given.values[name] for name in ("mean", "std") if name in given.values}
    return DatasetRef.model_validate(dataset.model_dump() | stated)


@dataclass(frozen=True)
class Update:
    """One finished update of the weights, and what the network said before it.

    Where several networks are trained together, each tensor has one more dimension, their number:
    the first of `chosen` and `loss`, the second of `logits`.
    """

    number: int
    """From 1."""
    chosen: Tensor
    """Rows of the examples in the batch, int64 (b,), on the device."""
    logits: Tensor
    """(b, classes), in train mode on the augmented batch, before the update."""
    loss: Tensor
    """Mean loss of the batch, a scalar on the device."""


def untrained(network: str, dataset: DatasetRef, recipe: Recipe, ctx: StepContext) -> Classifier:
    """A network before its first update. Draws: "init" of `ctx`."""
    made = Classifier.fresh(
        network, dataset, ctx.device, recipe.precision, ctx.derive("init"), recipe.zca
    )
    if recipe.statistics_updates > 1:
        _update_repeatedly(made.network, recipe.statistics_updates)
    return made


def _update_repeatedly(network: nn.Module, times: int) -> None:
    """Let batch norms take the statistics of each batch in as if they had seen it `times` times.

    k updates by the share m with one batch are a single one by 1 - (1 - m)^k.
    """
    for layer in network.modules():
        if isinstance(layer, BatchNorm) and layer.momentum is not None:
            layer.momentum = 1 - (1 - layer.momentum) ** times


Objective: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Loss of a batch from its logits (b, classes), the rows chosen (b,) and the views seen."""


def training(
    classifier: Classifier,
    examples: Examples,
    recipe: Recipe,
    samples: int,
    ctx: StepContext,
    factor: int = 1,
    objective: Objective | None = None,
    kept: Mapping[str, Tensor] | None = None,
) -> Iterator[Update]:
    """Train until `samples` examples were seen, yielding after every update.

    The loss is the cross-entropy with the labels unless there is an `objective`. The recipe's
    schedule spans exactly this run, whatever its `epochs`. Examples come in a new random order each
    epoch. Draws: "order" and "augment" of `ctx`, both on the CPU, and "layers".

    A run that was cut off goes on after its last checkpoint: only the updates that are left are
    yielded, and the caller finds in its tensors `kept` what it had put there until then. Layers
    that draw (dropout) begin each update from a seed of its own.
    """
    order = Generator().manual_seed(ctx.derive("order"))
    drawn = Generator().manual_seed(ctx.derive("augment"))
    run = Run.of(recipe, len(examples), samples)

    def answer(batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        chosen = batch.to(classifier.device)
        seen = views(classifier, examples.taken(batch), recipe, factor, drawn)
        logits = classifier.answer(seen)
        if objective is None:
            return chosen, logits, functional.cross_entropy(logits, examples.labels[chosen])
        return chosen, logits, objective(logits, chosen, seen)

    state = RunState(classifier.network, [drawn], kept or {})
    return updates(run, random_batches(len(examples), run.sizes, order), answer, state, ctx)


@dataclass(frozen=True)
class Run:
    """How many updates there are, of how many examples each, and at what rates."""

    recipe: Recipe
    sizes: list[int]
    schedule: Schedule

    @classmethod
    def of(cls, recipe: Recipe, examples: int, samples: int) -> Run:
        """The recipe's schedule over `samples` examples of a set of `examples`."""
        sizes = batch_sizes(examples, recipe.batch_size, samples)
        return cls(recipe, sizes, Schedule.of(recipe, examples, samples))


Answer: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
"""From rows of the examples on the CPU: an update's `chosen`, `logits` and `loss`."""


def updates(
    run: Run, batches: Iterator[Tensor], answer: Answer, state: RunState, ctx: StepContext
) -> Iterator[Update]:
    """Lower the loss of the state's network batch by batch, from its last checkpoint on.

    Where the recipe averages the weights, the network has their average whenever this yields.
    """
    network, recipe, steps = state.network, run.recipe, len(run.sizes)
    average = Average(network, recipe.ema) if recipe.ema else None
    if average:
        state = replace(state, kept={**state.kept, **average.kept})
    optimizer = make_optimizer(network, recipe)
    leaves_out, layers = draws(network), ctx.derive("layers")
    saved = ctx.checkpoints.load()
    done = state.restore(saved, optimizer) if saved else 0
    for step, batch in enumerate(islice(batches, done, None), start=done):
        if step % max(1, steps // 100) == 0:
            ctx.report(step / steps, f"training step {step} of {steps}")
        if run.schedule.starts_afresh(step):
            optimizer = make_optimizer(network, recipe)
        for group in optimizer.param_groups:
            group["lr"] = run.schedule.rate(step)
        network.train()
        if average:
            average.swap()
        with drawing_from(layers ^ step, ctx.device) if leaves_out else nullcontext():
            chosen, logits, loss = answer(batch)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        if average:
            average.follow()
            average.swap()
        yield Update(step + 1, chosen, logits.detach(), loss.detach())
        if ctx.checkpoints.due():
            ctx.checkpoints.save(state.saved(step + 1, optimizer))


def random_batches(examples: int, sizes: list[int], generator: Generator) -> Iterator[Tensor]:
    """Rows of the examples in each batch, int64 on the CPU: one random order after another."""
    queue = torch.empty(0, dtype=torch.int64)
    for size in sizes:
        while len(queue) < size:
            queue = torch.cat([queue, torch.randperm(examples, generator=generator)])
        batch, queue = queue[:size], queue[size:]
        yield batch


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


class Average:
    """The average of the weights over updates, which stands in the network between two of them.

    It starts at the first weights; after every update, average = decay average + (1 - decay)
    weights. Only what is learned is averaged: statistics of norms stay those of the training, as in
    EDC's official code, which evaluates so.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._inside = list(network.parameters())
        self._outside = [parameter.detach().clone() for parameter in self._inside]

    @property
    def kept(self) -> dict[str, Tensor]:
        """The weights that are not in the network now, by name; for checkpoints."""
        return {f"average/{number}": tensor for number, tensor in enumerate(self._outside)}

    @torch.no_grad()
    def swap(self) -> None:
        """Put the average into the network and its weights aside, or the other way round."""
        for inside, outside in zip(self._inside, self._outside, strict=True):
            before = inside.detach().clone()
            inside.copy_(outside)
            outside.copy_(before)

    @torch.no_grad()
    def follow(self) -> None:
        """Count the weights of the network in; the average is outside."""
        for inside, outside in zip(self._inside, self._outside, strict=True):
            outside.mul_(self._decay).add_(inside, alpha=1 - self._decay)


_STEP = "step"
_DRAWN = "generators"


@dataclass(frozen=True)
class RunState:
    """Everything that an update changes; the order of the data is replayed from its seed.

    `kept` are tensors of the caller, filled as the run goes on; they are restored in place.
    """

    network: nn.Module
    generators: Sequence[Generator]
    kept: Mapping[str, Tensor]

    def saved(self, step: int, optimizer: Optimizer) -> dict[str, np.ndarray]:
        """As arrays, after `step` updates."""
        drawn = torch.stack([generator.get_state() for generator in self.generators])
        state = {_STEP: torch.tensor(step), _DRAWN: drawn}
        state |= {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        state |= {f"kept/{name}": tensor for name, tensor in self.kept.items()}
        for number, moments in optimizer.state_dict()["state"].items():
            for name, moment in moments.items():
                if moment is not None:
                    state[f"optimizer/{number}/{name}"] = torch.as_tensor(moment)
        # Copies: on a CPU, an array would share the memory that the next update writes to.
        return {name: tensor.cpu().numpy().copy() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, np.ndarray], optimizer: Optimizer) -> int:
        """The number of updates done; `optimizer` is a fresh one of the same recipe."""
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        for generator, drawn in zip(self.generators, tensors[_DRAWN], strict=True):
            generator.set_state(drawn.clone())
        self.network.load_state_dict(_below("network/", tensors))
        for name, tensor in self.kept.items():
            tensor.copy_(tensors[f"kept/{name}"])
        moments: dict[int, dict[str, Tensor]] = {}
        for path, tensor in _below("optimizer/", tensors).items():
            number, _, name = path.partition("/")
            moments.setdefault(int(number), {})[name] = tensor
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": moments, "param_groups": groups})
        return int(tensors[_STEP])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
