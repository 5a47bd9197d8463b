"""From a planned and judged exhibit to the models that renderers draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.judge.model import Verdict
from harness.judge.results import ItemResult, of_row
from harness.render.figure import FigureData, Series, Source, Tick
from harness.render.numbers import mean_std
from harness.render.table import Cell, Column, Row, Table
from harness.spec import exhibit as spec


def reported_table(table: spec.Table) -> Table:
    """A table with the printed numbers only."""
    return _table(table, _printed, "reproduced")


def judged_table(
    table: spec.Table,
    results: Sequence[ItemResult],
    verdicts: Mapping[str, Verdict],
    profile: str,
) -> Table:
    """A table with the printed numbers, ours, and the verdicts."""
    found = {result.item.address[1:]: result for result in results}

    def cell(row: spec.Row, column: spec.Column) -> Cell:
        result = found[row.name, column.name]
        verdict, amount = verdicts[str(result.item.address)], result.amount
        printed = _printed(row, column)
        ours = mean_std(amount.mean, amount.std, printed.reported) if amount else None
        marks = ("flips",) if verdict.flips else ()
        return replace(printed, reproduced=ours, verdict=verdict.name, marks=marks)

    return _table(table, cell, f"reproduced ({profile})")


def _printed(row: spec.Row, column: spec.Column) -> Cell:
    derived = row.derived.get(column.name)
    number = row.cells.get(column.name)
    return Cell(number.text if number else None, None if derived is None else derived.text)


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


def figure_of(table: spec.Table, results: Sequence[ItemResult], profile: str) -> FigureData:
    """The same numbers as a figure."""
    series = [
        _series(row, source, list(of_row(results, row.name)))
        for row in table.rows
        for source in ("reported", "reproduced")
    ]
    return FigureData(
        id=table.id,
        title=f"{table.label}: {table.title}",
        x_label="",
        y_label=table.reporting.unit,
        ticks=tuple(Tick(column.label, column.group or None) for column in table.columns),
        series=tuple(series),
        profile=profile,
        comparable=all(r.item.comparable for r in results if r.amount),
    )


def _series(row: spec.Row, source: Source, results: Sequence[ItemResult]) -> Series:
    if source == "reproduced":
        amounts = [result.amount for result in results]
        means = tuple(amount.mean if amount else None for amount in amounts)
        spreads = tuple(amount.std if amount else None for amount in amounts)
        return Series(row.label, source, means, spreads)
    printed = [result.item.reported for result in results]
    return Series(
        row.label,
        source,
        tuple(float(number.mean) if number else None for number in printed),
        tuple(float(number.error) if number and number.error else None for number in printed),
    )
