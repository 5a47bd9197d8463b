"""The training examples that a selector chooses among, and what a trained network says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import log_softmax
from torch import Tensor

from harness.lab.coresets.params import TaughtParams, TaughtSelectParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.models.running import last_linear, layer_inputs
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult


@dataclass(frozen=True)
class Pool:
    """n training examples, and the answers of a trained network to them, un-augmented."""

    rows: np.ndarray
    """int64 (n,), into the training split."""
    labels: np.ndarray
    """int64 (n,)."""
    features: np.ndarray
    """float64 (n, d): what the last linear layer is given."""
    logits: np.ndarray
    """float64 (n, classes)."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def log_probabilities(self) -> np.ndarray:
        """float64 (n, classes); finite where a probability itself would be 0."""
        made: np.ndarray = log_softmax(self.logits, axis=1)
        return made


@dataclass(frozen=True)
class Choice:
    """The examples that a selector chooses from one pool."""

    rows: np.ndarray
    """Rows of the pool, int64 (k,), in the order chosen."""
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    """One number for each choice, by name."""


def pools(
    params: TaughtParams, balanced: bool, inputs: Mapping[str, StepInput], ctx: StepContext
) -> Iterator[Pool]:
    """Every class after the other, or all classes together, as the input `teacher` sees them."""
    train = sets.load(params.dataset).train
    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    members = [np.arange(len(train.labels))]
    if balanced:
        members = [np.flatnonzero(train.labels == label) for label in range(params.dataset.classes)]
    for number, rows in enumerate(members):
        ctx.report(number / len(members), f"pool {number + 1} of {len(members)}")
        examples = Examples.of(train, ctx.device, rows)
        answers = [(a.cpu().numpy(), b.cpu().numpy()) for a, b in observed(teacher, examples)]
        features, logits = (np.concatenate(parts) for parts in zip(*answers, strict=True))
        yield Pool(
            rows,
            np.asarray(train.labels)[rows],
            features.astype(np.float64),
            logits.astype(np.float64),
        )


def observed(classifier: Classifier, examples: Examples) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and outputs of the last linear layer, a batch at a time, in order (a forward hook)."""
    entered: dict[str, Tensor] = {}
    with layer_inputs({"last": last_linear(classifier.network)}, entered.__setitem__):
        for logits in classifier.predict(examples.images):
            yield entered["last"], logits


def scores(found: Iterator[Pool], size: int, score: Callable[[Pool], np.ndarray]) -> StepResult:
    """Array `score` (n,), float32, of all `size` examples, one pool at a time."""
    made = np.empty(size, np.float32)
    for pool in found:
        made[pool.rows] = score(pool)
    return StepResult({}, {"score": made})


def selection(
    params: TaughtSelectParams,
    balanced: bool,
    inputs: Mapping[str, StepInput],
    ctx: StepContext,
    choose: Callable[[Pool, int], Choice],
) -> StepResult:
    """Let `choose` take `per_class` of every class, or as many of all classes together.

    Arrays `indices` and `labels`, int64, in order of choice, and those of the choices.
    """
    wanted = params.per_class * (1 if balanced else params.dataset.classes)
    indices, labels, others = [], [], []
    for pool in pools(params, balanced, inputs, ctx):
        choice = choose(pool, wanted)
        indices.append(pool.rows[choice.rows].astype(np.int64))
        labels.append(pool.labels[choice.rows])
        others.append(choice.arrays)
    arrays = {name: np.concatenate([each[name] for each in others]) for name in others[0]}
    chosen = {"indices": np.concatenate(indices), "labels": np.concatenate(labels)}
    return StepResult({}, chosen | arrays)
