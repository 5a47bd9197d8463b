"""How unsure a trained network is of each training example."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import entr

from harness.lab.coresets.pools import Pool, pools, scores
from harness.lab.coresets.steps import UncertaintyParams
from harness.plan.step import StepContext, StepInput, StepResult


def uncertainty_score(
    params: UncertaintyParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Array `score` (n,), float32: high is unsure. From the answers to un-augmented images.

    `largest-probability`: minus that, the least confidence; `largest-logit`: minus that, which
    DeepCore takes in its place; `entropy`: of the prediction, in nats; `margin`: minus the
    difference of the two largest probabilities.
    """
    found = pools(params, True, inputs, ctx)
    return scores(found, params.dataset.train_size, lambda pool: unsure(pool, params.measure))


def unsure(pool: Pool, measure: str) -> np.ndarray:
    """(n,), high is unsure."""
    if measure == "largest-logit":
        return -pool.logits.max(axis=1)
    probabilities = np.exp(pool.log_probabilities)
    if measure == "largest-probability":
        return -probabilities.max(axis=1)
    if measure == "entropy":
        total: np.ndarray = entr(probabilities).sum(axis=1)
        return total
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return second - first
