"""K-centers of 50,000 x 2,048 features, 100 classes x 50, beside greedy on a full distance matrix.

The peer fills the matrix of distances of a class as DeepCore's k_center_greedy does (norms and one
product of matrices), or row by row; then it is greedy on that. Both sides are given the same
features: as the network leaves them (float32), or as the selector gets them (float64).
"""

from __future__ import annotations

from benchmarks.bench import Row, compare, keep, one_thread

one_thread()

import tracemalloc  # noqa: E402
from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402

from harness.lab.coresets.cover import farthest_first  # noqa: E402

CLASSES, SIZE, WIDTH, COUNT, SOME = 100, 500, 2048, 50, 5


def main() -> None:
    draws = np.random.default_rng(0)
    features = draws.standard_normal((CLASSES, SIZE, WIDTH), np.float32)
    few = features[:SOME]
    rows = [
        beside_product(features),
        beside_product(features.astype(np.float64)),
        compare(
            f"the same, {SOME} classes",
            "NumPy, full distance matrix row by row, float32",
            "10 times",
            lambda: chosen(few, ours),
            lambda: chosen(few, lambda points: greedy(by_rows(points))),
            same=np.array_equal,
            note=f"memory beyond the features, n = 1,000, 2,000, 4,000: {memory(draws)}",
        ),
    ]
    keep("centers", rows)


def beside_product(features: np.ndarray) -> Row:
    return compare(
        "K-centers, 50,000 x 2,048, 100 classes x 50",
        f"NumPy, full distance matrix by one product (DeepCore's formula), {features.dtype}",
        "10 times",
        lambda: chosen(features, ours),
        lambda: chosen(features, lambda points: greedy(by_product(points))),
        same=np.array_equal,
    )


def chosen(features: np.ndarray, choose: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.stack([choose(points) for points in features])


def ours(points: np.ndarray) -> np.ndarray:
    return farthest_first(points, COUNT, 0)


def by_product(points: np.ndarray) -> np.ndarray:
    norms = np.square(points).sum(axis=1)
    squares = norms[:, None] + norms[None] - 2 * (points @ points.T)
    return np.sqrt(np.clip(squares, 1e-12, None))


def by_rows(points: np.ndarray) -> np.ndarray:
    return np.stack([np.linalg.norm(points - point, axis=1) for point in points])


def greedy(apart: np.ndarray) -> np.ndarray:
    rows = [0]
    nearest = apart[0].copy()
    while len(rows) < COUNT:
        rows.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, apart[rows[-1]])
    return np.array(rows)


def memory(draws: np.random.Generator) -> str:
    """The peak of what the choice itself takes."""
    found = []
    for size in (1000, 2000, 4000):
        points = draws.standard_normal((size, 64))
        tracemalloc.start()
        farthest_first(points, COUNT, 0)
        found.append(f"{tracemalloc.get_traced_memory()[1] / 2**10:.0f} KiB")
        tracemalloc.stop()
    return ", ".join(found)


if __name__ == "__main__":
    main()
