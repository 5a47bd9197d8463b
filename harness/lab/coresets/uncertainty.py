"""How unsure a trained network is of each training example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from harness.lab.coresets.params import TaughtParams, taught_work
from harness.lab.probing import DATASET, NETWORK, taught
from harness.plan.step import (
    Probe,
    StepContext,
    StepInput,
    StepResult,
    declare,
)

if TYPE_CHECKING:
    import numpy as np

    from harness.lab.coresets.pools import Pool


class UncertaintyParams(TaughtParams):
    measure: Literal["largest-logit", "largest-probability", "entropy", "margin"]


def uncertainty_score(
    params: UncertaintyParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Array `score` (n,), float32: high is unsure. From the answers to un-augmented images.

    `largest-probability`: minus that, the least confidence; `largest-logit`: minus that, which
    DeepCore takes in its place; `entropy`: of the prediction, in nats; `margin`: minus the
    difference of the two largest probabilities.
    """
    from harness.lab.coresets.pools import pools, scores

    found = pools(params, True, inputs, ctx)
    return scores(found, params.dataset.train_size, lambda pool: unsure(pool, params.measure))


def unsure(pool: Pool, measure: str) -> np.ndarray:
    """How unsure the network is of each example of the pool, (n,); high is unsure."""
    import numpy as np
    from scipy.special import entr

    probabilities = np.exp(pool.log_probabilities)
    found: np.ndarray
    if measure == "largest-logit":
        found = -pool.logits.max(axis=1)
    elif measure == "largest-probability":
        found = -probabilities.max(axis=1)
    elif measure == "entropy":
        found = entr(probabilities).sum(axis=1)
    else:
        second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
        found = second - first
    return found


def probe_uncertainty_score() -> Probe:
    params = UncertaintyParams(dataset=DATASET, network=NETWORK, measure="entropy")
    return Probe(params, {"teacher": taught()})


STEPS = (
    declare(
        uncertainty_score,
        UncertaintyParams,
        taught_work,
        probe_uncertainty_score,
        inputs=("teacher",),
    ),
)
