"""Verdicts: each name, their order of precedence, multiplicity, and fragility."""

from dataclasses import replace
from decimal import Context, Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.exhibit import cell_evidence
from harness.judge.model import CellEvidence, Rival
from harness.judge.sample import ReportedNumber
from harness.judge.verdict import brief, judge_cells
from harness.render.views.verdicts import judgement_lines
from harness.spec.reading import read_printed
from harness.spec.reporting import Reporting, parse_margin

PRINTED = ReportedNumber(40.21, 0.15, "unknown", "unknown")


def cell(values, reported=PRINTED, **other):
    fields = {"comparable": True, "reason": "", "margin": 1.0, **other}
    return CellEvidence("table7:CAD-Prune:IPC 50", reported, tuple(values), **fields)


def verdict(*args, **kwargs):
    return judge_cells([cell(*args, **kwargs)])[0]


def test_near_and_steady_is_reproduced():
    result = verdict((40.3, 40.1, 40.4))
    assert result.name == "reproduced"
    assert result.decision.statistics.p_inside < 0.05
    assert result.difference == pytest.approx(40.2666667 - 40.21)
    assert result.interval[0] < result.difference < result.interval[1]
    assert "within ±1" in result.why


def test_far_and_steady_deviates():
    result = verdict((42.3, 42.1, 42.4))
    assert result.name == "deviates"
    assert result.decision.p_outside_adjusted < 0.05
    assert "surely beyond ±1" in result.why


def test_a_difference_that_is_sure_is_no_deviation_unless_its_size_is_too():
    """The interval of CAD-Prune at IPC 50 crosses the margin."""
    result = verdict((36.5, 36.7, 37.2), ReportedNumber(37.87, 0.16))
    low, high = result.interval
    assert low < -1 < high < 0
    assert result.name == "inconclusive"
    assert result.decision.size_open
    assert "its size is open" in result.why


def test_an_open_cell_says_how_likely_more_runs_decide_it():
    result = verdict((39.6, 40.6, 40.9))
    assert result.name == "inconclusive"
    assert list(result.chances) == [5, 10, 20]
    assert 0 < result.chances[5] < result.chances[20] <= 1
    assert "5, 10 and 20 runs of ours decide it" in result.why


def test_an_uncertain_paper_does_not_make_it_impossible():
    result = verdict((40.5, 40.6, 40.4), ReportedNumber(40.0, 1.2))
    assert (result.name, result.seeds_needed) == ("inconclusive", None)
    assert all(0 <= chance < 0.8 for chance in result.chances.values())
    assert "No number" not in result.why


@pytest.mark.parametrize("value", [40.21, 40.0, 90.0])
def test_one_run_is_always_inconclusive(value):
    result = verdict((value,))
    assert result.name == "inconclusive"
    assert result.difference == pytest.approx(value - 40.21)
    assert result.decision.method == "none"
    assert result.chances


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
        ({"values": ()}, "not run", "No run"),
        ({"comparable": False, "reason": "another data set"}, "not comparable", "another data"),
        ({"reported": None}, "not comparable", "prints no number"),
        ({"comparable": False, "reason": "r", "values": ()}, "not run", "No run"),
    ],
)
def test_what_cannot_be_compared_says_so_and_gives_no_figures(change, name, why):
    result = judge_cells([replace(cell((40.2, 40.1, 40.3)), **change)])[0]
    assert result.name == name
    assert why in result.why
    assert result.difference is result.interval is result.decision is result.seeds_needed is None


def test_false_discovery_control_that_withholds_a_deviation_is_named():
    suspect = cell((41.9, 42.3, 41.5), ReportedNumber(40.0, 0.3, "std", 3))
    assert judge_cells([suspect])[0].name == "deviates"
    noise = [cell((39.8, 40.3, 40.1), ReportedNumber(40.0, 0.3))] * 19
    crowd = judge_cells([suspect, *noise])[0]
    if crowd.decision.p_outside_adjusted > 0.05:
        assert crowd.name == "inconclusive"
        assert crowd.decision.withheld
        assert "not after false-discovery control" in crowd.why


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


@pytest.mark.parametrize("printed", [ReportedNumber(40.0, 0.0), ReportedNumber(40.0)])
@pytest.mark.parametrize("ours", [40.1, 41.2])
def test_two_runs_that_agree_by_chance_do_not_decide(printed, ours):
    """Test items are few, so that runs often agree to the last digit; that is no certainty."""
    found = verdict((ours, ours), printed)
    assert found.name == "inconclusive"
    assert "all runs gave the same" in found.why
    exact = judge_cells([replace(cell((ours,), printed), deterministic=True)])[0]
    assert exact.name == ("reproduced" if ours < 41 else "deviates")


def test_they_take_over_the_papers_spread():
    found = verdict((40.1, 40.1), ReportedNumber(40.0, 0.1, "std", 3))
    assert found.decision.statistics.error == pytest.approx(0.1 * (1 / 2 + 1 / 3) ** 0.5)


def test_a_single_run_of_theirs_against_a_deterministic_number_is_exact():
    printed = ReportedNumber(90.0, 0.3, "std", 1)
    found = judge_cells([replace(cell((91.2,), printed), deterministic=True)])[0]
    assert (found.name, found.decision.method) == ("deviates", "exact")


@pytest.mark.parametrize(("ours", "name"), [(5e-11, "reproduced"), (5e-10, "deviates")])
def test_small_numbers_are_told_apart(ours, name):
    bound = ReportedNumber(1e-10, relation="<")
    assert judge_cells([replace(cell((ours,), bound), deterministic=True)])[0].name == name


