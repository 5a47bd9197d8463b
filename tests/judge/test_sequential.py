"""Error spending against published bounds, a random walk, and the mix of truths."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from harness.judge.decision import Evidence, decide
from harness.judge.sample import Summary
from harness.judge.sequential import FUTILE, bounds, chance, level, looks_up_to, p_over_looks
from harness.judge.simulate import printed_spreads
from harness.judge.simulate_looks import MIX, simulated

PRINTED = printed_spreads(Path(__file__).parents[2] / "specs")
LOOKS = looks_up_to(12)


def test_published_bounds():
    """Five equal looks, two-sided 5 %, Pocock's spending (Reboussin et al., 2000, Controlled
    Clinical Trials 21:190)."""
    information = np.arange(1.0, 6.0)
    spent = 0.025 * np.log1p((np.e - 1) * information / 5)
    published = [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]
    found = bounds(information, np.diff(spent, prepend=0.0)[:, None])[:, 0]
    assert found == pytest.approx(published, abs=2e-3)


@pytest.mark.parametrize("reported_runs", [1, 3, 10])
def test_all_looks_together_spend_no_more_than_five_percent(reported_runs):
    """Means of ours after each look against one stated number, errors known."""
    rng = np.random.default_rng(2)
    ours = np.cumsum(rng.normal(size=(100_000, LOOKS[-1])), axis=1)
    stated = rng.normal(0, reported_runs**-0.5, len(ours))
    crossed = np.zeros(len(stated), bool)
    for i, n in enumerate(LOOKS):
        z = (ours[:, n - 1] / n - stated) / np.sqrt(1 / n + 1 / reported_runs)
        crossed |= p_over_looks(norm.sf(z), reported_runs, LOOKS[: i + 1], False) < 0.05
    spent = 0.05 * np.log1p((np.e - 1) * 12 / 17)
    assert crossed.mean() == pytest.approx(spent, abs=0.003)


def test_level_and_p_agree_and_one_look_is_the_ordinary_test():
    for alpha in (0.001, 0.025, 0.05):
        for moderated in (True, False):
            at = level(alpha, 3, (2, 3, 5), moderated)
            p = p_over_looks(np.array([at]), 3, (2, 3, 5), moderated)
            assert p[0] == pytest.approx(alpha, rel=0.01)
    assert level(0.05, 3, (), True) == 0.05


def test_a_verdict_after_several_looks_needs_more():
    """2.3 errors inside the margin is enough at one look, and not at the third."""
    reported, ours = Summary(50.0, 0.5, 3), Summary(50.0, 0.5, 5)
    once, thrice = (
        decide([Evidence(reported, ours, 0.86, looks=looks)])[0] for looks in ((), (2, 3, 5))
    )
    assert (once.outcome, thrice.outcome) == ("reproduced", "inconclusive")
    assert once.statistics.interval[1] < thrice.statistics.interval[1]
    assert once.statistics.critical < thrice.statistics.critical


def test_a_cell_is_given_up_where_the_stated_number_is_too_uncertain():
    for std, gap, expected in ((2.0, 0.0, True), (0.3, 0.0, False), (2.0, 20.0, False)):
        found = chance(gap, std**2, 2 / 3, 1 / 3 + 1 / 12, 0.02, -1.0, 1.0)
        assert (found < FUTILE) == expected


@pytest.mark.parametrize("table", ["table3", "table8"])
def test_fewer_runs_decide_as_much(table):
    """At least 30 % fewer than five a cell, the same errors, and nearly the same share decided."""
    fixed = simulated(PRINTED[table], MIX, (5,), 300)
    looked = simulated(PRINTED[table], MIX, LOOKS, 300)
    assert looked.runs < 0.7 * fixed.runs
    assert looked.decided(MIX) > fixed.decided(MIX) - 0.02
    slack = 3 * (0.05 * 0.95 / (300 * len(PRINTED[table]) * 0.15)) ** 0.5
    for outcome in (looked.reproduced, looked.deviates):
        assert outcome[1.0] < 0.055 + slack
