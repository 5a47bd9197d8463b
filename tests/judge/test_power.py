"""The number of runs that would decide, against simulated decisions."""

import numpy as np
import pytest
from scipy.special import stdtr

from harness.judge.power import more_runs_help, power_at, runs_needed
from harness.judge.sample import Summary


def decided(reported, ours, margin, n, draws=20_000):
    """Share of simulated experiments with `n` runs of ours that decide; written out afresh."""
    rng = np.random.default_rng(7)
    a = rng.normal(reported.mean, reported.std, (draws, reported.n))
    b = rng.normal(ours.mean, ours.std, (draws, n))
    va, vb = a.var(1, ddof=1) / reported.n, b.var(1, ddof=1) / n
    error = np.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / (reported.n - 1) + vb**2 / (n - 1))
    gap = b.mean(1) - a.mean(1)
    if abs(ours.mean - reported.mean) < margin:
        return np.mean(stdtr(df, (np.abs(gap) - margin) / error) < 0.05)
    return np.mean((2 * stdtr(df, -np.abs(gap) / error) < 0.05) & (np.abs(gap) > margin))


@pytest.mark.parametrize(
    ("reported", "ours"),
    [
        (Summary(40.0, 0.2, 5), Summary(40.3, 0.5, 3)),
        (Summary(40.0, 0.1, 3), Summary(40.4, 0.6, 2)),
        (Summary(40.0, 0.5, 5), Summary(42.0, 1.0, 3)),
    ],
)
def test_the_number_of_runs_has_about_the_power_promised(reported, ours):
    n = runs_needed(reported, ours, 1.0)
    assert n is not None
    assert n > ours.n
    assert decided(reported, ours, 1.0, n) > 0.72
    if n > ours.n + 2:
        assert decided(reported, ours, 1.0, n - 2) < 0.85


def test_an_uncertain_paper_cannot_be_decided_by_our_runs():
    reported, ours = Summary(40.0, 1.0, 3), Summary(40.4, 0.3, 3)
    assert runs_needed(reported, ours, 1.0) is None
    assert not more_runs_help(reported, ours, 1.0)
    assert decided(reported, ours, 1.0, 500) < 0.8


def test_a_wild_method_needs_more_runs_than_anyone_has():
    reported, ours = Summary(40.0, 0.05, 5), Summary(40.1, 30.0, 3)
    assert runs_needed(reported, ours, 1.0) is None
    assert more_runs_help(reported, ours, 1.0)


def test_one_run_takes_the_papers_spread():
    assert runs_needed(Summary(40.0, 0.1, 3), Summary(40.0, None, 1), 1.0) == 2
    assert runs_needed(Summary(40.0, None, 3), Summary(40.0, None, 1), 1.0) is None


def test_power_grows_with_the_distance_from_the_margin():
    n = np.array([5.0])
    powers = [
        float(power_at(Summary(40.0, 0.3, 3), Summary(40.0 + gap, 0.3, 3), 1.0, n)[0])
        for gap in (0.9, 0.6, 0.3, 0.0)
    ]
    assert powers == sorted(powers)
    assert powers[-1] > 0.9


def test_runs_that_exist_already_are_not_asked_for():
    assert runs_needed(Summary(40.0, 0.1, 5), Summary(43.0, 0.2, 4), 1.0) == 5
