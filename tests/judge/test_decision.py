"""The one rule: what each outcome asks for, and what stands beside it."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from harness.judge.decision import ALPHA, Evidence, decide, exhibit_prior
from harness.judge.sample import Summary


def cell(difference, paper=0.3, ours=0.3, n=3, **options):
    options = {"margin": 1.0, **options}
    return Evidence(Summary(40.0, paper, 3), Summary(40.0 + difference, ours, n), **options)


def one(item):
    return decide([item])[0]


def test_the_statistics_are_not_imported_with_the_rule():
    code = (
        "import sys, harness.judge.decision; print('scipy' in sys.modules, 'numpy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("paper", "ours", "n"), [(0.35, 0.36, 5), (0.46, 0.47, 5), (0.36, 0.33, 5)]
)
def test_crossing_the_margin_is_not_deviating(paper, ours, n):
    """Surely different, with an interval across the margin: the size is open."""
    decision = one(cell(1.15, paper, ours, n))
    low, high = decision.statistics.interval
    assert 0 < low < 1 < high
    assert decision.outcome == "inconclusive"
    assert decision.size_open


def test_deviates_is_shown_beyond_the_margin():
    decision = one(cell(2.5, 0.2, 0.2))
    assert decision.outcome == "deviates"
    assert decision.differs
    assert decision.statistics.p_outside < ALPHA


def test_reproduced_and_differs_is_trivial():
    decision = one(cell(-0.42, 0.05, 0.06, 5))
    assert decision.outcome == "reproduced"
    assert decision.trivial


def test_without_a_margin_nothing_is_decided_and_all_is_shown():
    decision = one(cell(3.0, margin=None))
    assert decision.outcome == "inconclusive"
    assert decision.size_open
    assert decision.statistics.p_inside is None
    assert decision.statistics.interval[0] > 0


def test_a_margin_is_positive():
    with pytest.raises(ValueError, match="positive"):
        cell(0.0, margin=0.0)


def test_rounding_never_counts():
    """Printed as 40, half a unit is 0.5; ours is 40.45 and hardly varies."""
    tight = {"paper": 0.001, "ours": 0.001, "margin": None}
    assert not one(cell(0.45, **tight, half_unit=0.5)).differs
    assert one(cell(0.45, **tight)).differs
    within = one(cell(1.3, 0.001, 0.001, half_unit=0.5))
    assert within.outcome == "reproduced"


@pytest.mark.parametrize(
    ("ours", "half_unit", "margin", "outcome"),
    [
        (1829.15, 0.5, None, "reproduced"),
        (1829.5, 0.5, None, "reproduced"),
        (1829.51, 0.5, None, "deviates"),
        (1830.0, 0.5, 1.0, "reproduced"),
        (1830.6, 0.5, 1.0, "deviates"),
        (1829.0, 0.0, None, "reproduced"),
    ],
)
def test_deterministic_numbers_are_compared_as_printed(ours, half_unit, margin, outcome):
    exact = Evidence(Summary.exact(1829.0), Summary.exact(ours), margin, half_unit)
    decision = one(exact)
    assert (decision.outcome, decision.method) == (outcome, "exact")
    assert decision.differs == (abs(ours - 1829) > half_unit)


CERTIFIED = {
    "B0": -3482258.63459582,
    "B1": 15.0618722713733,
    "B2": -0.358191792925910e-01,
    "B3": -2.02022980381683,
    "B4": -1.03322686717359,
    "B5": -0.511041056535807e-01,
    "B6": 1829.15146461355,
}
"""Longley's regression, certified by NIST (Statistical Reference Datasets)."""


@pytest.mark.parametrize("decimals", [0, 2, 4])
def test_longley_digit_by_digit(decimals):
    """Our regression against the certified values as printed, and with the last digit changed."""
    from statsmodels.datasets import longley

    data = longley.load_pandas()
    columns = np.column_stack([np.ones(16), data.exog.to_numpy()])
    scales = np.abs(columns).max(axis=0)
    ours = np.linalg.lstsq(columns / scales, data.endog.to_numpy(), rcond=None)[0] / scales
    unit = 10.0**-decimals
    for value, mine in zip(CERTIFIED.values(), ours.tolist(), strict=True):
        printed = float(f"{value:.{decimals}f}")
        for shift, outcome in ((0, "reproduced"), (unit, "deviates"), (-unit, "deviates")):
            stated = Summary.exact(printed + shift)
            decision = one(Evidence(stated, Summary.exact(mine), None, unit / 2))
            assert decision.outcome == outcome, (value, mine, shift)


def test_a_single_run_decides_nothing_and_shows_its_interval():
    decision = one(Evidence(Summary(40.0, 0.1, 3), Summary(60.0, None, 1), 1.0))
    assert (decision.outcome, decision.method, decision.differs) == ("inconclusive", "none", False)
    half = 4.302652729911275 * 0.1 * (4 / 3) ** 0.5
    assert decision.statistics.interval == pytest.approx((20 - half, 20 + half))
    unknown = one(Evidence(Summary(40.0, None, 3), Summary(60.0, None, 1), 1.0))
    assert (unknown.outcome, unknown.statistics) == ("inconclusive", None)


def test_stated_as_the_least():
    stated = Summary.exact(8.0)
    more, less = Summary(12.0, 0.3, 3), Summary(4.0, 0.3, 3)
    assert one(Evidence(stated, more, 0.5, tail="at least")).outcome == "reproduced"
    assert one(Evidence(stated, less, 0.5, tail="at least")).outcome == "deviates"
    assert one(Evidence(stated, less, 0.5, tail="at most")).outcome == "reproduced"
    assert one(Evidence(stated, more, 0.5, tail="at most")).outcome == "deviates"
    assert one(Evidence(stated, more, 0.5)).outcome == "deviates"


