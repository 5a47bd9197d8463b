"""Pools for the tests of the selectors."""

from __future__ import annotations

import numpy as np

from harness.lab.coresets.pools import Pool


def pool(seed: int, size: int = 10, width: int = 3, classes: int = 4) -> Pool:
    """Random answers and features; random reals have no ties."""
    random = np.random.default_rng(seed)
    return Pool(
        np.arange(size),
        random.integers(0, classes, size),
        random.normal(size=(size, width)),
        2 * random.normal(size=(size, classes)),
    )


def reordered(given: Pool, order: np.ndarray) -> Pool:
    parts = (given.rows, given.labels, given.features, given.logits)
    return Pool(*(part[order] for part in parts))
