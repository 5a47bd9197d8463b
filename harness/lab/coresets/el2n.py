"""EL2N scores early in training, and the window of scores that trains the best student."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from harness.errors import UserError
from harness.lab.coresets.dynamics import look
from harness.lab.coresets.select import require_per_class
from harness.lab.coresets.steps import El2nParams, El2nSlParams, WindowParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, evaluate, training
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult

HELD_OUT = 0.1
"""Share of each class that judges the windows where the test split must not."""


def el2n_score(params: El2nParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Norm of softmax minus one-hot after `epoch` epochs, mean over `runs` (Paul et al. 2021).

    Networks as `early_networks` has them. Array `score` (n,), float32: high is hard.
    """
    train = sets.load(params.dataset).train
    examples = Examples.on(ctx.device, train.images, train.labels)
    total = np.zeros(len(examples))
    for classifier in early_networks(params, examples, ctx):
        total += look(classifier, examples)[1]
    return StepResult({}, {"score": (total / params.runs).astype(np.float32)})


def el2n_sl_score(
    params: El2nSlParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """EL2N for soft labels: E ||p - q|| / T (Lemma 1), the mean over `runs` networks.

    p is a network's answer, q the teacher's, both at temperature T, evaluation mode, un-augmented.
    Networks as `early_networks` has them. Array `score` (n,), float32: high is hard.
    """
    train = sets.load(params.dataset).train
    examples = Examples.on(ctx.device, train.images, train.labels)
    teacher = Classifier.stored(
        params.teacher, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    targets = list(teacher.predict(examples.images))
    total = np.zeros(len(examples))
    for classifier in early_networks(params, examples, ctx):
        pairs = zip(classifier.predict(examples.images), targets, strict=True)
        parts = [soft_error(logits, target, params.temperature) for logits, target in pairs]
        total += torch.cat(parts).cpu().numpy()
    return StepResult({}, {"score": (total / params.runs).astype(np.float32)})


def soft_error(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """||p - q|| / T (n,) of two answers, given as logits (n, classes)."""
    apart = (logits / temperature).softmax(dim=1) - (target / temperature).softmax(dim=1)
    return torch.linalg.vector_norm(apart, dim=1) / temperature


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
        classifier = Classifier.fresh(
            params.network,
            params.dataset,
            ctx.device,
            recipe.precision,
            own.derive("init"),
            recipe.zca,
        )
        for update in training(classifier, examples, recipe, whole, own):
            if update.number == last:
                break
        yield classifier


def select_window(
    params: WindowParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Of several windows of scores, the one whose student does best (SelMatch's sweep).

    Each class is sorted hardest first; a window of `per_class` starts at a share of what one window
    leaves over, so that share 1 is the easy end. Judged on the test split, or on a tenth of each
    class that no window may hold. Arrays `indices` and `labels`, int64, hardest first in each
    class, and `accuracies` (starts,), fractions; value `start`, the share that won, the first of
    equals.
    Draws: "held-out" of `ctx`, and those of a student.
    """
    dataset = sets.load(params.dataset)
    train = dataset.train
    score = inputs["score"].array("score")
    if len(score) != len(train.labels):
        raise UserError(
            f"select_window: '{params.dataset.name}' has {len(train.labels)} training examples, "
            f"but its input holds {len(score)} scores: it was made on another data set"
        )
    aside = np.zeros(len(score), dtype=bool)
    judges = Examples.on(ctx.device, dataset.test.images, dataset.test.labels)
    if params.chosen_on == "held-out":
        aside = held_out(np.asarray(train.labels), ctx.derive("held-out"))
        judges = Examples.on(ctx.device, train.images[aside], train.labels[aside])
    free = np.flatnonzero(~aside)
    require_per_class(
        train.labels[free], params.dataset.classes, params.per_class, "the pool of select_window"
    )
    ranked = free[np.argsort(-score[free], kind="stable")]
    windows = [window(ranked, train.labels, params, share) for share in params.starts]
    accuracies = []
    for number, rows in enumerate(windows):
        student = ctx.part(number, len(windows), step="student")
        chosen = Examples.on(ctx.device, train.images[rows], train.labels[rows])
        accuracies.append(_judged(params, chosen, judges, student))
    best = int(np.argmax(accuracies))
    return StepResult(
        {"start": params.starts[best]},
        {
            "indices": windows[best].astype(np.int64),
            "labels": train.labels[windows[best]],
            "accuracies": np.array(accuracies),
        },
    )


def window(
    ranked: np.ndarray, labels: np.ndarray, params: WindowParams, share: float
) -> np.ndarray:
    """Rows of one window, class by class; `ranked` are rows of all classes, hardest first."""
    parts = []
    for label in range(params.dataset.classes):
        own = ranked[labels[ranked] == label]
        start = round(share * (len(own) - params.per_class))
        parts.append(own[start : start + params.per_class])
    return np.concatenate(parts)


def held_out(labels: np.ndarray, seed: int) -> np.ndarray:
    """A random tenth of each class, at least one, as a mask (n,)."""
    draws = torch.rand(len(labels), generator=torch.Generator().manual_seed(seed)).numpy()
    mask = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        mask[rows[np.argsort(draws[rows])[: max(1, round(HELD_OUT * len(rows)))]]] = True
    return mask


def _judged(params: WindowParams, chosen: Examples, judges: Examples, ctx: StepContext) -> float:
    recipe = params.recipe
    classifier = Classifier.fresh(
        params.network,
        params.dataset,
        ctx.device,
        recipe.precision,
        ctx.derive("init"),
        recipe.zca,
    )
    for _ in training(classifier, chosen, recipe, recipe.run_epochs * len(chosen), ctx):
        pass
    return evaluate(classifier, judges).accuracy
