"""From a planned and judged exhibit to the models that renderers draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.judge.results import Result
from harness.render.figures.model import (
    SOURCES,
    AxesData,
    AxisData,
    FigureData,
    LineData,
    Source,
    Tick,
)
from harness.render.numbers import mean_std
from harness.render.table import Cell, Column, Row, Table
from harness.spec import exhibit as spec
from harness.spec.cell import parse_printed

Verdict = Mapping[str, Any]


def reported_table(table: spec.Table) -> Table:
    """A table with the printed numbers only."""
    return _table(table, _printed, "reproduced")


def judged_table(
    table: spec.Table, results: Sequence[Result], verdicts: Sequence[Verdict], profile: str
) -> Table:
    """A table with the printed numbers, ours, and the verdicts."""
    found = {
        result.cell.address[1:]: (result, verdict)
        for result, verdict in zip(results, verdicts, strict=True)
    }

    def cell(row: spec.Row, column: spec.Column) -> Cell:
        result, verdict = found[(row.name, column.name)]
        mean = result.mean
        ours = None if mean is None else mean_std(mean, result.std, result.cell.reported)
        marks = ("flips",) if verdict["flips"] else ()
        printed = _printed(row, column)
        return replace(printed, reproduced=ours, verdict=str(verdict["name"]), marks=marks)

    return _table(table, cell, f"reproduced ({profile})")


def _printed(row: spec.Row, column: spec.Column) -> Cell:
    derived = row.derived.get(column.name)
    return Cell(row.cells.get(column.name), None if derived is None else derived.text)


def _table(
    table: spec.Table, cell: Callable[[spec.Row, spec.Column], Cell], reproduced_as: str
) -> Table:
    return Table(
        id=table.id,
        label=table.label,
        title=table.title,
        caption=table.caption,
        stub=table.stub,
        columns=tuple(Column(c.name, c.label, c.group or None) for c in table.columns),
        rows=tuple(
            Row(
                row.name,
                row.label,
                tuple(cell(row, column) for column in table.columns),
                row.group or None,
            )
            for row in table.rows
        ),
        notes=table.notes,
        reproduced_as=reproduced_as,
        transposed=table.transposed,
    )


def figure_of(table: spec.Table, results: Sequence[Result], profile: str) -> FigureData:
    """The same numbers as a figure: a line for each row, over the columns."""
    ticks = tuple(Tick(column.label, column.group) for column in table.columns)
    axes = AxesData(
        x=AxisData("", ticks=ticks),
        y=AxisData(table.reporting.unit),
        lines=tuple(
            _line(row, source, [r for r in results if r.cell.address.row == row.name])
            for row in table.rows
            for source in SOURCES
        ),
        comparable=all(r.cell.comparable for r in results if r.mean is not None),
    )
    return FigureData(table.id, f"{table.label}: {table.title}", profile, (axes,))


def _line(row: spec.Row, source: Source, results: Sequence[Result]) -> LineData:
    places = tuple(float(at) for at in range(len(results)))
    if source == "reproduced":
        means = tuple(result.mean for result in results)
        return LineData(row.label, places, means, tuple(r.std for r in results), source)
    printed = [r.cell.reported and parse_printed(r.cell.reported) for r in results]
    means = tuple(float(number.mean) if number else None for number in printed)
    errors = tuple(float(n.error) if n and n.error else None for n in printed)
    return LineData(row.label, places, means, errors, source)
