"""Herding by hand and by its law."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.lab.coresets.herding import herd

LINE = np.array([[0.0], [1.0], [2.0], [9.0]])


def test_by_hand() -> None:
    # The mean is 3; wanted are 3, then 6 - 2, then 9 - 3, then 12 - 12.
    assert herd(LINE, 4, "nearest").tolist() == [2, 1, 3, 0]
    # Farthest from 3 is 9, then from 6 - 9 it is 2, then from 9 - 11 it is 1.
    assert herd(LINE, 3, "farthest").tolist() == [3, 2, 1]


def test_ties_go_to_the_lowest_row_and_copies_are_distinct() -> None:
    assert herd(np.array([[-1.0], [1.0]]), 2, "nearest").tolist() == [0, 1]
    assert herd(np.zeros((3, 2)), 3, "nearest").tolist() == [0, 1, 2]


@given(seed=st.integers(0, 1000))
def test_each_choice_brings_the_mean_nearest_to_that_of_all(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(9, 3))
    rows = herd(points, 9, "nearest").tolist()
    for count in range(1, 9):
        chosen = rows[: count - 1]
        gaps = {
            row: np.linalg.norm(points[[*chosen, row]].mean(axis=0) - points.mean(axis=0))
            for row in range(9)
            if row not in chosen
        }
        assert rows[count - 1] == min(gaps, key=gaps.__getitem__)


@given(seed=st.integers(0, 1000))
def test_the_order_of_the_examples_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    points, order = random.normal(size=(9, 3)), random.permutation(9)
    assert order[herd(points[order], 5, "nearest")].tolist() == herd(points, 5, "nearest").tolist()
