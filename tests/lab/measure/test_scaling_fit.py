"""The scaling law against its equations written out, and its fit against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit, lsq_linear
from scipy.stats import t as student_t

from harness.lab.measure.scaling.estimates import ProfileLikelihood, bootstrap
from harness.lab.measure.scaling.fit import (
    LAWS,
    Evaluations,
    LawProblem,
    delta,
    fit,
    grid_fit,
    line,
    official,
    printed,
)

PUBLISHED = (np.linspace(1e-4, 0.1, 100), np.linspace(-0.005, -0.5, 100), np.linspace(1, 10, 100))
"""The grid of the authors' code; the upper end of a is given by hand there."""
COARSE = tuple(values[::9] for values in PUBLISHED)
EPOCHS = st.integers(2, 12)
B, TAU = st.floats(-1, -0.01), st.floats(0.3, 50)


def whole_epochs(count: int, pool: float = 1.0) -> Evaluations:
    return Evaluations(pool * np.arange(1.0, count + 1), pool)


def one(evaluations: Evaluations, law: str = "printed", **given) -> LawProblem:
    fields = {"a": None, "d": None, "b_bounds": (-5.0, -1e-3), "tau_bounds": (0.05, 1000.0)}
    return LawProblem(evaluations=(evaluations,), law=law, **fields | given)


def noisy(law: str, evaluations: Evaluations, seed: int, scale: float) -> np.ndarray:
    draws = np.random.default_rng(seed)
    a = draws.uniform(0.5, 1.5) if law == "printed" else draws.uniform(0.005, 0.1)
    b, tau = draws.uniform(-0.5, -0.05), draws.uniform(1, 10)
    return LAWS[law](evaluations, a, b, tau, 0.1) + scale * draws.standard_normal(len(evaluations))


@given(EPOCHS, st.floats(0.1, 1000), st.floats(0.01, 5), B, TAU, st.floats(0, 0.5))
def test_the_printed_law_is_equation_7_with_the_exponents_of_equation_8(
    epochs, pool, a, b, tau, d
) -> None:
    n = [pool * k for k in range(1, epochs + 1)]
    exponent = [b * (0.5 ** (1 / tau)) ** k for k in range(epochs)]
    expected = []
    for k in range(epochs):
        factors = [(n[j] / n[j - 1]) ** exponent[j] for j in range(1, k + 1)]
        expected.append(a * n[0] ** exponent[0] * math.prod(factors) + d)
    assert printed(whole_epochs(epochs, pool), a, b, tau, d) == pytest.approx(expected, rel=1e-10)


@given(EPOCHS, st.floats(0.1, 1000), st.floats(0.01, 5), B, TAU, st.floats(0, 0.5))
def test_the_official_form_multiplies_d_too_and_has_a_in_the_power(
    epochs, pool, a, b, tau, d
) -> None:
    y = (a * pool) ** b + d
    expected = [y]
    for j in range(1, epochs):
        y *= ((j + 1) * pool / (j * pool)) ** (b * 0.5 ** (j / tau))
        expected.append(y)
    made = official(whole_epochs(epochs, pool), a, b, tau, d)
    assert made == pytest.approx(expected, rel=1e-10)


@given(B, TAU, st.floats(0, 1))
def test_within_an_epoch_the_error_falls_by_that_epochs_power(b, tau, part) -> None:
    evaluations = Evaluations(np.array([2.0, 2.0 + part, 3.0]), 1.0)
    start, inside, end = printed(evaluations, 1.0, b, tau, 0.0)
    power = b * delta(tau) ** 2
    assert inside == pytest.approx(start * ((2 + part) / 2) ** power, rel=1e-9)
    assert end == pytest.approx(start * 1.5**power, rel=1e-9)


