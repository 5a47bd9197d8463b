"""The items of a table of results: its cells."""

from __future__ import annotations

from collections.abc import Iterator

from harness.plan.exhibit import Planner
from harness.plan.item import Item
from harness.spec.exhibit import LAST_STEP, Address, Table, variables_of


def cell_items(table: Table, planner: Planner) -> Iterator[Item]:
    """Every cell, row by row. A mean has one run for each of its members."""
    for row, column, _ in table.cells():
        variables = variables_of(table, row, column)
        over, members = "", [variables]
        if table.average is not None:
            over = table.average.over
            members = [{**variables, over: value} for value in table.average.values]
        yield planner.item(
            Address(table.id, row.name, column.name),
            variables,
            read=(LAST_STEP,) if LAST_STEP in variables else (),
            members=members,
            mean_over=over,
            reported=row.cells.get(column.name),
            replicate=table.reporting_of(row.name, column.name).replicate,
        )
