"""Error spending against published bounds, a random walk, and the mix of truths."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from harness.judge.moderated import Errors
from harness.judge.sequential import LOOKS, hopeless, levels, simulated
from harness.judge.simulate import MIX, printed_spreads

PRINTED = printed_spreads(Path(__file__).parents[2] / "specs")


def test_published_bounds():
    """Five equal looks, two-sided 5 %, Pocock's spending (Reboussin et al., 2000, Controlled
    Clinical Trials 21:190)."""
    found = levels(np.inf, (2, 4, 6, 8, 10), alpha=0.025)
    published = [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]
    assert norm.isf(list(found.values())) == pytest.approx(published, abs=2e-3)


def test_one_look_is_the_ordinary_test():
    assert levels(3, (5,))[5] == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("reported_runs", [1, 3, 10])
def test_all_looks_together_spend_five_percent(reported_runs):
    """Means of ours after each look against one stated number, errors known."""
    rng = np.random.default_rng(2)
    ours = np.cumsum(rng.normal(size=(200_000, LOOKS[-1])), axis=1)
    stated = rng.normal(0, reported_runs**-0.5, 200_000)
    crossed = np.zeros(len(stated), bool)
    for n, level in levels(reported_runs, LOOKS).items():
        z = (ours[:, n - 1] / n - stated) / np.sqrt(1 / n + 1 / reported_runs)
        crossed |= norm.sf(z) < level
    assert crossed.mean() == pytest.approx(0.05, abs=0.002)


def test_a_cell_is_given_up_where_the_stated_number_is_too_uncertain():
    now, last = np.array([2 / 3]), np.array([1 / 3 + 1 / 12])
    for std, gap, expected in ((2.0, 0.0, True), (0.3, 0.0, False), (2.0, 20.0, False)):
        errors = Errors(std**2 * now, np.array([4.0]))
        given_up = hopeless(np.array([gap]), errors, now, last, 0.02, 1.0)
        assert given_up[0] == expected


@pytest.mark.parametrize("table", ["table3", "table8"])
def test_fewer_runs_decide_as_much(table):
    """At least 30 % fewer than five a cell, the same errors, and nearly the same share decided."""
    fixed = simulated(PRINTED[table], MIX, (5,), 400)
    looked = simulated(PRINTED[table], MIX, LOOKS, 400)
    assert looked.runs < 0.7 * fixed.runs
    assert looked.decided(MIX) > fixed.decided(MIX) - 0.02
    slack = 3 * (0.05 * 0.95 / (400 * len(PRINTED[table]) * 0.15)) ** 0.5
    for outcome in (looked.reproduced, looked.deviates):
        assert outcome[1.0] < 0.055 + slack