def test_false_discoveries_are_controlled_over_the_exhibit_and_said():
    exhibit = [cell(0.0) for _ in range(11)] + [cell(1.55)]
    decisions = decide(exhibit)
    p = [d.statistics.p_outside for d in decisions]
    assert [d.p_outside_adjusted for d in decisions] == pytest.approx(
        multipletests(p, method="fdr_bh")[1]
    )
    last = decisions[-1]
    assert p[-1] < ALPHA < last.p_outside_adjusted
    assert (last.outcome, last.withheld) == ("inconclusive", True)
    assert one(cell(2.5)).withheld is False


def test_copies_of_a_run_lend_each_other_nothing():
    """Neither degrees of freedom nor false discoveries, printed alike or not."""
    exhibit = [cell(0.2 * i, 0.2 + i / 30, work=i) for i in range(2)]
    copies = [exhibit[0], replace(exhibit[0]), *exhibit]
    assert decide(copies) == [decide(exhibit)[i] for i in (0, 0, 0, 1)]
    assert exhibit_prior([*copies, cell(0.1, 0.25, work=1)]) is None
    beyond = [cell(0.0) for _ in range(11)] + [cell(1.55, work="a")] * 12
    assert decide(beyond)[-1].withheld


def test_welch_stands_beside_and_in_for_few_cells():
    few, many = decide([cell(0.0)] * 2), decide([cell(0.0, 0.2 + i / 50) for i in range(8)])
    assert {d.method for d in few} == {"welch"}
    assert few[0].statistics == few[0].welch
    assert {d.method for d in many} == {"moderated"}
    for d in many:
        assert d.statistics.df > d.welch.df
        assert d.welch.critical > d.statistics.critical


def test_a_cell_whose_spread_stands_out_keeps_most_of_its_own():
    exhibit = [cell(0.0, 0.1, 0.1) for _ in range(11)] + [cell(0.0, 0.8, 0.8)]
    last = decide(exhibit)[-1]
    assert last.statistics.error >= 0.75**0.5 * last.welch.error - 1e-12


def test_cells_of_other_units_share_spreads_in_units_of_their_margins():
    points = [cell(0.1 * i, 0.2 + i / 40) for i in range(6)]
    thousandths = [Evidence(e.reported.scaled(1e-3), e.ours.scaled(1e-3), 1e-3) for e in points[:3]]
    mixed = decide(points[3:] + thousandths)
    same = decide(points[3:] + points[:3])
    assert [d.outcome for d in mixed] == [d.outcome for d in same]
    assert mixed[3].statistics.df == pytest.approx(same[3].statistics.df)
    assert mixed[3].statistics.error == pytest.approx(same[3].statistics.error / 1000)
    undeclared = Evidence(points[0].reported, points[0].ours, None)
    assert decide([*points, undeclared])[-1].method == "welch"


def test_cells_without_a_test_leave_the_others_alone():
    tested = [cell(0.2 * i, 0.2 + i / 30) for i in range(5)]
    others = [
        Evidence(Summary(1.0, 0.1, 3), Summary(2.0, None, 1), 1.0),
        Evidence(Summary.exact(1.0), Summary.exact(2.0), 1.0),
    ]
    assert decide([*others, *tested])[2:] == decide(tested)
    assert exhibit_prior([*others, *tested]) == exhibit_prior(tested)


def test_constant_runs_on_both_sides_are_no_error():
    decisions = decide([cell(d, 0.0, 0.0) for d in (0.0, 0.5, 1.5, 3.0)])
    assert [d.outcome for d in decisions] == ["reproduced", "reproduced", "deviates", "deviates"]


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e9])
def test_constants_are_told_apart_in_any_unit(unit):
    constants = [
        Evidence(Summary(3 * unit, 0.0, 3), Summary((3 + gap) * unit, 0.0, 3), unit)
        for gap in (0.5, 3.0)
    ]
    assert [d.outcome for d in decide(constants)] == ["reproduced", "deviates"]


differences = st.floats(-4, 4)
spreads = st.floats(0.01, 2)
cells = st.builds(cell, differences, spreads, spreads, st.integers(2, 9))


@given(st.lists(cells, min_size=1, max_size=6))
def test_swapping_signs_mirrors_everything(exhibit):
    mirrored = [
        Evidence(
            Summary(-e.reported.mean, e.reported.std, 3),
            Summary(-e.ours.mean, e.ours.std, e.ours.n),
            e.margin,
        )
        for e in exhibit
    ]
    for there, back in zip(decide(exhibit), decide(mirrored), strict=True):
        assert (there.outcome, there.differs) == (back.outcome, back.differs)
        assert there.difference == -back.difference


@given(st.lists(cells, min_size=1, max_size=6))
def test_outcomes_follow_from_the_figures(exhibit):
    for item, d in zip(exhibit, decide(exhibit), strict=True):
        s = d.statistics
        half = s.critical * s.error
        inside = -1 + half < d.difference < 1 - half
        assert inside == (d.outcome == "reproduced") or abs(s.p_inside - ALPHA) < 1e-9
        if d.outcome == "deviates":
            assert abs(d.difference) > item.bound + half - 1e-9
            assert d.differs
        assert s.p_equal <= s.p_outside + 1e-12