points = st.floats(20, 60)
samples = st.lists(points, min_size=2, max_size=6)


@given(samples, points, st.floats(0.01, 3), st.floats(-10, 10))
def test_verdicts_do_not_depend_on_the_level(values, mean, error, shift):
    here = cell(values, ReportedNumber(mean, error))
    there = cell([v + shift for v in values], ReportedNumber(mean + shift, error))
    a, b = judge_cells([here])[0], judge_cells([there])[0]
    assert a.difference == pytest.approx(b.difference, abs=1e-9)
    p_inside = [v.decision.statistics.p_inside for v in (a, b)]
    assert p_inside[0] == pytest.approx(p_inside[1], abs=1e-6)


@given(samples, points, st.floats(0.01, 3))
def test_reproduced_and_deviating_are_on_their_side_of_the_margin(values, mean, error):
    result = verdict(values, ReportedNumber(mean, error))
    if result.name == "reproduced":
        assert abs(result.difference) < 1.0
    if result.name == "deviates":
        assert abs(result.difference) > 1.0


def test_printed_numbers_that_are_judged_alike_leave_the_verdict():
    other = Rival("41.56 (Table 6)", ReportedNumber(40.5))
    result = verdict((40.3, 40.1, 40.4), rivals=(other,))
    assert result.name == "reproduced"
    assert "the same by 41.56 (Table 6)" in result.why


def test_printed_numbers_that_are_judged_otherwise_make_it_inconsistent():
    result = verdict((40.3, 40.1, 40.4), rivals=(Rival("45 (Table 6)", ReportedNumber(45.0)),))
    assert result.name == "paper-inconsistent"
    assert "reproduced by this number, deviates by 45 (Table 6)" in result.why


def test_without_a_margin_the_size_is_not_judged():
    result = verdict((0.91, 0.90, 0.89), ReportedNumber(-0.036, 0.01), margin=None)
    assert result.name == "inconclusive"
    assert result.decision.size_open
    assert result.interval[0] > 0
    assert "no margin is declared, so" in result.why


def test_a_margin_that_is_a_share_of_a_printed_0_is_not_called_undeclared():
    margin = parse_margin("2 %").of(read_printed("0.00"))
    result = verdict((0.91, 0.90, 0.89), ReportedNumber(0.0, 0.01), margin=margin)
    assert "and of a printed 0 that is none, so its size is not judged" in result.why
    assert "declared" not in brief(result)


LONGLEY = {
    "B0": "-3482258.63459582",
    "B1": "15.0618722713733",
    "B2": "-0.358191792925910E-01",
    "B3": "-2.02022980381683",
    "B4": "-1.03322686717359",
    "B5": "-0.511041056535807E-01",
    "B6": "1829.15146461355",
}
"""Values certified by NIST, Statistical Reference Datasets, Longley."""


@pytest.mark.parametrize("certified", LONGLEY.values(), ids=LONGLEY)
def test_a_deterministic_result_is_equal_as_printed_or_not(certified):
    """Digit by digit: rounded to any number of digits; a unit of the last digit off deviates."""
    value = Decimal(certified)
    for digits in (7, 10, 14):
        printed = read_printed(format(+Context(prec=digits).create_decimal(value), "f"))
        reported = ReportedNumber.read(printed, Reporting())
        same = verdict((float(value),), reported, margin=None, deterministic=True)
        assert (same.name, same.decision.method) == ("reproduced", "exact"), printed
        unit = Decimal(1).scaleb(int(printed.number.as_tuple().exponent))
        off = verdict((float(printed.number + unit),), reported, margin=None, deterministic=True)
        assert off.name == "deviates", printed
        assert off.seeds_needed is None
        near = verdict(
            (float(printed.number + unit),), reported, margin=1.5 * float(unit), deterministic=True
        )
        assert near.name == "reproduced", printed


def test_a_verdict_on_one_selection_says_so():
    result = verdict((40.3, 40.1, 40.4), conditional_on=("score", "select"))
    assert result.conditional_on == ("score", "select")
    assert "conditional on one run of score, select" in result.why


def test_the_same_shared_steps_in_another_order_are_one_condition():
    verdicts = {
        names: verdict((40.3, 40.1, 40.4), conditional_on=names)
        for names in (("score", "select"), ("select", "score"), ("select",))
    }
    judgement = SimpleNamespace(coverage=None, verdicts=verdicts)
    assert list(judgement_lines(judgement)) == [
        "2 verdicts are conditional on one run of score, select.",
        "1 verdict is conditional on one run of select.",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [("88.5", "deviates"), ("88.5 ± 0.0", "deviates"), ("88.7 ± 0.0", "reproduced"),
     ("88.5 ± 0.4", "reproduced"), ("88.5 (95% CI: 88.1 to 88.9)", "reproduced")],
)  # fmt: skip
def test_only_an_error_above_0_makes_the_default_margin_count_for_one_fixed_number(text, name):
    """A deterministic accuracy of ours without a declared margin; ± 0.0 is no spread to test by."""
    item = SimpleNamespace(reported=read_printed(text), address="t:r:c", comparable=True, reason="")
    amount = SimpleNamespace(values=(88.65,), deterministic=True, students=None)
    how = Reporting(unit="percent top-1", n=30)
    found = cell_evidence(SimpleNamespace(item=item, amount=amount), how, (), (), (), "")
    assert judge_cells([found])[0].name == name