@given(
    st.lists(st.floats(0.01, 3), min_size=4, max_size=9),
    st.integers(0, 10**6),
    st.sampled_from([(None, None), (None, 0.2), (0.7, None)]),
)
def test_the_line_is_the_least_squares_line_without_negative_terms(wave, seed, known) -> None:
    x, y = np.array(wave), np.random.default_rng(seed).normal(0.5, 0.6, len(wave))
    factor, offset = known
    made = line(x, y, factor, offset)
    rest = y - (factor or 0) * x - (offset or 0)
    columns = [c for c, given in ((x, factor), (np.ones_like(x), offset)) if given is None]
    best = lsq_linear(np.stack(columns, axis=1), rest, bounds=(0, np.inf), tol=1e-14)
    sse = ((made[0] * x + made[1] - y) ** 2).sum()
    assert sse <= 2 * best.cost * (1 + 1e-6) + 1e-12 or y.mean() < 0
    assert min(made) >= 0


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(["printed", "official"]), st.integers(0, 10**6))
def test_a_law_without_noise_is_found(law, seed) -> None:
    evaluations = whole_epochs(30)
    errors = noisy(law, evaluations, seed, 0.0)
    made = fit(one(evaluations, law, d=0.1), errors)
    assert made.sse < 1e-12
    a, b, tau = made.a, made.b[0], made.tau[0]
    assert LAWS[law](evaluations, a, b, tau, made.d) == pytest.approx(errors, rel=1e-5)
    draws = np.random.default_rng(seed)
    expected = draws.uniform(0.5, 1.5) if law == "printed" else draws.uniform(0.005, 0.1)
    assert (a, b, tau) == pytest.approx(
        (expected, draws.uniform(-0.5, -0.05), draws.uniform(1, 10)), rel=1e-3
    )


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(["printed", "official"]),
    st.integers(0, 10**6),
    st.sampled_from([0.001, 0.02, 0.1]),
)
def test_the_fit_is_never_worse_than_the_grid(law, seed, scale) -> None:
    evaluations = whole_epochs(20)
    errors = noisy(law, evaluations, seed, scale)
    values = COARSE if law == "official" else (np.linspace(0.1, 2, 12), *COARSE[1:])
    reference = grid_fit(law, evaluations, errors, values, 0.1)
    assert fit(one(evaluations, law, d=0.1), errors).sse <= reference.sse * (1 + 1e-9)


def test_the_fit_is_not_worse_than_the_published_grid() -> None:
    evaluations = whole_epochs(15)
    errors = noisy("official", evaluations, 3, 0.01)
    reference = grid_fit("official", evaluations, errors, PUBLISHED, 0.1)
    made = fit(one(evaluations, "official", d=0.1), errors)
    assert made.sse <= reference.sse
    assert made.tau[0] == pytest.approx(reference.tau[0], abs=1)


def test_the_grid_is_searched_whole() -> None:
    evaluations = whole_epochs(6)
    errors = noisy("official", evaluations, 5, 0.02)
    values = tuple(part[::25] for part in PUBLISHED)
    made = grid_fit("official", evaluations, errors, values, 0.1)
    tried = {
        each: ((official(evaluations, *each, 0.1) - errors) ** 2).sum()
        for each in itertools.product(*values)
    }
    assert made.sse == pytest.approx(min(tried.values()), rel=1e-12)
    assert tried[made.a, made.b[0], made.tau[0]] == min(tried.values())


def test_the_whole_published_grid_by_its_formula() -> None:
    """A million combinations, written out from the authors' formula and independent of the law.

    n samples a pool, in units of 100,000: ((a n)^b + d) times (n_j / n_(j-1))^(b 2^(-j / tau)) for
    the j-th repetition of the pool.
    """
    pool, d, epochs = 0.5, 0.1, 12
    a_values, b_values, tau_values = PUBLISHED
    true = a_values[60], b_values[30], tau_values[40]
    first = (a_values[:, None] * pool) ** b_values + d
    repeated = np.ones((100, 100, epochs))
    for j in range(1, epochs):
        power = b_values[:, None] * 0.5 ** (j / tau_values)
        repeated[..., j] = repeated[..., j - 1] * ((j + 1) / j) ** power
    clean = first[60, 30] * repeated[30, 40]
    errors = clean + 0.004 * np.random.default_rng(0).standard_normal(epochs)
    squares = (repeated**2).sum(axis=-1)
    sse = first[..., None] ** 2 * squares - 2 * first[..., None] * (repeated @ errors)
    sse += errors @ errors
    node = tuple(int(i) for i in np.unravel_index(sse.argmin(), sse.shape))
    evaluations = whole_epochs(epochs, pool)
    made = grid_fit("official", evaluations, errors, PUBLISHED, d)
    assert (made.a, made.b[0], made.tau[0]) == (
        a_values[node[0]], b_values[node[1]], tau_values[node[2]],
    )  # fmt: skip
    assert made.sse == pytest.approx(sse.min(), rel=1e-6)
    assert fit(one(evaluations, "official", d=d), errors).sse <= sse.min() * (1 + 1e-9)
    # Without noise the grid gives back the very node that the curve was made at.
    found = grid_fit("official", evaluations, clean, PUBLISHED, d)
    assert (found.a, found.b[0], found.tau[0]) == true


