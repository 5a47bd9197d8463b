"""Uncertainty by hand, and which end is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from harness.lab.coresets.pools import Pool
from harness.lab.coresets.uncertainty import unsure
from tests.lab.coresets.made import pool


def of(*probabilities: list[float], shift: float = 0.0) -> Pool:
    logits = np.log(np.array(probabilities)) + shift
    rows = np.arange(len(logits))
    return Pool(rows, rows, np.zeros((len(logits), 1)), logits)


def test_by_hand() -> None:
    given_ = of([0.5, 0.25, 0.25], [0.8, 0.1, 0.1], shift=2.0)
    log = np.log
    wanted = {
        "largest-probability": [-0.5, -0.8],
        "largest-logit": [-(2 + log(0.5)), -(2 + log(0.8))],
        "entropy": [1.5 * log(2), -0.8 * log(0.8) - 0.2 * log(0.1)],
        "margin": [-0.25, -0.7],
    }
    for measure, values in wanted.items():
        assert unsure(given_, measure).tolist() == pytest.approx(values), measure


@given(seed=st.integers(0, 1000))
def test_bounds_and_extremes(seed: int) -> None:
    given_ = pool(seed)
    probabilities = np.exp(given_.log_probabilities)
    np.testing.assert_allclose(unsure(given_, "entropy"), entropy(probabilities, axis=1))
    ordered = np.sort(probabilities, axis=1)
    np.testing.assert_allclose(unsure(given_, "margin"), ordered[:, -2] - ordered[:, -1])
    # The most unsure answer there is.
    even = of([0.25] * 4)
    for measure in ("entropy", "margin", "largest-probability"):
        assert (unsure(given_, measure) <= unsure(even, measure) + 1e-12).all()


def test_the_largest_logit_is_not_the_largest_probability() -> None:
    # The second is surer, but its logits are lower.
    given_ = Pool(*(np.arange(2),) * 2, np.zeros((2, 1)), np.array([[5.0, 5.0], [3.0, -9.0]]))
    assert unsure(given_, "largest-probability").argmax() == 0
    assert unsure(given_, "largest-logit").argmax() == 1


def test_certainty_beyond_the_smallest_number_is_no_nan() -> None:
    given_ = Pool(*(np.zeros(1, int),) * 2, np.zeros((1, 1)), np.array([[2000.0, 0.0, 0.0]]))
    assert unsure(given_, "entropy").tolist() == [0.0]
