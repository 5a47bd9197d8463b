"""Stated numbers are judged as cells are: medians, and such as nothing can vary."""

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.correlation import correlate
from harness.judge.model import CellEvidence, Estimate
from harness.judge.sample import ReportedNumber
from harness.judge.stated import Correlated, StatedEvidence, estimate, judge_stated
from harness.judge.verdict import judge_cells
from harness.spec.runs import Counterpart
from tests.toy.paper import plotted_workplace


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = plotted_workplace(tmp_path_factory.mktemp("stated"))
    assert place.repro("make", "scatter", "--executor", "inline").code == 0
    return place


def as_stated(stated, half_unit, margin, ours):
    estimate = Estimate(ours, 0.0, None, 1)
    return judge_stated(
        StatedEvidence("f:stated:a", stated, half_unit, margin, "both", estimate, "")
    )


def as_cell(stated, half_unit, margin, ours):
    number = ReportedNumber(stated, None, half_unit=half_unit)
    cell = CellEvidence("t:a:b", number, (ours,), True, "", margin, deterministic=True)
    return judge_cells([cell])[0]


@pytest.mark.parametrize(
    ("stated", "half_unit", "margin", "ours", "expected"),
    [
        (3.0e-10, 5e-12, 1e-11, 9e-10, "deviates"),
        (3.0e-10, 5e-12, 1e-11, 3.01e-10, "reproduced"),
        (1.0, 0.05, 0.5, 1.55, "reproduced"),
        (1.0, 0.05, 0.5, 1.56, "deviates"),
    ],
)
def test_a_number_without_error_is_as_printed_or_not(stated, half_unit, margin, ours, expected):
    found = as_stated(stated, half_unit, margin, ours)
    assert (found.name, found.decision.method) == (expected, "exact")
    assert found.interval is None, "no test is made"
    assert as_cell(stated, half_unit, margin, ours).why.endswith(f", {found.why}.")


def test_a_correlation_of_monotone_points_decides_nothing():
    """Any resample of them is monotone, so it has no error; three points are so by chance."""
    plan = SimpleNamespace(chosen=lambda *_: "plain")
    points = Correlated("a", "plot", tuple(correlate([1, 2, 3], [6, 5, 4], [1] * 3, "abc")), 0)
    rho = Counterpart(panel="a", correlation="plain")
    ours = estimate(plan, rho, (), (points,))
    found = judge_stated(StatedEvidence("f:stated:a", -0.8, 0.005, 0.1, "both", ours, ""))
    assert (found.name, found.difference) == ("inconclusive", pytest.approx(-0.2))
    assert (found.interval, found.ours_interval) == (None, None)


@given(*[st.integers(-40, 40)] * 2, st.integers(1, 9), st.integers(-12, 12))
def test_stated_numbers_and_cells_are_of_one_rule(stated, apart, margin, power):
    """In any unit; a difference is in half units of the last digit, and often on the bound."""
    unit = 10.0**power
    numbers = stated * unit, unit / 2, margin * unit / 2, (stated + apart / 2) * unit
    assert as_stated(*numbers).name == as_cell(*numbers).name


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("58 (IQR 3–99)", "not comparable"), ("58 ± 40", "reproduced"), ("58 [3, 99]", "reproduced")],
)
def test_a_median_is_not_compared(made, text, verdict):
    """What a sentence says of its own spread is not looked at, but that it is of no mean."""
    specs = made.specs / "figures/scatter.toml"
    specs.write_text(re.sub('text = "58.*"', f'text = "{text}"', specs.read_text("utf-8")), "utf-8")
    fields = made.repro("show", "scatter", "--json").json
    (found,) = (item for item in fields["stated"] if item["id"] == "error")
    assert found["verdict"] == verdict
    median = "a number with an interquartile range is no mean with a standard deviation"
    assert (found["why"] == median) == (verdict == "not comparable")
