"""The fit of the scaling law beside the grid search of its authors' code: time, and squared error.

    python -m benchmarks.scaling_fit [--evaluations 200] [--curves 5]

Both fit a, b and tau of the official form, d given, on curves with noise. The grid is the published
one, 100 values of each. The authors' code takes one combination after another, epoch by epoch;
that is timed on some of them. `arrays` takes all b and tau at once, as `fit_scaling_grid` does.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from harness.lab.measure.scaling.fit import Evaluations, LawProblem, fit, grid_fit, official

GRID = (np.linspace(1e-4, 0.1, 100), np.linspace(-0.005, -0.5, 100), np.linspace(1, 10, 100))
D = 0.1
SOME = 1000
T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--curves", type=int, default=5)
    given = parser.parse_args()
    evaluations = Evaluations(np.arange(1.0, given.evaluations + 1), 1.0)
    problem = LawProblem((evaluations,), "official", None, D, (-5.0, -1e-3), (0.05, 1000.0))
    print(f"{given.evaluations} evaluations; seconds, and squared error over that of the grid")
    ratios = []
    for seed in range(given.curves):
        errors = drawn(evaluations, seed)
        ours, mine = timed(lambda errors=errors: fit(problem, errors))
        arrays, best = timed(
            lambda errors=errors: grid_fit("official", evaluations, errors, GRID, D)
        )
        single, _ = timed(lambda errors=errors: one_by_one(evaluations.samples, errors))
        whole = single / SOME * np.prod([len(values) for values in GRID])
        ratios.append((arrays / ours, whole / ours))
        print(
            f"curve {seed}: ours {ours:.3f}, arrays {arrays:.1f}, one by one {whole:.0f}; "
            f"error {mine.sse / best.sse:.6f}"
        )
    by_arrays, by_one = (statistics.median(each) for each in zip(*ratios, strict=True))
    print(f"faster by {by_arrays:.0f} than arrays, by {by_one:.0f} than one by one")


def drawn(evaluations: Evaluations, seed: int) -> np.ndarray:
    """Errors with a spread of 0.005."""
    draws = np.random.default_rng(seed)
    a, b, tau = draws.uniform(0.005, 0.1), draws.uniform(-0.4, -0.05), draws.uniform(1, 10)
    return official(evaluations, a, b, tau, D) + 0.005 * draws.standard_normal(len(evaluations))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of this process, and what came back."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def one_by_one(samples: np.ndarray, errors: np.ndarray) -> float:
    """The least error over some combinations, as the authors' code goes through them."""
    n, measured = samples.tolist(), errors.tolist()
    least = float("inf")
    for a, b, tau in itertools.islice(itertools.product(*GRID), SOME):
        y = (a * n[0]) ** b + D
        total = (y - measured[0]) ** 2
        for epoch in range(1, len(n)):
            y *= (n[epoch] / n[epoch - 1]) ** (b * 0.5 ** (epoch / tau))
            total += (y - measured[epoch]) ** 2
        least = min(least, total)
    return least


if __name__ == "__main__":
    main()
