"""Moderated standard errors against closed forms, statsmodels and draws from a known prior."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import digamma, polygamma
from scipy.stats import f as f_distribution
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from harness.judge.moderated import (
    KEPT,
    WIDENED,
    Errors,
    fit_prior,
    inverse_trigamma,
    moderate,
    p_inside,
    p_outside,
    welch,
)


def errors_of(a, b):
    """Of arrays (cells, runs)."""
    runs = tuple(np.full(len(side), float(side.shape[1])) for side in (a, b))
    return welch((a.var(1, ddof=1), b.var(1, ddof=1)), runs)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_with_equal_numbers_of_runs_it_is_welchs_test(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(41, 0.3, (6, n)), rng.normal(40.4, 1.0, (6, n))
    gap, errors, bound = a.mean(1) - b.mean(1), errors_of(a, b), np.full(6, 0.7)
    for i in range(6):
        theirs = CompareMeans(DescrStatsW(a[i]), DescrStatsW(b[i]))
        assert errors.df[i] == pytest.approx(theirs.ttest_ind(usevar="unequal")[2])
        equal = p_outside(gap, np.zeros(6), np.zeros(6), errors)[i]
        assert equal == pytest.approx(theirs.ttest_ind(usevar="unequal")[1])
        tost = ttost_ind(a[i], b[i], -0.7, 0.7, usevar="unequal")[0]
        assert p_inside(gap, -bound, bound, errors)[i] == pytest.approx(tost)
        if gap[i] > 0:
            ends = [theirs.ttest_ind("larger", "unequal", value)[1] for value in (0.7, -0.7)]
            assert p_outside(gap, -bound, bound, errors)[i] == pytest.approx(min(sum(ends), 1))


def test_beyond_the_margin_has_the_size_it_says_however_narrow_the_margin():
    """The truth is on the bound; the error is known, so the p-value must be exact."""
    gap = np.random.default_rng(0).normal(0, 1, 400_000)
    known = Errors(np.ones_like(gap), np.full_like(gap, 1e9))
    for bound in (0.0, 0.2, 1.0, 5.0):
        edge = np.full_like(gap, bound)
        share = np.mean(p_outside(gap + bound, -edge, edge, known) < 0.05)
        assert share == pytest.approx(0.05, abs=0.0015)


def test_unknown_and_exact_sides():
    nan, three, exact = np.array([np.nan]), np.array([3.0]), np.array([np.inf])
    own = np.array([0.25])
    borrowed = welch((own, nan), (three, three))
    assert (borrowed.squared[0], borrowed.df[0]) == pytest.approx((0.25 * 2 / 3, 2))
    known = welch((own, np.zeros(1)), (three, exact))
    assert (known.squared[0], known.df[0]) == pytest.approx((0.25 / 3, 2))
    assert np.isnan(welch((nan, nan), (three, three)).df[0])
    assert welch((np.zeros(1), np.zeros(1)), (exact, exact)).squared[0] == 0


def test_two_runs_on_one_side_never_lend_many_degrees_of_freedom():
    errors = welch((np.array([1.0]), np.array([1e-4])), (np.array([10.0]), np.array([2.0])))
    assert errors.df[0] == 2


@pytest.mark.parametrize("x", [1e-3, 0.05, 0.5, 1.0, 7.0, 250.0, 1e6])
def test_inverse_of_trigamma(x):
    assert inverse_trigamma(polygamma(1, np.array([x]))) == pytest.approx(x, rel=1e-8)


def test_inverse_of_trigamma_at_a_known_value():
    """trigamma(1) = pi² / 6 and trigamma(1/2) = pi² / 2."""
    values = np.array([np.pi**2 / 6, np.pi**2 / 2])
    assert inverse_trigamma(values) == pytest.approx([1.0, 0.5])


@pytest.mark.parametrize(("prior_df", "variance", "df"), [(4.0, 0.09, 4.0), (20.0, 2.0, 2.0)])
def test_a_known_prior_is_recovered(prior_df, variance, df):
    """True variances are prior_df * variance / chi², so sample variances are variance * F."""
    rng = np.random.default_rng(3)
    drawn = variance * f_distribution.rvs(df, prior_df, size=200_000, random_state=rng)
    fitted = fit_prior(drawn, np.full_like(drawn, df))
    assert fitted.variance[0] == pytest.approx(variance, rel=0.02)
    assert fitted.df[0] == pytest.approx(prior_df, rel=0.06)


@pytest.mark.parametrize("seed", range(4))
def test_the_prior_solves_the_published_equations(seed):
    """Smyth (2004), section 6.2, solved by bisection, cells with 2 to 9 degrees of freedom."""
    rng = np.random.default_rng(seed)
    df = rng.integers(2, 10, 40).astype(float)
    variances = 0.09 * f_distribution.rvs(df, 4.0, random_state=rng)
    e = np.log(variances) - digamma(df / 2) + np.log(df / 2)
    moment = np.mean((e - e.mean()) ** 2 * 40 / 39 - polygamma(1, df / 2))
    assert moment > 0
    half = brentq(lambda x: polygamma(1, x) - moment, 1e-3, 1e6, xtol=1e-12)
    centre = np.exp(e.mean() + digamma(half) - np.log(half))
    found = fit_prior(variances, df)
    assert found.df[0] == pytest.approx(2 * half, rel=1e-6)
    assert found.variance[0] == pytest.approx(centre, rel=1e-6)


def test_the_prior_is_near_the_likeliest_one():
    """The marginal F likelihood of 4000 variances, maximised over both of its parameters."""
    rng = np.random.default_rng(5)
    df = np.full(4000, 4.0)
    variances = 0.09 * f_distribution.rvs(4.0, 6.0, size=4000, random_state=rng)

    def surprise(logs):
        prior_df, variance = np.exp(logs)
        return -f_distribution.logpdf(variances, df, prior_df, scale=variance).sum()

    best = np.exp(minimize(surprise, np.log([3.0, 0.05]), method="Nelder-Mead").x)
    found = fit_prior(variances, df)
    assert found.df[0] == pytest.approx(best[0], rel=0.1)
    assert found.variance[0] == pytest.approx(best[1], rel=0.03)


def test_prior_by_hand():
    """Two variances with 4 degrees of freedom: digamma(2) = 1 - gamma, trigamma(2) = pi²/6 - 1."""
    low, high = 0.01, 1.0
    excess = np.log(high / low) ** 2 / 2 - (np.pi**2 / 6 - 1)
    fitted = fit_prior(np.array([low, high]), np.array([4.0, 4.0]))
    assert polygamma(1, fitted.df[0] / 2) == pytest.approx(excess)


def test_moderation_by_hand():
    own = Errors(np.array([0.2, 0.2, 0.2, 4.0]), np.full(4, 4.0))
    prior = fit_prior(own.squared, own.df)
    weight = min(prior.df[0], 12.0)
    moderated = moderate(own, np.ones(4), prior)
    expected = (weight * WIDENED * prior.variance[0] + 4 * 0.2) / (weight + 4)
    assert moderated.squared[:3] == pytest.approx(expected)
    assert moderated.df == pytest.approx(weight + 4)
    assert moderated.squared[3] == max(
        KEPT * 4.0, (weight * WIDENED * prior.variance[0] + 16) / (weight + 4)
    )


def test_equal_spreads_are_pooled_and_no_cell_has_more_than_all_runs():
    own = Errors(np.full(5, 0.3), np.full(5, 4.0))
    moderated = moderate(own, np.ones(5))
    assert moderated.df == pytest.approx(20)
    assert np.all(moderated.squared > own.squared)


def test_the_unit_and_the_number_of_runs_do_not_matter():
    own = Errors(np.array([0.2, 0.1, 0.4, 0.3]), np.full(4, 4.0))
    scale = np.array([2 / 3, 2 / 3, 2 / 3, 1 / 3 + 1 / 9])
    base, scaled = moderate(own, scale), moderate(Errors(own.squared * 9, own.df), scale)
    assert scaled.squared == pytest.approx(9 * base.squared)
    halved = moderate(own, scale / 2)
    assert halved.squared == pytest.approx(base.squared)


def test_repetitions_are_independent_of_each_other():
    rng = np.random.default_rng(1)
    squared = rng.chisquare(4, (3, 6)) / 4
    together = moderate(Errors(squared, np.full((3, 6), 4.0)), np.ones(6))
    for i in range(3):
        alone = moderate(Errors(squared[i], np.full(6, 4.0)), np.ones(6))
        assert together.squared[i] == pytest.approx(alone.squared)
        assert together.df[i] == pytest.approx(alone.df)
