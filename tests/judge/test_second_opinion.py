"""Prediction intervals and CV* against draws and worked values."""

import math

import numpy as np
import pytest

from harness.judge.sample import Summary
from harness.judge.second_opinion import coverage, cv_star, predict


def test_prediction_by_hand():
    """t(2) at 97.5 % is 4.3027; 3 of theirs and 5 of ours."""
    predicted = predict(Summary(40.0, 0.3, 3), Summary(41.0, 0.2, 5))
    half = 4.302652729911275 * 0.3 * math.sqrt(1 / 3 + 1 / 5)
    assert (predicted.low, predicted.high) == pytest.approx((40 - half, 40 + half))
    assert not predicted.inside
    assert predict(Summary(40.0, 0.3, 3), Summary(41.0, 0.2, 5), half_unit=0.5).inside


def test_a_prediction_holds_as_often_as_it_says():
    rng = np.random.default_rng(0)
    theirs, ours = rng.normal(40, 0.3, (4000, 3)), rng.normal(40, 0.3, (4000, 2))
    held = [
        predict(Summary.of(a.tolist()), Summary.of(b.tolist())).inside
        for a, b in zip(theirs, ours, strict=True)
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.011)


def test_no_spread_predicts_nothing():
    assert predict(Summary(40.0, None, 3), Summary(41.0, 0.2, 5)) is None
    assert predict(Summary.exact(40.0), Summary(41.0, 0.2, 5)) is None
    # Of a deterministic number, printed as 40.0 ± 0.0 over three runs.
    assert predict(Summary(40.0, 0.0, 3), Summary.exact(40.2), half_unit=0.05) is None


def test_coverage_counts_against_the_binomial():
    held = predict(Summary(40.0, 0.3, 3), Summary(40.0, None, 1))
    missed = predict(Summary(40.0, 0.3, 3), Summary(50.0, None, 1))
    found = coverage([held] * 8 + [missed] * 2 + [None] * 3)
    exactly = [math.comb(10, k) * 0.95**k * 0.05 ** (10 - k) for k in range(9)]
    assert (found.inside, found.of, found.expected) == (8, 10, pytest.approx(9.5))
    assert found.p_fewer == pytest.approx(sum(exactly))
    assert coverage([None]) is None


def test_cv_star_of_two_numbers():
    """c4(2) = sqrt(2 / pi), so of two values it is 1.125 sqrt(pi) / 2 |a - b| / mean."""
    assert cv_star([60.0, 61.0]) == pytest.approx(100 * 1.125 * math.sqrt(math.pi) / 2 / 60.5)
    assert cv_star([40.0, 40.0]) == 0
    assert cv_star([40.0]) is None
    assert cv_star([-1.0, 1.0]) is None


def test_cv_star_estimates_the_relative_spread():
    draws = np.random.default_rng(2).normal(100, 1, (20_000, 4))
    estimated = np.mean([cv_star(row.tolist()) for row in draws[:5000]])
    assert estimated == pytest.approx(1 + 1 / 16, rel=0.02)


@pytest.mark.parametrize(("n", "c4"), [(2, 0.797885), (3, 0.886227), (5, 0.939986), (10, 0.972659)])
def test_the_correction_is_the_tabulated_one(n, c4):
    values = list(range(1, n + 1))
    plain = np.std(values, ddof=1) / np.mean(values)
    assert 100 * (1 + 1 / (4 * n)) * plain / cv_star(values) == pytest.approx(c4, abs=1e-6)
