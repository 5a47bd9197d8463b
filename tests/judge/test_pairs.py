"""Pairs of runs that share seeds, and runs within pipelines."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from harness.judge.decision import Evidence, decide
from harness.judge.sample import Summary, paired
from tests.judge.claims import A_OVER_B, claim, evaluate

ZERO = Summary.exact(0.0)


def draw(rng, gap, correlation=0.9, n=3):
    shared = rng.normal(0, 0.3 * np.sqrt(correlation), n)
    rest = rng.normal(0, 0.3 * np.sqrt(1 - correlation), (2, n))
    a, b = 40 + gap + shared + rest[0], 40 + shared + rest[1]
    return dict(enumerate(a.tolist())), dict(enumerate(b.tolist()))


def test_it_is_the_paired_t_test():
    a, b = draw(np.random.default_rng(0), 0.2, n=6)
    tested = decide([Evidence(ZERO, paired([a, b], [1, -1]), 1.0)])[0]
    expected = ttest_rel(list(a.values()), list(b.values())).pvalue
    assert tested.statistics.p_equal == pytest.approx(expected)


def test_only_shared_seeds_count():
    weights = [1, -1]
    found = paired([{0: 3.0, 1: 5.0, 2: 2.0, 7: 9.0}, {2: 1.0, 1: 1.0, 0: 1.0, 4: 0.0}], weights)
    assert found is not None
    assert (found.mean, found.n) == (pytest.approx(7 / 3), 3)
    assert paired([{0: 3.0, 1: 5.0, 7: 9.0}, {1: 1.0, 0: 1.0, 4: 0.0}], weights) is None
    assert paired([{0: 1.0}, {1: 1.0}], weights) is None


def test_pairs_that_all_differ_by_the_same_tell_no_scatter():
    assert paired([{0: 90.2, 1: 90.4}, {0: 90.0, 1: 90.2}], [1, -1]) is None


def test_pairs_see_what_two_samples_do_not():
    rng = np.random.default_rng(3)
    seen = np.zeros(2)
    for _ in range(150):
        a, b = draw(rng, 0.8)
        apart = Evidence(Summary.of(list(b.values())), Summary.of(list(a.values())), None)
        pair = Evidence(ZERO, paired([a, b], [1, -1]), None)
        seen += [decide([item])[0].differs for item in (pair, apart)]
    assert seen[0] > seen[1] + 15


def test_pairs_of_many_arms_are_moderated():
    rng = np.random.default_rng(4)
    arms = [paired(draw(rng, 0.8), [1, -1]) for _ in range(8)]
    decisions = decide([Evidence(ZERO, arm, 0.5) for arm in arms])
    assert {d.method for d in decisions} == {"moderated"}
    assert all(d.differs for d in decisions)


UNEVEN = {"e:a:x": {0: 90.0, 1: 91.0, 2: 92.0}, "e:b:x": {0: 86.0, 1: 90.1, 2: 88.9}}
UNEVEN["e:b:x"] |= {3: 100.0, 4: 101.0}
"""b has two runs more than a, which are higher than all that are shared."""


def of_runs(asked, by_seed):
    numbers = {at: Summary.of([*runs.values()]) for at, runs in by_seed.items()}
    return evaluate(asked, numbers.get, "reproduced", by_seed=by_seed)


def test_a_difference_and_its_interval_are_of_the_same_seeds():
    a, b = ([runs[seed] for seed in range(3)] for runs in UNEVEN.values())
    found = of_runs(claim("greater", **A_OVER_B), UNEVEN)
    (made,) = found.comparisons
    assert made.difference == pytest.approx(np.mean(a) - np.mean(b))
    assert made.interval == pytest.approx(tuple(ttest_rel(a, b).confidence_interval()))
    assert "e:a:x - e:b:x over 3 shared seeds is +2.667 (95 % interval" in found.why
    shared = {"e:a:x": UNEVEN["e:a:x"], "e:b:x": dict(enumerate(b))}
    whole = of_runs(claim("greater", **A_OVER_B), shared)
    assert whole.comparisons[0].interval == pytest.approx(made.interval)
    assert "shared" not in whole.why, "no run is left out"


def test_runs_that_are_left_out_do_not_say_that_there_is_no_gap():
    """With them a is 2.2 behind b; the seeds that are compared have it 2.7 ahead, not surely."""
    gap = {"exhibit": "e", "left": "a", "right": "b", "wide": ["x"], "narrow": ["y"]}
    runs = {**UNEVEN, "e:a:y": UNEVEN["e:a:x"], "e:b:y": UNEVEN["e:b:x"]}
    asked = claim("gap_closes", **gap, margin=0.5)
    assert of_runs(asked, runs).outcome == "undecided"
    shrinks = of_runs(claim("gap_shrinks", **gap), {**runs, "e:a:y": {0: 1.0, 1: 2.0, 2: 4.0}})
    assert "over 3 shared seeds" in shrinks.why
