"""Training examples that cover their class, in the space of a trained network's features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.errors import UserError
from harness.lab.coresets.cover import Cover, distances
from harness.lab.coresets.pools import Choice, Pool, selection
from harness.lab.coresets.steps import CentersParams
from harness.plan.step import StepContext, StepInput, StepResult


def select_centers(
    params: CentersParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Choose `per_class` centres of every class, or as many of all classes together.

    Features are those of the teacher's penultimate layer, un-augmented. `greedy`: farthest first
    from a random example (DeepCore); `greedy-from-mean`: from the one nearest to the mean (DC's and
    DM's authors); `k-means`: of each cluster, the example nearest to its mean, large clusters first
    (a reading of the set that DC-Bench releases). Arrays `indices` and `labels`, int64, in order of
    choice; value `radius`, the largest distance of an example to its nearest centre.
    Draws: "select" of `ctx`.
    """
    generator = torch.Generator().manual_seed(ctx.derive("select"))
    radii = []

    def choose(pool: Pool, count: int) -> Choice:
        rows = centres(pool.features, count, params.kcenter, generator)
        radii.append(radius(pool.features, rows))
        return Choice(rows)

    made = selection(params, params.balanced, inputs, ctx, choose)
    return StepResult({"radius": max(radii)}, made.arrays)


def centres(points: np.ndarray, count: int, method: str, generator: torch.Generator) -> np.ndarray:
    """Rows (count,) of `points` (n, d) in the order chosen. Raises `UserError` if n < count."""
    if count > len(points):
        raise UserError(
            f"select_centers: {count} centres are asked for among {len(points)} examples; ask for "
            "fewer"
        )
    if method == "k-means":
        return medoids(points, count, int(torch.randint(2**31, (), generator=generator)))
    if method == "greedy":
        start = int(torch.randint(len(points), (), generator=generator))
    else:
        start = int(distances(points, points.mean(axis=0)).argmin())
    return farthest_first(points, count, start)


def farthest_first(points: np.ndarray, count: int, start: int) -> np.ndarray:
    """Greedy k-centre: again and again the row farthest from all that are chosen (Gonzalez 1985).

    Ties go to the lowest row. The covering radius is at most twice the smallest possible.
    """
    cover = Cover(points, start)
    while len(cover.rows) < count:
        # A copy of a row that is chosen may come again, the row itself must not.
        cover.add(cover.farthest())
    return np.array(cover.rows)


def medoids(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Of each k-means cluster the row nearest to its mean; large clusters first."""
    from sklearn.cluster import KMeans

    found = KMeans(count, n_init=1, random_state=seed).fit(points)
    sizes = np.bincount(found.labels_, minlength=count)
    rows = []
    for cluster in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(found.labels_ == cluster)
        rows.append(members[distances(points[members], found.cluster_centers_[cluster]).argmin()])
    return np.array(rows)


def radius(points: np.ndarray, rows: np.ndarray) -> float:
    """The largest distance of a point to the nearest of the chosen rows."""
    if len(rows) == len(points):
        return 0.0
    cover = Cover(points, int(rows[0]))
    for row in rows[1:]:
        cover.add(int(row))
    return cover.distance(cover.farthest())
