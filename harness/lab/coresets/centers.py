"""Training examples that cover their class, in the space of a trained network's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from harness.lab.coresets.params import TaughtSelectParams, taught_work
from harness.lab.probing import DATASET, NETWORK, taught
from harness.later import torch
from harness.plan.step import (
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    declare,
)


class CentersParams(TaughtSelectParams):
    kcenter: Literal["greedy", "greedy-from-mean", "k-means"]
    balanced: bool
    metric: Annotated[Literal["euclidean", "cosine"], Neutral("euclidean")] = "euclidean"


def select_centers(
    params: CentersParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Choose `per_class` centres of every class, or as many of all classes together.

    Features are those of the teacher's penultimate layer, un-augmented. `greedy`: farthest first
    from a random example (DeepCore); `greedy-from-mean`: from the one nearest to the mean (DC's and
    DM's authors); `k-means`: of each cluster, the example nearest to its mean, large clusters first
    (a reading of the set that DC-Bench releases). With the metric `cosine` all of it is done on
    features that are scaled to length one; a zero vector stays as it is. Arrays `indices` and
    `labels`, int64, in order of choice; value `radius`, the largest distance of an example to its
    nearest centre, of these features.
    Draws: "select" of `ctx`.
    """

    from sklearn.preprocessing import normalize

    from harness.lab.coresets.cover import centres, radius
    from harness.lab.coresets.pools import Choice, Pool, selection

    generator = torch.Generator().manual_seed(ctx.derive("select"))
    radii = []

    def choose(pool: Pool, count: int) -> Choice:
        points = normalize(pool.features) if params.metric == "cosine" else pool.features
        rows = centres(points, count, params.kcenter, generator)
        radii.append(radius(points, rows))
        return Choice(rows)

    made = selection(params, params.balanced, inputs, ctx, choose)
    return StepResult({"radius": max(radii)}, made.arrays)


def probe_select_centers() -> Probe:
    return Probe(
        CentersParams(
            dataset=DATASET, network=NETWORK, per_class=3, kcenter="greedy", balanced=True
        ),
        {"teacher": taught()},
    )


STEPS = (declare(select_centers, probe_select_centers, taught_work, inputs=("teacher",)),)
