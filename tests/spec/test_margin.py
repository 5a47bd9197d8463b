"""Margins, and how what is said of a table, a column, a row and a cell goes together."""

from __future__ import annotations

import pytest

from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.spec.reading import read_printed
from harness.spec.reporting import Reporting, parse_margin
from tests.judge.audit.papers import paper, table


@pytest.mark.parametrize(
    ("stated", "printed", "margin"),
    [
        (0.5, "12.50", 0.5),
        ("2 %", "-50.0", 1.0),
        ("2 %", "0.0", None),
        ("1 digit", "12.50", 0.01),
        ("3 digits", "1829", 3.0),
    ],
)
def test_a_margin_in_the_unit_of_the_number(
    stated: float | str, printed: str, margin: float | None
) -> None:
    found = parse_margin(stated)
    assert found.of(read_printed(printed)) == pytest.approx(margin)
    assert parse_margin(found.stated) == found


@pytest.mark.parametrize("stated", [0, -1.0, "0 %", "-1 %", "2%", "two", True, None, float("inf")])
def test_a_margin_is_above_0_and_one_of_three_kinds(stated: object) -> None:
    with pytest.raises(ValueError, match="above 0"):
        parse_margin(stated)


@pytest.mark.parametrize(
    ("unit", "exact", "margin"),
    [
        ("percent top-1", False, 1.0),
        ("percent top-5", False, 1.0),
        ("percent accuracy", False, 1.0),
        ("percent top-1", True, None),
        ("coefficient", False, None),
        ("percent of the budget", False, None),
        ("", False, None),
    ],
)
def test_only_accuracies_in_percent_have_a_margin_without_one_declared(
    unit: str, exact: bool, margin: float | None
) -> None:
    assert Reporting(unit=unit).bound(read_printed("0.9"), exact=exact) == margin


def test_what_is_said_closest_to_a_number_counts() -> None:
    source: Paper = paper(
        table(
            "one",
            {
                "A": {
                    "cells": {"Small": "1.0", "Large": "2.0"},
                    "reporting": {"margin": "5 %"},
                    "cell_reporting": {"Large": {"n": 7, "direction": "at least"}},
                },
                "B": {"cells": {"Small": "1.0"}},
            },
            reporting={"n": 3, "unit": "seconds", "margin": 0.5},
        )
    )
    one = source.exhibits["one"]
    assert isinstance(one, Table)
    large = one.reporting_of("A", "Large")
    assert (large.n, large.direction, large.unit) == (7, "at least", "seconds")
    assert large.bound(read_printed("2.0")) == pytest.approx(0.1)
    small = one.reporting_of("A", "Small")
    assert (small.n, small.direction) == (3, "both")
    assert one.reporting_of("B", "Small").bound(read_printed("1.0")) == 0.5
