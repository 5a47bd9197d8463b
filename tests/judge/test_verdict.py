"""Verdicts: each name, their order of precedence, multiplicity, and fragility."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.model import CellEvidence
from harness.judge.sample import ReportedNumber
from harness.judge.verdict import judge_cells

PRINTED = ReportedNumber(40.21, 0.15, "unknown", "unknown")


def cell(values, reported=PRINTED, **other):
    fields = {"comparable": True, "reason": "", "margin": 1.0, **other}
    return CellEvidence("table7:CAD-Prune:IPC 50", reported, tuple(values), **fields)


def verdict(*args, **kwargs):
    return judge_cells([cell(*args, **kwargs)])[0]


def test_near_and_steady_is_reproduced():
    result = verdict((40.3, 40.1, 40.4))
    assert result.name == "reproduced"
    assert result.p_equivalent < 0.05
    assert result.difference == pytest.approx(40.2666667 - 40.21)
    assert result.interval[0] < result.difference < result.interval[1]
    assert "within ±1" in result.why


def test_far_and_steady_deviates():
    result = verdict((42.3, 42.1, 42.4))
    assert result.name == "deviates"
    assert result.p_equal_adjusted < 0.05
    assert "exceeds 1" in result.why


def test_a_significant_difference_within_the_margin_is_no_deviation():
    values = (40.91, 40.92, 40.93)
    narrow, wide = verdict(values, margin=0.5), verdict(values, margin=0.8)
    assert wide.p_equal < 0.05
    assert (narrow.name, wide.name) == ("deviates", "inconclusive")


def test_noise_is_inconclusive_and_says_how_many_runs_would_do():
    result = verdict((39.6, 40.6, 40.9))
    assert result.name == "inconclusive"
    assert result.seeds_needed > 3
    assert f"{result.seeds_needed} runs of ours" in result.why


def test_an_uncertain_paper_leaves_it_open_for_ever():
    result = verdict((40.5, 40.6, 40.4), ReportedNumber(40.0, 1.2))
    assert (result.name, result.seeds_needed) == ("inconclusive", None)
    assert "printed number is itself too uncertain" in result.why


@pytest.mark.parametrize("value", [40.21, 40.0, 90.0])
def test_one_run_is_always_inconclusive(value):
    result = verdict((value,))
    assert result.name == "inconclusive"
    assert result.difference == pytest.approx(value - 40.21)
    assert result.p_equal is None
    assert result.seeds_needed >= 2


def test_one_run_against_a_bare_number():
    result = verdict((40.0,), ReportedNumber(40.0))
    assert (result.name, result.seeds_needed, result.interval) == ("inconclusive", None, None)
    assert "second run" in result.why


def test_a_number_without_error_is_given_our_spread():
    assert verdict((40.3, 40.1, 40.4), ReportedNumber(40.21)).name == "reproduced"
    assert verdict((45.3, 45.1, 45.4), ReportedNumber(40.21)).name == "deviates"


@pytest.mark.parametrize(
    ("change", "name", "why"),
    [
        ({"audit_severe": "Tables 6 and 7 differ"}, "paper-inconsistent", "Tables 6 and 7"),
        ({"values": ()}, "not run", "No run"),
        ({"comparable": False, "reason": "another data set"}, "not comparable", "another data"),
        ({"reported": None}, "not comparable", "prints no number"),
        ({"audit_severe": "x", "values": ()}, "paper-inconsistent", "x"),
        ({"comparable": False, "reason": "r", "values": ()}, "not run", "No run"),
    ],
)
def test_what_cannot_be_compared_says_so_and_gives_no_figures(change, name, why):
    result = judge_cells([replace(cell((40.2, 40.1, 40.3)), **change)])[0]
    assert result.name == name
    assert why in result.why
    assert result.difference is result.interval is result.p_equal is result.seeds_needed is None


def test_false_discovery_control_is_over_the_exhibit():
    """p = 0.03 alone deviates; beside many cells of pure noise it does not."""
    suspect = cell((42.4, 43.9, 40.9, 43.4), ReportedNumber(40.0, 0.4, "std", 3))
    alone = judge_cells([suspect])[0]
    assert 0.01 < alone.p_equal < 0.05
    assert alone.name == "deviates"
    noise = [cell((38.0, 42.5, 40.1), ReportedNumber(40.0, 1.5))] * 9
    crowd = judge_cells([suspect, *noise])[0]
    assert crowd.p_equal == alone.p_equal
    assert crowd.p_equal_adjusted > 0.05
    assert crowd.name == "inconclusive"


def test_cells_without_a_test_do_not_dilute_the_others():
    suspect = cell((42.4, 43.9, 40.9, 43.4), ReportedNumber(40.0, 0.4, "std", 3))
    others = [cell(()), cell((40.0,)), replace(suspect, comparable=False, reason="r")] * 5
    assert judge_cells([suspect, *others])[0] == judge_cells([suspect])[0]


def test_a_verdict_that_hangs_on_the_papers_runs_says_so():
    """The ± of one run says nothing, so the paper's steady 0.02 no longer vouches for its mean."""
    shaky = verdict((40.5, 39.7, 40.3), ReportedNumber(40.2, 0.02))
    assert shaky.name == "reproduced"
    assert shaky.flips == (1,)
    assert "flips if the paper's n is 1" in shaky.why
    stated = verdict((40.5, 39.7, 40.3), ReportedNumber(40.2, 0.02, "std", 3))
    assert (stated.name, stated.flips) == ("reproduced", ())


def test_more_reported_runs_can_flip_an_open_cell():
    open_cell = verdict((40.5, 40.6, 40.4), ReportedNumber(40.2, 0.5))
    assert open_cell.name == "inconclusive"
    assert 5 in open_cell.flips


def test_without_variance_the_numbers_decide():
    exact = ReportedNumber(40.0, 0.0)
    assert verdict((40.9, 40.9), exact).name == "reproduced"
    assert verdict((41.1, 41.1), exact).name == "deviates"


points = st.floats(20, 60)
samples = st.lists(points, min_size=2, max_size=6)


@given(samples, points, st.floats(0.01, 3), st.floats(-10, 10))
def test_verdicts_do_not_depend_on_the_level(values, mean, error, shift):
    here = cell(values, ReportedNumber(mean, error))
    there = cell([v + shift for v in values], ReportedNumber(mean + shift, error))
    a, b = judge_cells([here])[0], judge_cells([there])[0]
    assert a.difference == pytest.approx(b.difference, abs=1e-9)
    assert a.p_equivalent == pytest.approx(b.p_equivalent, abs=1e-6)


@given(samples, points, st.floats(0.01, 3))
def test_reproduced_and_deviating_are_on_their_side_of_the_margin(values, mean, error):
    result = verdict(values, ReportedNumber(mean, error))
    if result.name == "reproduced":
        assert abs(result.difference) < 1.0
    if result.name == "deviates":
        assert abs(result.difference) > 1.0
