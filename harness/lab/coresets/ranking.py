"""Ordered choices among ranked training examples, and windows of a ranking."""

from __future__ import annotations

import numpy as np
import torch

from harness.errors import UserError
from harness.lab.coresets.params import SelectParams
from harness.lab.coresets.select import FractionParams, WindowParams
from harness.lab.data import sets
from harness.lab.recipe import DatasetRef
from harness.lab.train.loop import Examples, evaluate, training, untrained
from harness.plan.step import StepContext, StepResult

EDGE = 1e-6
"""Mean probabilities are kept this far from 0 and 1, where the Beta density may be infinite."""
ANCHORS = 10
"""Examples of the highest scores, whose mean probability sets the Beta density."""
BETA_SHARPNESS = 15
"""a + b - 1 of the Beta density."""


HELD_OUT = 0.1
"""Share of each class that judges the windows where the test split must not."""


def best(keys: np.ndarray, params: SelectParams, balanced: bool) -> StepResult:
    """The examples with the highest keys (n,); ties go to the lowest index.

    Arrays `indices` and `labels`, int64, best first: `per_class` of every class, class by class, if
    `balanced`, else as many of all classes together.
    """
    dataset = params.dataset
    labels = sets.load(dataset).train.labels
    require_scores(keys, labels, dataset)
    ranked = np.argsort(-keys, kind="stable")
    if balanced:
        of_class = [ranked[labels[ranked] == label] for label in range(dataset.classes)]
        indices = np.concatenate([rows[: params.per_class] for rows in of_class])
    else:
        indices = ranked[: params.per_class * dataset.classes]
    return StepResult({}, {"indices": indices.astype(np.int64), "labels": labels[indices]})


def uniform(size: int, ctx: StepContext) -> np.ndarray:
    """Random numbers in [0, 1), float64 (size,). Draws: "select" of `ctx`."""
    generator = torch.Generator().manual_seed(ctx.derive("select"))
    return torch.rand(size, generator=generator, dtype=torch.float64).numpy()


def beta_keys(
    score: np.ndarray, mean: np.ndarray, pruned: float, c_d: float, noise: np.ndarray
) -> np.ndarray:
    """Keys (n,) whose highest are a draw by DUAL's Beta sampling, in the order drawn.

    From scores, mean probabilities and uniform `noise`, each (n,), and the share that is `pruned`;
    see `select_beta`.
    """
    anchor = mean[np.argsort(-score, kind="stable")[:ANCHORS]].mean()
    b = BETA_SHARPNESS * (1 - anchor) * (1 - max(pruned, 0) ** c_d)
    a = BETA_SHARPNESS + 1 - b
    mu = mean.clip(EDGE, 1 - EDGE)
    with np.errstate(divide="ignore"):
        # The constant of the density is the same for all examples: it does not matter here.
        log_p = (a - 1) * np.log(mu) + (b - 1) * np.log1p(-mu) + np.log(score)
    # The largest of log p + Gumbel noise are a draw without replacement.
    keys: np.ndarray = log_p - np.log(-np.log(noise.clip(min=np.finfo(np.float64).tiny)))
    return keys


def pruned_keys(score: np.ndarray, noise: np.ndarray, params: FractionParams) -> np.ndarray:
    """Keys (n,) whose highest in each class are a uniform draw from a share of it by score.

    `noise` (n,) is uniform in [0, 1). A share that holds fewer than `per_class` is taken to hold as
    many.
    """
    labels = sets.load(params.dataset).train.labels
    require_scores(score, labels, params.dataset)
    ranked = np.argsort(-score if params.keep == "highest" else score, kind="stable")
    keys = noise.copy()
    for label in range(params.dataset.classes):
        rows = ranked[labels[ranked] == label]
        # Uniform keys are not below 0, so what is pruned comes last.
        keys[rows[max(params.per_class, round(params.fraction * len(rows))) :]] = -1
    return keys


def require_scores(score: np.ndarray, labels: np.ndarray, dataset: DatasetRef) -> None:
    """Raise `UserError` if there is not one score for every training example."""
    if len(score) != len(labels):
        raise UserError(
            f"a selection from '{dataset.name}' needs {len(labels)} scores, one per training "
            f"example, but its input holds {len(score)}: it was made on another data set"
        )


def require_per_class(labels: np.ndarray, classes: int, wanted: int, where: str) -> None:
    """Raise `UserError` if any class has fewer than `wanted` examples."""
    sizes = np.bincount(labels, minlength=classes)
    if wanted > sizes.min():
        raise UserError(
            f"{wanted} examples per class are needed, but class {int(sizes.argmin())} of {where} "
            f"has {int(sizes.min())}; at most {int(sizes.min())} per class are possible"
        )


def best_window(params: WindowParams, score: np.ndarray, ctx: StepContext) -> StepResult:
    """The record of the step `select_window`, from scores (n,)."""
    dataset = sets.load(params.dataset)
    train = dataset.train
    if len(score) != len(train.labels):
        raise UserError(
            f"select_window: '{params.dataset.name}' has {len(train.labels)} training examples, "
            f"but its input holds {len(score)} scores: it was made on another data set"
        )
    aside = np.zeros(len(score), dtype=bool)
    judges = Examples.of(dataset.test, ctx.device)
    if params.chosen_on == "held-out":
        aside = held_out(np.asarray(train.labels), ctx.derive("held-out"))
        judges = Examples.of(train, ctx.device, aside)
    free = np.flatnonzero(~aside)
    require_per_class(
        train.labels[free], params.dataset.classes, params.per_class, "the pool of select_window"
    )
    ranked = free[np.argsort(-score[free], kind="stable")]
    windows = [window(ranked, train.labels, params, share) for share in params.starts]
    accuracies = []
    for number, rows in enumerate(windows):
        student = ctx.part(number, len(windows), step="student")
        chosen = Examples.of(train, ctx.device, rows)
        accuracies.append(_accuracy(params, chosen, judges, student))
    won = int(np.argmax(accuracies))
    return StepResult(
        {"start": params.starts[won]},
        {
            "indices": windows[won].astype(np.int64),
            "labels": train.labels[windows[won]],
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


def _accuracy(params: WindowParams, chosen: Examples, judges: Examples, ctx: StepContext) -> float:
    """On the examples `judges`, of a student trained on the chosen."""
    recipe = params.recipe
    classifier = untrained(params.network, params.dataset, recipe, ctx)
    for _ in training(classifier, chosen, recipe, recipe.run_epochs * len(chosen), ctx):
        pass
    return evaluate(classifier, judges).accuracy
