"""Printed numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.render.views.table import TableView
from harness.spec.cell import parse_printed
from harness.spec.exhibit import Table
from harness.spec.paper import Paper

DIGITS = st.text("0123456789", min_size=1, max_size=6)
NUMBERS = st.one_of(DIGITS, st.tuples(DIGITS, DIGITS).map(".".join))


@given(mean=NUMBERS, error=st.none() | NUMBERS, sign=st.sampled_from(["", "-"]))
def test_a_printed_number_is_read_exactly_and_can_be_printed_again(
    mean: str, error: str | None, sign: str
) -> None:
    text = sign + mean + (f" ± {error}" if error is not None else "")

    read = parse_printed(text)

    # Decimal compares by value, so the digits after the point are compared too.
    for part, printed in ((read.mean, sign + mean), (read.error, error)):
        if printed is None:
            assert part is None
            continue
        assert part == Decimal(printed)
        assert -part.as_tuple().exponent == len(printed.partition(".")[2])


@pytest.mark.parametrize(
    "text",
    [
        *("", "12..57", "12.", ".5", "12,57", "1e3", "nan", "+12", " 12.57", "12.57\n", "١٢"),
        *(
            "12.57±0.03",
            "12.57± 0.03",
            "12.57 ±0.03",
            "12.57 ± ",
            "± 0.1",
            "12.57 ± -0.1",
            "12.57 +- 0.03",
            "12.57 ± 0.03 %",
        ),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as '12\.57' or '12\.57 ± 0\.03'"):
        parse_printed(text)


@pytest.mark.parametrize("text", ["50.10 ± 0.30", "50.10", "50", "50.00 ± 1.0"])
def test_trailing_zeros_survive_to_the_render(text: str) -> None:
    table = Table.model_validate(
        {
            "id": "t",
            "kind": "table",
            "label": "Table 1",
            "title": "Zeros",
            "section": "1",
            "caption": "",
            "bind": {},
            "measure": {"value": "accuracy"},
            "columns": [{"name": "A", "label": "A"}],
            "rows": [{"name": "R", "label": "R", "cells": {"A": text}}],
        }
    )
    shown = TableView(Paper.model_construct(), table).table(None)
    assert shown.rows[0].cells[0].reported == text
