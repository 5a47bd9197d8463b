from __future__ import annotations

import pytest
from hypothesis import given, settings

from harness.render.table import CellData, ColumnData, RowData, TableData, as_printed, transpose
from tests.render.sample import TABLE
from tests.render.strategies import tables


@given(tables())
@settings(max_examples=30)
def test_transposing_twice_is_the_table_itself(table: TableData) -> None:
    assert transpose(transpose(table)) == table


@given(tables())
@settings(max_examples=30)
def test_transposing_moves_every_cell_to_the_exchanged_address(table: TableData) -> None:
    other = transpose(table)
    for r, row in enumerate(table.rows):
        for c, column in enumerate(table.columns):
            assert other.rows[c].cells[r] is row.cells[c]
            assert (other.rows[c].label, other.rows[c].group) == (column.label, column.group)
            assert (other.columns[r].label, other.columns[r].group) == (row.label, row.group)


def test_only_a_transposed_table_is_turned_for_print() -> None:
    assert as_printed(TABLE) is TABLE
    turned = transpose(TABLE)
    assert as_printed(turned) == TABLE


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="row 'r' has 1 cells for 2 columns"):
        TableData(
            *("t", "Table 1", "", "", ""),
            columns=(ColumnData("a", "a"), ColumnData("b", "b")),
            rows=(RowData("r", "r", (CellData("1"),)),),
        )


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="verdict 'fine' is none of reproduced"):
        CellData("1", verdict="fine")
