"""How likely more runs decide, against futures that are simulated run by run."""

import numpy as np
import pytest

from harness.judge.decision import Evidence, decide, exhibit_prior
from harness.judge.sample import Summary
from harness.judge.sequential import chances


def evidence(difference, paper=0.3, ours=0.3, n=3):
    return Evidence(Summary(40.0, paper, 3), Summary(40.0 + difference, ours, n), 1.0)


def run_by_run(item, values, n, draws=300):
    """Written out afresh: draw a truth, draw runs, ask the rule."""
    rng = np.random.default_rng(1)
    now, decided = len(values), 0
    for _ in range(draws):
        std = np.std(values, ddof=1) * np.sqrt((now - 1) / rng.chisquare(now - 1))
        truth = rng.normal(np.mean(values), std / np.sqrt(now))
        future = [*values, *rng.normal(truth, std, n - now)]
        again = Evidence(item.reported, Summary.of(future), item.margin)
        decided += decide([again])[0].outcome != "inconclusive"
    return decided / draws


@pytest.mark.parametrize("values", [[40.2, 40.9, 40.7], [41.6, 42.2, 41.5, 41.9], [40.9, 41.2]])
def test_against_futures_drawn_run_by_run(values):
    item = Evidence(Summary(40.0, 0.3, 3), Summary.of(values), 1.0)
    assert chances(item)[5] == pytest.approx(run_by_run(item, values, 5), abs=0.09)


def test_other_cells_make_a_decision_likelier():
    exhibit = [evidence(0.1 * i, 0.25 + i / 40, 0.3) for i in range(8)]
    alone, together = chances(exhibit[3]), chances(exhibit[3], exhibit_prior(exhibit))
    assert list(alone) == [5, 10, 20]
    assert all(together[n] > alone[n] for n in alone)


def test_where_more_runs_help_and_where_they_hardly_do():
    near, far = chances(evidence(1.0)), chances(evidence(0.1, ours=0.5))
    assert near[20] < far[20]
    uncertain = chances(evidence(0.4, paper=1.0))
    assert 0 < uncertain[20] < 0.05, "the stated number keeps its own uncertainty"


def test_a_single_run_takes_the_papers_spread_or_that_of_other_cells():
    single = Evidence(Summary(40.0, None, 3), Summary(40.1, None, 1), 1.0)
    assert chances(single) == {}
    assert list(chances(evidence(0.1, ours=None, n=1))) == [3, 5, 10, 20]
    prior = exhibit_prior([evidence(0.1 * i, 0.25 + i / 40) for i in range(8)])
    assert chances(single, prior)[10] > 0.5


def test_without_a_margin_there_is_nothing_to_decide():
    assert chances(Evidence(Summary(40.0, 0.3, 3), Summary(40.1, 0.2, 3), None)) == {}


def test_the_same_answer_every_time():
    assert chances(evidence(0.6)) == chances(evidence(0.6))
