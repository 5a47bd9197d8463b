"""Scores by what a trained network says of each example: how unsure it is, and CAL.

CAL: examples whose prediction differs from that of their neighbours (Margatina et al. 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from harness.lab.coresets.params import TaughtParams, taught_work
from harness.lab.probing import DATASET, NETWORK, taught
from harness.lab.recipe import Count
from harness.later import np
from harness.plan.step import Probe, StepContext, StepInput, StepResult, declare

if TYPE_CHECKING:
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


AT_ONCE = 256
"""Examples whose neighbours are sought together."""


class CalParams(TaughtParams):
    neighbours: Count
    divergence: Literal["from-neighbour", "symmetric"]
    balanced: bool
    """Whether neighbours are of an example's own class."""

    @model_validator(mode="after")
    def _enough_neighbours(self) -> CalParams:
        if self.balanced and self.neighbours >= self.dataset.smallest_class:
            raise ValueError(
                f"{self.neighbours} neighbours of its own class are asked for, but the smallest "
                f"class of '{self.dataset.name}' has {self.dataset.smallest_class} examples; ask "
                "for fewer"
            )
        return self


def cal_score(params: CalParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Array `score` (n,), float32: mean divergence to the nearest neighbours; high is contrastive.

    Neighbours by the Euclidean distance of penultimate features, of an example's own class if
    `balanced`, else of all. DeepCore keeps the lowest scores, the paper of CAL the highest.
    """
    from harness.lab.coresets.pools import pools, scores

    return scores(
        pools(params, params.balanced, inputs, ctx),
        params.dataset.train_size,
        lambda pool: contrast(
            pool.features, pool.log_probabilities, params.neighbours, params.divergence
        ),
    )


def contrast(
    features: np.ndarray, log_probabilities: np.ndarray, neighbours: int, divergence: str
) -> np.ndarray:
    """Mean over the k nearest j != i of the divergence of p_i and p_j, (n,), in nats.

    `from-neighbour`: KL(p_j || p_i), as the paper has it; `symmetric`: the mean of both directions,
    DeepCore's. Of equally distant neighbours the lowest rows count.
    """
    from scipy.spatial.distance import cdist

    parts = []
    for start in range(0, len(features), AT_ONCE):
        own = np.arange(start, min(start + AT_ONCE, len(features)))
        apart = cdist(features[own], features)
        # Not the first column of the sorted distances: a copy of the example may stand there.
        apart[np.arange(len(own)), own] = np.inf
        nearest = apart.argsort(axis=1, kind="stable")[:, :neighbours]
        theirs, mine = log_probabilities[nearest], log_probabilities[own][:, None]
        found = (np.exp(theirs) * (theirs - mine)).sum(axis=2)
        if divergence == "symmetric":
            found = (found + (np.exp(mine) * (mine - theirs)).sum(axis=2)) / 2
        parts.append(found.mean(axis=1))
    return np.concatenate(parts)


STEPS = (
    declare(
        uncertainty_score,
        lambda: Probe(
            UncertaintyParams(dataset=DATASET, network=NETWORK, measure="entropy"),
            {"teacher": taught()},
        ),
        taught_work,
        inputs=("teacher",),
    ),
    declare(
        cal_score,
        lambda: Probe(
            CalParams(
                dataset=DATASET,
                network=NETWORK,
                neighbours=3,
                divergence="symmetric",
                balanced=True,
            ),
            {"teacher": taught()},
        ),
        taught_work,
        inputs=("teacher",),
    ),
)
