"""Herding: a set whose mean follows that of its class (Welling 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from harness.lab.coresets.params import TaughtSelectParams, taught_work
from harness.lab.probing import DATASET, NETWORK, taught
from harness.later import np
from harness.plan.step import (
    Probe,
    StepContext,
    StepInput,
    StepResult,
    declare,
)


class HerdingParams(TaughtSelectParams):
    pick: Literal["nearest", "farthest"]
    """Farthest: DeepCore's."""
    balanced: bool


def select_herding(
    params: HerdingParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Herd the penultimate features of the teacher, un-augmented.

    Arrays `indices` and `labels`, int64, in order of choice.
    """
    from harness.lab.coresets.pools import Choice, Pool, selection

    def choose(pool: Pool, count: int) -> Choice:
        return Choice(herd(pool.features, count, params.pick))

    return selection(params, params.balanced, inputs, ctx, choose)


def herd(points: np.ndarray, count: int, pick: str) -> np.ndarray:
    """Rows (count,) of `points` (n, d): the t-th is x nearest to t mu - (sum of the chosen).

    So the mean of the first t stays as near to mu as one more choice can bring it. `farthest` is
    DeepCore's: it takes the largest distance in place of the smallest. Ties go to the lowest row.
    """

    from harness.lab.coresets.cover import distances

    mean = points.mean(axis=0)
    total = np.zeros_like(mean)
    rows: list[int] = []
    for step in range(1, count + 1):
        apart = distances(points, step * mean - total)
        if pick == "farthest":
            apart = -apart
        apart[rows] = np.inf
        rows.append(int(apart.argmin()))
        total += points[rows[-1]]
    return np.array(rows)


STEPS = (
    declare(
        select_herding,
        lambda: Probe(
            HerdingParams(
                dataset=DATASET, network=NETWORK, per_class=3, pick="nearest", balanced=True
            ),
            {"teacher": taught()},
        ),
        taught_work,
        inputs=("teacher",),
    ),
)
