"""Stated numbers that nothing can vary are judged as cells are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.model import CellEvidence, Estimate
from harness.judge.sample import ReportedNumber
from harness.judge.stated import _Evidence, _verdict
from harness.judge.verdict import judge_cells


def as_stated(stated, half_unit, margin, ours):
    estimate = Estimate(ours, 0.0, None, 1)
    return _verdict(_Evidence("f:stated:a", stated, half_unit, margin, "both", estimate, ""))


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


@given(*[st.integers(-40, 40)] * 2, st.integers(1, 9), st.integers(-12, 12))
def test_stated_numbers_and_cells_are_of_one_rule(stated, apart, margin, power):
    """In any unit; a difference is in half units of the last digit, and often on the bound."""
    unit = 10.0**power
    numbers = stated * unit, unit / 2, margin * unit / 2, (stated + apart / 2) * unit
    assert as_stated(*numbers).name == as_cell(*numbers).name
