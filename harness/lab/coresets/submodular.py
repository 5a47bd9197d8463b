"""Sets that grow by the largest gain of a submodular function, class by class.

An example stands for the gradient of its cross-entropy with respect to the last layer,
g = [e, e h^T] with e = softmax - one-hot and h the penultimate features. Gradients are never
written out, since <g_i, g_j> = <e_i, e_j> (1 + <h_i, h_j>).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.lab.coresets.gradients import errors
from harness.lab.coresets.pools import Choice, Pool, selection
from harness.lab.coresets.steps import GraphCutParams, TaughtSelectParams
from harness.plan.step import StepContext, StepInput, StepResult

TINY = np.finfo(np.float64).tiny
AT_ONCE = 128
"""Gains that are computed together: a few loops of Python save many."""


def select_facility_location(
    params: TaughtSelectParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Greedy maximum of sum over i of max over chosen j of s_ij, s = 1/2 + cosine/2 of gradients.

    Arrays `indices` and `labels`, int64, and `gains`, float64, in order of choice in each class.
    """

    def choose(pool: Pool, count: int) -> Choice:
        rows, gains = lazy_greedy(FacilityLocation(cosine_similarity(products(pool))), count)
        return Choice(rows, {"gains": gains})

    return selection(params, True, inputs, ctx, choose)


def select_graph_cut(
    params: GraphCutParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Greedy maximum of lambda x (s of all to the chosen) - (s among the chosen).

    Similarities and arrays as `select_facility_location`. Gains fall below 0 about where half of a
    class is chosen (Iyer et al. 2021; DeepCore); the choice goes on all the same.
    """

    def choose(pool: Pool, count: int) -> Choice:
        similarity = cosine_similarity(products(pool))
        rows, gains = graph_cut(similarity, params.trade_off, count)
        return Choice(rows, {"gains": gains})

    return selection(params, True, inputs, ctx, choose)


def select_craig(
    params: TaughtSelectParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Examples whose gradients are near to all others (CRAIG, Mirzasoleiman et al. 2020).

    Facility location with s = max(d) - d, d the distance of two gradients. Arrays as
    `select_facility_location`, and `weights`, float64: for how many examples of its class, itself
    among them, a choice is the nearest. They sum to the size of the class; DeepCore adds 1 to each.
    """

    def choose(pool: Pool, count: int) -> Choice:
        apart = distances(products(pool))
        similarity = apart.max() - apart
        rows, gains = lazy_greedy(FacilityLocation(similarity), count)
        nearest = similarity[:, rows].argmax(axis=1)
        weights = np.bincount(nearest, minlength=count).astype(np.float64)
        return Choice(rows, {"gains": gains, "weights": weights})

    return selection(params, True, inputs, ctx, choose)


class FacilityLocation:
    """f(S) = sum over i of max over j in S of s_ij, for symmetric s >= 0; f of nothing is 0.

    It is submodular: the gain of a row never rises as others come in.
    """

    def __init__(self, similarity: np.ndarray) -> None:
        self._similarity = similarity
        self._covered = np.zeros(len(similarity))

    def __len__(self) -> int:
        return len(self._similarity)

    def gains(self, rows: np.ndarray) -> np.ndarray:
        """What each of `rows` (k,) would add now, (k,)."""
        return np.maximum(self._similarity[rows] - self._covered, 0).sum(axis=1)

    def add(self, row: int) -> None:
        np.maximum(self._covered, self._similarity[row], out=self._covered)


def lazy_greedy(
    function: FacilityLocation, count: int, at_once: int = AT_ONCE
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (count,) in the order of the greedy choice, and their gains; ties to the lowest row.

    A gain is only computed anew where its last value, which bounds it from above, is among the
    `at_once` largest (Minoux 1978): the choice is that of the plain greedy algorithm.
    """
    bounds = np.full(len(function), np.inf)
    stale = np.ones(len(function), bool)
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < count:
        best = int(bounds.argmax())
        if stale[best]:
            old = np.flatnonzero(stale)
            last = min(at_once, len(old)) - 1
            largest = old[np.argpartition(-bounds[old], last)[:at_once]]
            bounds[largest] = function.gains(largest)
            stale[largest] = False
            continue
        rows.append(best)
        gains.append(float(bounds[best]))
        function.add(best)
        bounds[best] = -np.inf
        stale = bounds > -np.inf
    return np.array(rows), np.array(gains)


def graph_cut(
    similarity: np.ndarray, trade_off: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same for f(S) = lambda x (s of all to those in S) - (s among those in S), s symmetric.

    A choice lowers all gains by twice a row of s, which is cheaper than putting any of them off.
    """
    left = trade_off * similarity.sum(axis=1) - similarity.diagonal()
    rows = np.empty(count, np.int64)
    gains = np.empty(count)
    for number in range(count):
        row = left.argmax()
        rows[number], gains[number] = row, left[row]
        left -= 2 * similarity[row]
        left[row] = -np.inf
    return rows, gains


def products(pool: Pool) -> np.ndarray:
    """Inner products of the last-layer gradients, float64 (n, n)."""
    wrong = errors(pool.log_probabilities, pool.labels)
    return (wrong @ wrong.T) * (1 + pool.features @ pool.features.T)


def cosine_similarity(inner: np.ndarray) -> np.ndarray:
    """1/2 + cosine/2 from inner products, in [0, 1]; a gradient of 0 has cosine 0 with others."""
    norms = np.sqrt(inner.diagonal())
    cosine = inner / np.maximum(np.outer(norms, norms), TINY)
    np.fill_diagonal(cosine, 1.0)
    return 0.5 + 0.5 * cosine.clip(-1, 1)


def distances(inner: np.ndarray) -> np.ndarray:
    """Euclidean distances from inner products."""
    squares = inner.diagonal()
    return np.sqrt((squares[:, None] + squares[None] - 2 * inner).clip(min=0))
