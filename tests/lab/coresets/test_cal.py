"""Divergence from the neighbours by hand, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import entropy

from harness.lab.coresets.uncertainty import CalParams, contrast
from tests.lab.coresets.made import pool
from tests.lab.fixtures import DIGITS, NETWORK

LINE = np.array([[0.0], [1.0], [3.0]])
P = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]])


def test_by_hand() -> None:
    log = np.log
    # Nearest: 1 of 0, 0 of 1, 1 of 2.
    from_1_to_0 = 0.25 * log(0.5) + 0.75 * log(1.5)
    from_0_to_1 = 0.5 * log(2) + 0.5 * log(2 / 3)
    from_1_to_2 = 0.25 * log(0.25 / 0.9) + 0.75 * log(7.5)
    from_2_to_1 = 0.9 * log(3.6) + 0.1 * log(0.1 / 0.75)
    found = contrast(LINE, log(P), 1, "from-neighbour")
    assert found.tolist() == pytest.approx([from_1_to_0, from_0_to_1, from_1_to_2])
    both = contrast(LINE, log(P), 1, "symmetric")
    middle = (from_1_to_0 + from_0_to_1) / 2
    assert both.tolist() == pytest.approx([middle, middle, (from_1_to_2 + from_2_to_1) / 2])


@given(seed=st.integers(0, 1000), neighbours=st.integers(1, 9))
def test_mean_over_the_nearest_a_block_at_a_time(seed: int, neighbours: int) -> None:
    given_ = pool(seed)
    p = np.exp(given_.log_probabilities)
    wanted = []
    for own in range(10):
        apart = np.linalg.norm(given_.features - given_.features[own], axis=1)
        near = [j for j in np.argsort(apart) if j != own][:neighbours]
        wanted.append(np.mean([entropy(p[j], p[own]) for j in near]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.lab.coresets.uncertainty.AT_ONCE", 4)
        found = contrast(given_.features, given_.log_probabilities, neighbours, "from-neighbour")
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    assert (found >= 0).all()


@pytest.mark.parametrize("divergence", ["from-neighbour", "symmetric"])
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_examples_does_not_matter(divergence: str, seed: int) -> None:
    given_, order = pool(seed), np.random.default_rng(seed).permutation(10)
    plain = contrast(given_.features, given_.log_probabilities, 3, divergence)
    moved = contrast(given_.features[order], given_.log_probabilities[order], 3, divergence)
    np.testing.assert_allclose(moved, plain[order], rtol=1e-12)


def test_a_copy_is_a_neighbour_and_the_example_itself_is_none() -> None:
    copies = np.array([[0.0], [0.0], [5.0]])
    found = contrast(copies, np.log(P), 1, "from-neighbour")
    # Each copy sees the other one, which differs; were it itself, it would score 0.
    assert found[0] == pytest.approx(entropy(P[1], P[0]))
    assert found[1] == pytest.approx(entropy(P[0], P[1]))


def test_a_probability_of_zero_is_no_nan() -> None:
    log_p = np.array([[0.0, -2000.0], [-2000.0, 0.0]])
    assert contrast(LINE[:2], log_p, 1, "symmetric").tolist() == [2000.0, 2000.0]


def test_more_neighbours_than_a_class_has_are_refused() -> None:
    fields = {"dataset": DIGITS, "network": NETWORK, "divergence": "symmetric"}
    CalParams(**fields, neighbours=200, balanced=False)
    with pytest.raises(ValidationError, match="131 neighbours of its own class"):
        CalParams(**fields, neighbours=131, balanced=True)
