"""Intervals with open and closed ends, and numbers that lie on them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.judge.decision import Region
from harness.judge.model import CellEvidence
from harness.judge.moderated import Difference
from harness.judge.sample import ReportedNumber, Summary
from harness.judge.verdict import judge_cells
from tests.judge.claims import outcome

SOURCES = ("reported", "reproduced")
ends = st.none() | st.integers(-2, 2)


def inside(value, low, high, low_open, high_open):
    above = low is None or value > low or (value == low and not low_open)
    return above and (high is None or value < high or (value == high and not high_open))


@given(st.integers(-3, 3), st.tuples(ends, ends), st.booleans(), st.booleans(), st.integers(-12, 9))
def test_a_parameter_is_in_its_domain_whoever_gives_it(value, bounds, low_open, high_open, power):
    low, high = bounds
    assume(bounds != (None, None))
    assume(None in bounds or low <= high)
    unit = 10.0**power
    numbers = {"f:stated:b": Summary.exact(value * unit)}.get
    scaled = {"low": low, "high": high}
    fields = {key: end if end is None else end * unit for key, end in scaled.items()}
    fields |= {"low_open": low_open, "high_open": high_open, "value": "f:stated:b"}
    found = [outcome("parameter_domain", numbers, whose, **fields) for whose in SOURCES]
    expected = "holds" if inside(value, low, high, low_open, high_open) else "fails"
    assert [each.outcome for each in found] == [expected, expected]


def test_the_domain_is_named_with_its_ends():
    numbers = {"f:stated:b": Summary.exact(1.0)}.get
    fields = {"value": "f:stated:b", "low": 0.0, "high": 1.0, "low_open": True, "high_open": True}
    for whose in SOURCES:
        assert (
            "is not in its domain (0, 1)"
            in outcome("parameter_domain", numbers, whose, **fields).why
        )


@given(st.integers(-3, 3), st.tuples(st.integers(-2, 2), st.integers(-2, 2)).map(sorted))
def test_a_range_is_covered_where_all_of_it_lies_inside(start, bounds):
    low, high = bounds
    for low_open in (False, True):
        for high_open in (False, True):
            region = Region("there", low, high, low_open=low_open, high_open=high_open)
            for end in range(start, 4):
                every = all(
                    inside(value, low, high, low_open, high_open) for value in range(start, end + 1)
                )
                assert region.covers(start, end) == every


@pytest.mark.parametrize(
    ("relation", "ours", "expected"),
    [
        ("<", 0.001, "deviates"),
        ("≤", 0.001, "reproduced"),
        (">", 0.001, "deviates"),
        ("≥", 0.001, "reproduced"),
        ("<", 0.0009, "reproduced"),
        ("≥", 0.0009, "deviates"),
    ],
)
def test_a_number_on_a_printed_bound(relation, ours, expected):
    """That cannot vary: it keeps to the bound or does not."""
    bound = ReportedNumber(0.001, relation=relation)
    cell = CellEvidence("t:a:b", bound, (ours,), True, "", None, deterministic=True)
    assert judge_cells([cell])[0].name == expected


def test_numbers_with_an_error_know_no_open_ends():
    near = Difference(0.5, 0.1, 10.0)
    closed, opened = Region("", 0.3), Region("", 0.3, low_open=True)
    assert closed.place(near) == opened.place(near)
