"""Choosing training examples. Every selection is ordered, so its prefixes are selections too."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.errors import UserError
from harness.lab.coresets.steps import BetaParams, FractionParams, RandomParams, TopParams
from harness.lab.data import sets
from harness.lab.recipe import DatasetRef
from harness.plan.step import StepContext, StepInput, StepResult

EDGE = 1e-6
"""Mean probabilities are kept this far from 0 and 1, where the Beta density may be infinite."""
ANCHORS = 10
BETA_SHARPNESS = 15


def select_top(params: TopParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Keep the highest scores, or the lowest; ties go to the lowest index.

    Arrays `indices` and `labels`, int64. Balanced: class by class, best first within each. Else the
    `per_class` x classes best of all, best first.
    """
    labels = sets.load(params.dataset).train.labels
    score = inputs["score"].array("score")
    keys = score if params.keep == "highest" else -score
    return _best(keys, labels, params.dataset, params.per_class, params.balanced)


def select_beta(
    params: BetaParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """DUAL's Beta sampling (Cho et al. 2025): draw without replacement, p ~ density(mu) x score.

    With r the pruned share, anchor the mean of mu over the ten best scores,
    b = 15 (1 - anchor) (1 - r^c_d) and a = 16 - b, the density is Beta(a, b) at the mean
    probability mu, clipped to [1e-6, 1 - 1e-6]. It is global; `balanced` draws `per_class` from
    every class. An example of probability zero comes only when no other is left.
    Arrays as `select_top`, in the order drawn. Draws: "select" of `ctx`.
    """
    labels = sets.load(params.dataset).train.labels
    score = inputs["score"].array("score").astype(np.float64)
    mean = inputs["score"].array("mean_probability").astype(np.float64)
    pruned = 1 - params.per_class * params.dataset.classes / len(labels)
    anchor = mean[np.argsort(-score, kind="stable")[:ANCHORS]].mean()
    b = BETA_SHARPNESS * (1 - anchor) * (1 - max(pruned, 0) ** params.c_d)
    a = BETA_SHARPNESS + 1 - b
    mu = mean.clip(EDGE, 1 - EDGE)
    with np.errstate(divide="ignore"):
        # The constant of the density is the same for all examples: it does not matter here.
        log_p = (a - 1) * np.log(mu) + (b - 1) * np.log1p(-mu) + np.log(score)
    # The largest of log p + Gumbel noise are a draw without replacement, in the order drawn.
    generator = torch.Generator().manual_seed(ctx.derive("select"))
    uniform = torch.rand(len(labels), generator=generator, dtype=torch.float64).numpy()
    keys = log_p - np.log(-np.log(uniform.clip(min=np.finfo(np.float64).tiny)))
    return _best(keys, labels, params.dataset, params.per_class, params.balanced)


def select_random(
    params: RandomParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """`per_class` of every class, uniformly and without replacement.

    Arrays as `select_top`, in the order drawn. Draws: "select" of `ctx`.
    """
    labels = sets.load(params.dataset).train.labels
    generator = torch.Generator().manual_seed(ctx.derive("select"))
    keys = torch.rand(len(labels), generator=generator, dtype=torch.float64).numpy()
    return _best(keys, labels, params.dataset, params.per_class, balanced=True)


def select_fraction(
    params: FractionParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Prune every class to a share of it by score, and draw `per_class` of what is left.

    Uniformly and without replacement; a share that holds fewer than `per_class` is taken to hold
    as many. Arrays as `select_top`, in the order drawn. Draws: "select" of `ctx`.
    """
    labels = sets.load(params.dataset).train.labels
    score = inputs["score"].array("score")
    require_scores(score, labels, params.dataset)
    ranked = np.argsort(-score if params.keep == "highest" else score, kind="stable")
    generator = torch.Generator().manual_seed(ctx.derive("select"))
    keys = torch.rand(len(labels), generator=generator, dtype=torch.float64).numpy()
    for label in range(params.dataset.classes):
        own = ranked[labels[ranked] == label]
        # Uniform keys are above 0, so what is pruned comes last.
        keys[own[max(params.per_class, round(params.fraction * len(own))) :]] = -1
    return _best(keys, labels, params.dataset, params.per_class, balanced=True)


def _best(
    keys: np.ndarray, labels: np.ndarray, dataset: DatasetRef, per_class: int, balanced: bool
) -> StepResult:
    require_scores(keys, labels, dataset)
    ranked = np.argsort(-keys, kind="stable")
    if balanced:
        by_class = [ranked[labels[ranked] == label][:per_class] for label in range(dataset.classes)]
        indices = np.concatenate(by_class)
    else:
        indices = ranked[: per_class * dataset.classes]
    return StepResult({}, {"indices": indices.astype(np.int64), "labels": labels[indices]})


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
