"""Reading printed numbers and samples."""

import math

import numpy as np
import pytest
from scipy import stats

from harness.judge.moderated import difference
from harness.judge.sample import ReportedNumber, Summary


def test_sample_has_the_unbiased_spread():
    values = (3.0, 5.0, 10.0)
    summary = Summary.of(values)
    assert summary.mean == pytest.approx(6.0)
    assert summary.std == pytest.approx(float(np.std(values, ddof=1)))
    assert summary.n == 3
    assert Summary.of((4.0,)) == Summary(4.0, None, 1)


def test_runs_that_give_the_same_tell_no_spread():
    assert Summary.of((91.2, 91.2)) == Summary(91.2, None, 2)
    assert Summary.of((0.1 + 0.2, 0.3)).std is None
    assert Summary.of((1e-9, 3e-9)).std == pytest.approx(2**0.5 * 1e-9)


def test_an_estimate_without_error_is_exact_and_lends_no_spread():
    assert Summary.estimated(2.0, 0.0, None) == Summary.exact(2.0)
    single = Summary.of([1.0])
    assert difference(single, Summary.estimated(2.0, 0.0, None)) is None
    assert difference(single, Summary.estimated(2.0, 0.1, None)) is not None


def test_each_reading_of_the_error_gives_the_standard_deviation():
    sample = np.array([11.0, 12.5, 12.0, 14.0])
    std = sample.std(ddof=1)
    sem = stats.sem(sample)
    half = stats.norm.interval(0.95, scale=sem)[1]  # t's quantile would give a smaller deviation
    for error, spread in ((std, "std"), (std, "unknown"), (sem, "sem"), (half, "ci95")):
        read = ReportedNumber(float(sample.mean()), float(error), spread, 4).summary()
        assert read.std == pytest.approx(float(std)), spread
        assert read.n == 4


def test_unknown_runs_are_three_unless_told():
    number = ReportedNumber(10.0, 0.2, "sem", "unknown")
    assert number.summary() == Summary(10.0, 0.2 * math.sqrt(3), 3)
    assert number.summary(5) == Summary(10.0, 0.2 * math.sqrt(5), 5)
    assert ReportedNumber(10.0, 0.2, "sem", 4).summary(5).n == 4


def test_no_error_or_one_run_is_no_spread():
    assert ReportedNumber(10.0).summary() == Summary(10.0, None, 3)
    assert ReportedNumber(10.0, 0.2).summary(1) == Summary(10.0, None, 1)


@pytest.mark.parametrize(
    ("mean", "std", "n"),
    [(math.nan, 1.0, 3), (1.0, -0.1, 3), (1.0, math.inf, 3), (1.0, 0.1, 1), (1.0, None, 0)],
)
def test_impossible_samples_are_refused(mean, std, n):
    with pytest.raises(ValueError, match=r"finite|n = 0|one run"):
        Summary(mean, std, n)
