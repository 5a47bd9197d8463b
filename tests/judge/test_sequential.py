"""Error spending against published bounds, a random walk, and the mix of truths."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm, t

from benchmarks.rule.looks import MIX, simulated
from benchmarks.rule.simulate import printed_spreads
from harness.judge.decision import Evidence, decide, exhibit_prior
from harness.judge.moderated import moderate, p_inside, p_outside, welch
from harness.judge.sample import Summary
from harness.judge.sequential import FUTILE, bounds, chance, level, looks_up_to, p_over_looks

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
        crossed |= p_over_looks(norm.sf(z), reported_runs, LOOKS[: i + 1], None) < 0.05
    spent = 0.05 * np.log1p((np.e - 1) * 12 / 17)
    assert crossed.mean() == pytest.approx(spent, abs=0.003)


def test_level_and_p_agree_and_one_look_is_the_ordinary_test():
    for alpha in (0.001, 0.025, 0.05):
        for scatter in (1.0, 4.0, None):
            at = level(alpha, 3, (2, 3, 5), scatter)
            p = p_over_looks(np.array([at]), 3, (2, 3, 5), scatter)
            assert p[0] == pytest.approx(alpha, rel=0.01)
    assert level(0.05, 3, (), 1.0) == 0.05


@pytest.mark.parametrize(("ours", "scatter"), [(0.1, 1), (0.3, 1), (0.6, 2), (1.2, 4), (9.0, 4)])
def test_looks_at_runs_that_scatter_more_ask_for_more(ours, scatter):
    """Pooled over cells, in units of their margins; theirs scatter by 0.3 of a margin."""
    exhibit = [
        Evidence(Summary(50.0, 0.3 * m, 3), Summary(50.1, ours * m, 3), m, looks=(2, 3))
        for m in (1.0, 1.0, 10.0)
    ]
    assert exhibit_prior(exhibit).scatter == scatter
    levels = [level(0.05, 3, (2, 3), times) for times in (1.0, scatter)]
    assert levels[1] < levels[0] or scatter == 1
    for found in decide(exhibit):
        assert found.scatter == scatter
        used = found.statistics
        assert used.critical == pytest.approx(t.isf(levels[1], used.df))


@pytest.mark.slow
@pytest.mark.parametrize("by", [2**0.5, 2])
def test_looks_are_wrong_no_more_often_where_ours_scatter_more(by):
    """Twice and four times as much as theirs; at most 6 % of the cells at the margin."""
    std = np.array(PRINTED["table8"])
    found = simulated((std * by).tolist(), MIX, LOOKS, 3000, 4, (std / by).tolist())
    assert found.reproduced[1.0] < 0.06
    assert found.deviates[1.0] < 0.06


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
        found = chance(gap, std**2 / 3, std**2 / 3, 4, 0.02, -1.0, 1.0)
        assert (found < FUTILE) == expected


@pytest.mark.parametrize(("ours", "theirs"), [(0.4, 0.1), (0.1, 0.4), (0.3, 0.3)])
def test_the_chance_of_a_decision_is_that_of_runs_to_come(ours, theirs):
    """Our later mean drawn around the present one, errors known."""
    rng = np.random.default_rng(0)
    n, later, gap, alpha = 3, 12, 0.4, 0.03
    now, then = ours**2 / n, ours**2 / later
    gaps = rng.normal(gap, np.sqrt(now - then), 100_000)
    reach = norm.isf(alpha) * np.sqrt(then + theirs**2 / 3)
    decided = (np.abs(gaps) < 1 - reach) | (np.abs(gaps) > 1 + reach)
    found = chance(gap, now, theirs**2 / 3, later / n, alpha, -1.0, 1.0)
    assert found == pytest.approx(decided.mean(), abs=0.005)


@pytest.mark.parametrize("table", ["table3", "table8"])
def test_cells_that_no_number_of_runs_decides_are_rarely_decided_by_infinitely_many(table):
    """Said of an open cell after three runs or more; the mix of truths, spreads as printed."""
    rng = np.random.default_rng(0)
    std, many, looks = np.array(PRINTED[table]), 1e6, (2, 3)
    truth = rng.choice(MIX, (400, len(std)))
    stated, theirs = (
        rng.normal(0, std / 3**0.5, truth.shape),
        std**2 * rng.chisquare(2, truth.shape),
    )
    runs = truth[..., None] + std[:, None] * rng.normal(size=(*truth.shape, 3))

    def judged(gap, square, n, alpha):
        counts = np.full(truth.shape, float(n)), np.full(truth.shape, 3.0)
        own = welch((np.broadcast_to(square, truth.shape), theirs / 2), counts)
        errors = moderate(own, 1 / counts[0] + 1 / counts[1])
        p = np.minimum(p_inside(gap, -1, 1, errors), p_outside(gap, -1, 1, errors))
        return p < alpha, errors.squared, square / n / own.squared

    gap, square = runs.mean(axis=-1) - stated, runs.var(axis=-1, ddof=1)
    decided, squared, share = judged(gap, square, 3, level(0.05, 3, looks, 1.0))
    alpha = level(0.05, 3, (*looks, int(many)), 1.0)
    parts = share * squared, (1 - share) * squared
    never = ~decided & (chance(gap, *parts, many / 3, alpha, -1.0, 1.0) < FUTILE)
    assert never.sum() > 0.02 * never.size
    assert judged(truth - stated, std**2, many, alpha)[0][never].mean() < 0.1


@pytest.mark.parametrize("table", ["table3", "table8"])
def test_fewer_runs_decide_as_much(table):
    """At least 30 % fewer than five a cell, the same errors, and nearly the same share decided."""
    fixed = simulated(PRINTED[table], MIX, (5,), 600)
    looked = simulated(PRINTED[table], MIX, LOOKS, 600)
    assert looked.runs < 0.7 * fixed.runs
    assert looked.decided(MIX) > fixed.decided(MIX) - 0.02
    slack = 3 * (0.05 * 0.95 / (600 * len(PRINTED[table]) * 0.15)) ** 0.5
    for outcome in (looked.reproduced, looked.deviates):
        assert outcome[1.0] < 0.055 + slack