def test_curves_that_share_a_and_d_are_found_together() -> None:
    evaluations = (whole_epochs(40), whole_epochs(25))
    truth = ((-0.3, 3.0), (-0.15, 7.0))
    errors = [
        printed(own, 0.8, b, tau, 0.15) for own, (b, tau) in zip(evaluations, truth, strict=True)
    ]
    together = LawProblem(evaluations, "printed", None, None, (-5.0, -1e-3), (0.05, 1000.0))
    made = fit(together, np.concatenate(errors))
    assert made.b == pytest.approx([-0.3, -0.15], rel=1e-3)
    assert made.tau == pytest.approx([3, 7], rel=1e-3)
    assert (made.a, made.d) == pytest.approx((0.8, 0.15), rel=1e-3)
    # Noise of its own for each: alone they fit at least as well as together.
    draws = np.random.default_rng(0)
    errors = [own + 0.01 * draws.standard_normal(len(own)) for own in errors]
    alone = sum(fit(one(own), y).sse for own, y in zip(evaluations, errors, strict=True))
    assert alone <= fit(together, np.concatenate(errors)).sse * (1 + 1e-9)


def test_with_small_noise_the_profile_interval_is_the_linear_one() -> None:
    evaluations = whole_epochs(60)
    errors = noisy("printed", evaluations, 1, 0.0005)
    problem = one(evaluations, d=0.1)
    made = fit(problem, errors)

    def law(_: np.ndarray, a: float, log_b: float, log_tau: float) -> np.ndarray:
        return printed(evaluations, a, -math.exp(log_b), math.exp(log_tau), 0.1)

    start = (made.a, math.log(-made.b[0]), math.log(made.tau[0]))
    _, covariance = curve_fit(law, evaluations.samples, errors, p0=start)
    reach = student_t.ppf(0.975, 57) * np.sqrt(np.diag(covariance))[1:]
    for coordinate in (0, 1):
        profile = ProfileLikelihood(problem, errors, made, coordinate)
        (low, low_inside), (high, high_inside) = profile.end(0), profile.end(1)
        assert low_inside
        assert high_inside
        assert profile.best - low == pytest.approx(reach[coordinate], rel=0.05)
        assert high - profile.best == pytest.approx(reach[coordinate], rel=0.05)
        drawn = profile.drawn(low, high)
        assert drawn[:, 1].min() >= made.sse * (1 - 1e-6)
        assert drawn[0, 1] > profile.allowed < drawn[-1, 1]


def test_a_half_life_that_the_curve_does_not_show_is_not_identified() -> None:
    # Three epochs of a law that hardly decays: any longer half-life fits as well.
    evaluations = Evaluations(np.linspace(1, 3, 12), 1.0)
    draws = np.random.default_rng(0)
    errors = printed(evaluations, 0.9, -0.2, 200.0, 0.0) + 0.01 * draws.standard_normal(12)
    problem = one(evaluations, d=0.0)
    _, inside = ProfileLikelihood(problem, errors, fit(problem, errors), 1).end(1)
    assert not inside


def test_the_bootstrap_repeats_itself_and_widens_with_the_noise() -> None:
    evaluations = whole_epochs(30)
    problem = one(evaluations, d=0.1)
    spread = []
    for scale in (0.001, 0.01):
        errors = noisy("printed", evaluations, 2, scale)
        made = fit(problem, errors)
        first, again, other = (bootstrap(problem, errors, made, 25, 3, s) for s in (0, 0, 1))
        assert first.shape == (25, 5)
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert first[:, 2] == pytest.approx(0.5 ** (1 / first[:, 1]))
        spread.append(first[:, 0].std())
    assert 4 < spread[1] / spread[0] < 25
