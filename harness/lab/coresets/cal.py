"""CAL: examples whose prediction differs from that of their neighbours (Margatina et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial.distance import cdist

from harness.lab.coresets.pools import pools, scores
from harness.lab.coresets.steps import CalParams
from harness.plan.step import StepContext, StepInput, StepResult

AT_ONCE = 256
"""Examples whose neighbours are sought together."""


def cal_score(params: CalParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Array `score` (n,), float32: mean divergence to the nearest neighbours; high is contrastive.

    Neighbours by the Euclidean distance of penultimate features, of an example's own class if
    `balanced`, else of all. DeepCore keeps the lowest scores, the paper of CAL the highest.
    """
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
