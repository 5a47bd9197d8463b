"""Welch's test, equivalence and intervals against statsmodels, and their symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from harness.judge.decision import alike
from harness.judge.moderated import Difference, adjusted, difference
from harness.judge.sample import Summary

CASES = [(seed, na, nb) for seed in range(8) for na, nb in ((3, 3), (3, 5), (2, 7), (10, 4))]


def equivalent(gap, margin):
    """p-value of two one-sided tests."""
    return alike(margin).p_inside(gap)


def ttest_p(theirs, df):
    """Two-sided p-value of Welch's statistic with other degrees of freedom."""
    statistic = theirs.ttest_ind(usevar="unequal")[0]
    return 2 * t.sf(abs(statistic), df)


def draw(seed, na, nb):
    rng = np.random.default_rng(seed)
    return rng.normal(40, 0.1 + seed / 4, na), rng.normal(40.4, 0.3, nb)


@pytest.mark.parametrize(("seed", "na", "nb"), CASES)
def test_tests_and_intervals_agree_with_statsmodels(seed, na, nb):
    a, b = draw(seed, na, nb)
    ours = difference(Summary.of(a.tolist()), Summary.of(b.tolist()))
    theirs = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    _, p, df = theirs.ttest_ind(usevar="unequal")
    most = 2 * (min(na, nb) - 1)
    assert ours.df == pytest.approx(min(df, most), rel=1e-9)
    if df > most:  # statsmodels has no cap; its standard error stands
        assert ours.p_equal() == pytest.approx(ttest_p(theirs, most), rel=1e-9)
        return
    assert ours.p_equal() == pytest.approx(p, rel=1e-9)
    larger = theirs.ttest_ind(usevar="unequal", alternative="larger", value=0.2)[1]
    assert ours.p_greater(0.2) == pytest.approx(larger, rel=1e-9)
    for level in (0.90, 0.95):
        interval = theirs.tconfint_diff(alpha=1 - level, usevar="unequal")
        assert ours.interval(level) == pytest.approx(interval, rel=1e-9)
    for margin in (0.3, 1.0, 2.5):
        tost = ttost_ind(a, b, -margin, margin, usevar="unequal")[0]
        assert equivalent(ours, margin) == pytest.approx(tost, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_false_discovery_control_agrees_with_statsmodels(seed):
    p = np.random.default_rng(seed).uniform(0, 1, 12) ** 3
    assert adjusted(p.tolist()) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_no_p_values_to_adjust():
    assert adjusted([]) == []


def test_borrowed_spread_of_one_run_is_the_prediction_interval():
    """A further run lies in mean ± t(n - 1) s sqrt(1 + 1/n) with 95 %; here n = 3, s = 1."""
    gap = difference(Summary(41.0, None, 1), Summary(40.0, 1.0, 3))
    half = 4.302652729911275 * math.sqrt(4 / 3)
    assert gap.interval() == pytest.approx((1 - half, 1 + half))


def test_borrowed_spread_is_the_pooled_test_of_equal_spreads():
    gap = difference(Summary(41.0, 0.5, 5), Summary(40.0, None, 3))
    assert (gap.error, gap.df) == pytest.approx((0.5 * math.sqrt(1 / 5 + 1 / 3), 4))


def test_no_spread_is_no_test():
    assert difference(Summary(1.0, None, 1), Summary(2.0, None, 3)) is None
    assert difference(Summary(1.0, None, 1), Summary.exact(2.0)) is None


def test_a_constant_makes_it_the_one_sample_test():
    from scipy.stats import ttest_1samp

    values = [40.1, 40.4, 40.9, 40.2]
    gap = difference(Summary.of(values), Summary.exact(40.0))
    assert gap.p_equal() == pytest.approx(ttest_1samp(values, 40.0).pvalue)


def test_without_variance_the_difference_is_known():
    gap = difference(Summary(41.1, 0.0, 3), Summary(40.1, 0.0, 2))
    assert gap.p_equal() == 0
    assert equivalent(gap, 1.01) == 0
    assert equivalent(gap, 0.99) == 1
    assert equivalent(gap, 1.0) == 1, "on the bound nothing is rejected"
    assert gap.interval() == (gap.estimate, gap.estimate)
    assert difference(Summary(40.1, 0.0, 3), Summary(40.1, 0.0, 2)).p_equal() == 1


means = st.floats(0, 100)
stds = st.floats(0.01, 10)
sides = st.builds(Summary, means, stds, st.integers(2, 12))
margins = st.floats(0.05, 5)


@given(sides, sides, margins)
def test_swapping_sides_mirrors_everything(a, b, margin):
    there, back = difference(a, b), difference(b, a)
    assert there.p_equal() == pytest.approx(back.p_equal(), rel=1e-6)
    assert equivalent(there, margin) == pytest.approx(equivalent(back, margin), rel=1e-6)
    assert there.p_greater(margin) == pytest.approx(back.p_less(-margin), rel=1e-6)
    low, high = there.interval()
    assert back.interval() == pytest.approx((-high, -low))


@given(sides, sides, st.floats(-50, 50), margins)
def test_shifting_both_sides_changes_nothing(a, b, shift, margin):
    moved = difference(Summary(a.mean + shift, a.std, a.n), Summary(b.mean + shift, b.std, b.n))
    stayed = difference(a, b)
    assert moved.interval() == pytest.approx(stayed.interval(), abs=1e-6)
    assert equivalent(moved, margin) == pytest.approx(equivalent(stayed, margin), abs=1e-6)


@given(sides, sides, st.floats(0.01, 100), margins)
def test_the_unit_does_not_matter(a, b, factor, margin):
    stayed, scaled = difference(a, b), difference(a.scaled(factor), b.scaled(factor))
    assert scaled.p_equal() == pytest.approx(stayed.p_equal(), rel=1e-6, abs=1e-12)
    assert equivalent(scaled, margin * factor) == pytest.approx(
        equivalent(stayed, margin), rel=1e-6, abs=1e-12
    )


@given(sides, sides, margins, st.floats(0, 5))
def test_a_wider_margin_is_easier_to_meet(a, b, margin, wider):
    gap = difference(a, b)
    assert equivalent(gap, margin + wider) <= equivalent(gap, margin)


@given(sides, sides, margins)
def test_equivalence_is_the_90_percent_interval_inside_the_margin(a, b, margin):
    gap = difference(a, b)
    low, high = gap.interval(0.90)
    if min(abs(low + margin), abs(high - margin)) > 1e-6:
        assert (equivalent(gap, margin) < 0.05) == (-margin < low and high < margin)


@given(sides, sides)
def test_degrees_of_freedom_lie_between_the_sides_and_their_sum(a, b):
    df = difference(a, b).df
    assert min(a.n, b.n) - 1 - 1e-6 <= df <= a.n + b.n - 2 + 1e-6


def test_exact_difference_rejects_what_it_contradicts():
    assert Difference.exact(2.0).p_greater(1.0) == 0
    assert Difference.exact(2.0).p_less(1.0) == 1
