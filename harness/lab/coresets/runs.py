"""Training runs on the whole training split, in which every example is watched or scored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from harness.errors import UserError
from harness.lab.coresets.dynamics import DynamicsParams, VisitsParams
from harness.lab.coresets.el2n import El2nParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.loop import Examples, evaluate, training, untrained
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepResult


def watched(params: DynamicsParams, ctx: StepContext) -> StepResult:
    """The record of the step `dynamics`."""
    dataset, recipe = sets.load(params.dataset), params.recipe
    train = Examples.of(dataset.train, ctx.device)
    steps = len(batch_sizes(len(train), recipe.batch_size, params.samples))
    if steps < params.looks:
        raise UserError(
            f"dynamics: {params.looks} looks do not fit into a run of {steps} updates "
            f"({params.samples} samples in batches of {recipe.batch_size}); "
            "ask for fewer looks, more samples or a smaller batch"
        )
    classifier = untrained(params.network, params.dataset, recipe, ctx)
    looks_at = {-(-look * steps // params.looks): look - 1 for look in range(1, params.looks + 1)}
    shape = (params.looks, len(train))
    names = ("probability", "el2n", "train_probability")
    kind = np.float64 if classifier.dtype == torch.float64 else np.float32
    arrays = {name: _on_disk(shape, kind) for name in names}
    looked = {name: torch.from_numpy(array) for name, array in arrays.items()}
    visited = torch.full((len(train),), torch.nan, dtype=torch.float64, device=ctx.device)
    kept = looked | {"visited": visited}
    whole = params.schedule_samples or params.samples
    for update in training(classifier, train, recipe, whole, ctx, kept=kept):
        said = true_class(update.logits, train.labels[update.chosen])
        visited[update.chosen] = said.to(visited.dtype)
        if update.number in looks_at:
            probability, el2n = look(classifier, train)
            row = looks_at[update.number]
            arrays["probability"][row], arrays["el2n"][row] = probability, el2n
            seen = visited.cpu().numpy()
            arrays["train_probability"][row] = np.where(np.isnan(seen), probability, seen)
        if update.number == steps:
            break
    result = evaluate(classifier, Examples.of(dataset.test, ctx.device))
    values = {
        "accuracy": result.accuracy,
        "loss": result.loss,
        "epochs": params.samples / len(train),
    }
    return StepResult(values, arrays)


def _on_disk(shape: tuple[int, int], kind: type[np.floating]) -> np.ndarray:
    """Room for numbers in a file without a name: a million examples, looked at 90 times, fill it.

    The file is gone when the array is.
    """
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, kind, "w+", shape=shape)


def look(classifier: Classifier, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """True-class probability and EL2N of every example now, each (n,)."""
    probability, el2n = [], []
    labels = examples.labels.split(classifier.at_once)
    for logits, wanted in zip(classifier.predict(examples.images), labels, strict=True):
        softmax = logits.softmax(dim=1)
        onehot = torch.nn.functional.one_hot(wanted, softmax.shape[1])
        probability.append(true_class(logits, wanted))
        el2n.append(torch.linalg.vector_norm(softmax - onehot, dim=1))
    return torch.cat(probability).cpu().numpy(), torch.cat(el2n).cpu().numpy()


def true_class(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax probability (n,) of each row's own class."""
    return logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]


def visited(params: VisitsParams, ctx: StepContext) -> np.ndarray:
    """Whether each example was right at its visit of each epoch, bool (epochs, n)."""
    examples, recipe = training_split(params.dataset, ctx.device), params.recipe
    classifier = untrained(params.network, params.dataset, recipe, ctx)
    size = len(examples)
    correct = torch.zeros((params.epochs, size), dtype=torch.bool, device=ctx.device)
    an_epoch = len(batch_sizes(size, recipe.batch_size, size))
    samples, kept = params.epochs * size, {"correct": correct}
    for update in training(classifier, examples, recipe, samples, ctx, kept=kept):
        epoch = (update.number - 1) // an_epoch
        correct[epoch, update.chosen] = update.logits.argmax(1) == examples.labels[update.chosen]
    return correct.cpu().numpy()


def early_networks(
    params: El2nParams, examples: Examples, ctx: StepContext
) -> Iterator[Classifier]:
    """The networks of `runs` independent runs on `examples`, each after `epoch` epochs.

    Each run has its own initial network and order, and the schedule of the whole recipe, of which
    it is only the beginning.
    """
    recipe = params.recipe
    whole = recipe.run_epochs * len(examples)
    last = len(batch_sizes(len(examples), recipe.batch_size, params.epoch * len(examples)))
    for run in range(params.runs):
        own = ctx.part(run, params.runs)
        classifier = untrained(params.network, params.dataset, recipe, own)
        for update in training(classifier, examples, recipe, whole, own):
            if update.number == last:
                break
        yield classifier


def mean_score(
    params: El2nParams,
    examples: Examples,
    ctx: StepContext,
    score: Callable[[Classifier], np.ndarray],
) -> np.ndarray:
    """The mean of `score` (n,) over the early networks, float64."""
    total = np.zeros(len(examples))
    for classifier in early_networks(params, examples, ctx):
        total += score(classifier)
    return total / params.runs


def training_split(dataset: DatasetRef, device: str) -> Examples:
    """All training examples, in their order."""
    return Examples.of(sets.load(dataset).train, device)


def soft_errors(
    classifier: Classifier, examples: Examples, targets: Sequence[Tensor], temperature: float
) -> np.ndarray:
    """`soft_error` (n,) of a network's answers; `targets` are a teacher's, batch by batch."""
    pairs = zip(classifier.predict(examples.images), targets, strict=True)
    return torch.cat([soft_error(*pair, temperature) for pair in pairs]).cpu().numpy()


def soft_error(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """||p - q|| / T (n,) of two answers, given as logits (n, classes)."""
    apart = (logits / temperature).softmax(dim=1) - (target / temperature).softmax(dim=1)
    error: Tensor = torch.linalg.vector_norm(apart, dim=1) / temperature
    return error
