"""GraphCut and Facility Location on a class of 1,300, beside the naive greedy algorithm.

The peer asks every gain anew at each choice, with the vectorised formulas of DeepCore's NaiveGreedy
and submodular functions. Similarities are given to both.
"""

from __future__ import annotations

from benchmarks.bench import compare, keep, one_thread

one_thread()

import numpy as np  # noqa: E402

from harness.lab.coresets.gradients import (  # noqa: E402
    FacilityLocation,
    cosine_similarity,
    graph_cut,
    lazy_greedy,
)

SIZE, TRADE_OFF = 1300, 2.0


def main() -> None:
    given = similarity()
    rows = []
    for count in (50, 200):
        rows += [
            compare(
                f"Facility Location, 1,300 a class, {count} chosen",
                "naive greedy, NumPy",
                "10 times",
                lambda c=count: lazy_greedy(FacilityLocation(given), c)[0].tolist(),
                lambda c=count: naive_location(given, c),
            ),
            compare(
                f"GraphCut, 1,300 a class, {count} chosen",
                "naive greedy, NumPy",
                "10 times",
                lambda c=count: graph_cut(given, TRADE_OFF, c)[0].tolist(),
                lambda c=count: naive_cut(given, c),
            ),
        ]
    keep("submodular", rows)


def similarity() -> np.ndarray:
    """Of gradients of a last layer with 100 classes and 512 features, most answers being sure."""
    draws = np.random.default_rng(0)
    features = np.maximum(draws.normal(size=(SIZE, 64)) @ draws.normal(size=(64, 512)), 0)
    wrong = draws.dirichlet(np.full(100, 0.05), SIZE)
    wrong[:, 0] -= 1
    return cosine_similarity((wrong @ wrong.T) * (1 + features @ features.T))


def naive_location(given: np.ndarray, count: int) -> list[int]:
    every, covered = np.arange(len(given)), np.zeros(len(given))
    rows: list[int] = []
    while len(rows) < count:
        free = np.setdiff1d(every, rows)
        gains = np.maximum(given[np.ix_(every, free)] - covered[:, None], 0).sum(axis=0)
        rows.append(int(free[gains.argmax()]))
        covered = np.maximum(covered, given[rows[-1]])
    return rows


def naive_cut(given: np.ndarray, count: int) -> list[int]:
    every, total = np.arange(len(given)), given.sum(axis=0)
    rows: list[int] = []
    while len(rows) < count:
        free = np.setdiff1d(every, rows)
        inside = given[np.ix_(np.array(rows, int), free)].sum(axis=0)
        rows.append(int(free[(TRADE_OFF * total[free] - 2 * inside).argmax()]))
    return rows


if __name__ == "__main__":
    main()
