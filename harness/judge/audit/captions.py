"""Rule: what a caption says of all cells holds of each."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.audit.finding import Finding
from harness.spec.base import Scalar
from harness.spec.exhibit import Table, variables_of
from harness.spec.paper import Paper


def captions(paper: Paper) -> Iterator[Finding]:
    """Findings on captions that name another value than the cells have."""
    for table in paper.exhibits_of(Table):
        for variable, said in table.caption_binds.items():
            used = _values(table, variable)
            if used - {said}:
                yield _finding(table, variable, said, used)


def _values(table: Table, variable: str) -> set[Scalar | None]:
    """The values that a variable has over the cells of a table."""
    if table.average is not None and table.average.over == variable:
        return set(table.average.values)
    return {variables_of(table, row, column).get(variable) for row, column, _ in table.cells()}


def _finding(table: Table, variable: str, said: Scalar, used: set[Scalar | None]) -> Finding:
    values = ", ".join(sorted(str(value) for value in used))
    averaged = table.average is not None and table.average.over == variable
    cells = "means over" if averaged else "cells of"
    other = sorted(name for name, value in table.bind.items() if value == said and name != variable)
    reading = f" It is the {other[0].replace('_', ' ')}, which may be meant." if other else ""
    return Finding(
        rule="caption",
        subject=f"{table.id}:{variable}",
        addresses=(f"{table.id}:caption:{variable}",),
        printed=f"{variable} {said} ({table.label}, caption)",
        expected=f"{variable} {values}",
        severity="notable",
        confidence="likely",
        cause=f"caption: {variable} beside {', '.join(other)}" if other else "",
        explanation=(
            f"The caption of {table.label} gives {said} as the {variable}, but the text makes its "
            f"numbers {cells} {values}.{reading} A reader who goes by the caption runs something "
            "else."
        ),
    )
