"""Rank correlations, against SciPy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.judge.correlation import correlate, partial, spearman, within
from harness.judge.model import Coefficient

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
SIZES = (10.0, 50.0, 100.0)


def points(seed: int, count: int, slope: float, ties: bool = False) -> Points:
    """x and y that both follow the size, and each other by `slope` beside that."""
    generator = np.random.default_rng(seed)
    size = np.repeat(SIZES, count)
    noise = generator.normal(size=(2, len(size)))
    x = noise[0] - 0.05 * size
    y = slope * noise[0] + math.sqrt(1 - slope**2) * noise[1] - 0.05 * size
    return (np.round(x), np.round(y), size) if ties else (x, y, size)


def of(found: list[Coefficient], name: str) -> Coefficient:
    return next(item for item in found if item.adjustment == name)


def every(x: np.ndarray, y: np.ndarray, size: np.ndarray, **rest: int) -> list[Coefficient]:
    return correlate(x.tolist(), y.tolist(), size.tolist(), list(range(len(x))), **rest)


@given(st.integers(0, 10_000), st.integers(3, 20), st.floats(-0.9, 0.9), st.booleans())
def test_plain_is_scipys(seed: int, count: int, slope: float, ties: bool) -> None:
    x, y, _ = points(seed, count, slope, ties)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(3, 20), st.floats(-0.9, 0.9), st.booleans())
def test_partial_is_the_correlation_of_residuals_of_ranks(
    seed: int, count: int, slope: float, ties: bool
) -> None:
    x, y, size = points(seed, count, slope, ties)
    design = sm.add_constant(stats.rankdata(size))
    left = [sm.OLS(stats.rankdata(values), design).fit().resid for values in (x, y)]
    assert partial(x, y, size) == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-9)


@given(st.integers(0, 10_000), st.integers(3, 20), st.floats(-0.9, 0.9))
def test_within_is_the_mean_over_sizes(seed: int, count: int, slope: float) -> None:
    x, y, size = points(seed, count, slope)
    each = [stats.spearmanr(x[size == s], y[size == s]).statistic for s in SIZES]
    assert within(x, y, size) == pytest.approx(np.mean(each), abs=1e-12)


@given(st.integers(0, 1000), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_only_ranks_count(seed: int, scale: float, shift: float) -> None:
    x, y, size = points(seed, 6, 0.5)
    for statistic in (partial, within):
        assert statistic(np.exp(scale * x), y**3 + shift, np.log(size)) == pytest.approx(
            statistic(x, y, size)
        )


def test_size_alone_makes_a_plain_correlation_and_no_adjusted_one() -> None:
    x, y, size = points(0, 200, 0.0)
    found = every(x, y, size, draws=200)
    assert of(found, "plain").rho > 0.8
    for name in ("partial", "within"):
        low, high = of(found, name).low, of(found, name).high
        assert low < 0 < high
        assert abs(of(found, name).rho) < 0.1


def test_adjusted_coefficients_see_what_is_left_beside_the_size() -> None:
    x, y, size = points(1, 200, -0.6)
    found = every(x, y, size, draws=200)
    assert of(found, "plain").rho > 0
    assert of(found, "partial").high < -0.3
    assert of(found, "within").high < -0.3


def test_intervals_cover_as_often_as_they_say() -> None:
    """Without sizes, of normal points with a known rank correlation, 6/pi asin(r/2)."""
    truth = 6 / math.pi * math.asin(0.5 / 2)
    hits = 0
    for seed in range(60):
        drawn = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 60)
        (found, *_) = every(*drawn.T, np.ones(60), draws=100)
        hits += found.low <= truth <= found.high
    assert 51 <= hits <= 60


def test_the_error_is_that_of_large_samples() -> None:
    """Of independent quantities the variance is 1 / (n - 1)."""
    drawn = np.random.default_rng(5).normal(size=(2, 150))
    found = every(*drawn, np.ones(150))[0]
    assert found.error == pytest.approx(1 / math.sqrt(149), rel=0.15)


def test_points_of_the_same_images_count_once() -> None:
    """Repeating every point changes no coefficient, and no interval if they are drawn together."""
    x, y, size = points(2, 20, 0.4)
    once = every(x, y, size, draws=500)
    units = [index % len(x) for index in range(2 * len(x))]
    twice = correlate(*(np.tile(values, 2).tolist() for values in (x, y, size)), units, draws=500)
    apart = correlate(
        *(np.tile(values, 2).tolist() for values in (x, y, size)), list(range(2 * len(x))), 500
    )
    for name in ("plain", "partial", "within"):
        assert of(twice, name).rho == pytest.approx(of(once, name).rho, abs=0.02)
        assert of(twice, name).error == pytest.approx(of(once, name).error, rel=0.1)
        assert of(apart, name).error < 0.85 * of(once, name).error
        assert (of(once, name).n, of(twice, name).n) == (60, 120)


@pytest.mark.parametrize("count", [3, 4, 20])
@pytest.mark.parametrize("sign", [1, -1])
def test_monotone_points_are_not_known_exactly(count: int, sign: int) -> None:
    """Independent points give |rho| = 1 with chance 2 / n!, one third of three points."""
    x = np.arange(count)
    for held in every(x, sign * x**3, np.arange(count) % 2)[:2]:
        assert held.rho == pytest.approx(sign)
        assert (held.low, held.high, held.error) == (None, None, None)


def test_each_size_is_left_out_in_turn() -> None:
    x, y, size = points(3, 10, 0.3)
    found = every(x, y, size, draws=50)
    assert set(of(found, "partial").without) == {"10", "50", "100"}
    kept = size != 50
    assert of(found, "partial").without["50"] == pytest.approx(
        partial(x[kept], y[kept], size[kept])
    )


def test_the_same_points_give_the_same_interval() -> None:
    x, y, size = points(4, 10, 0.3)
    assert every(x, y, size, draws=50) == every(x, y, size, draws=50)


def test_what_is_not_defined_is_none() -> None:
    constant = correlate([1.0] * 6, [1.0, 2, 3, 4, 5, 6], [10.0] * 6, list(range(6)), draws=20)
    assert [(item.rho, item.low, item.error) for item in constant] == [(None, None, None)] * 3
    few = correlate([1.0, 2, 3], [3.0, 1, 2], [1.0, 2, 3], list("abc"), draws=20)
    assert of(few, "within").rho is None
    assert of(few, "plain").rho == -0.5
    # Both follow the size exactly: nothing is left to correlate.
    exact = correlate([1.0, 2, 3, 4], [1.0, 2, 3, 4], [1.0, 2, 3, 4], list("abcd"), draws=20)
    assert of(exact, "partial").rho is None
