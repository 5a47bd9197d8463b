"""A table of hyperparameters, from the very settings that the runs use."""

from __future__ import annotations

from harness.render.markup import spelt
from harness.render.table import Cell, Column, Row, Table
from harness.spec.others import SettingsTable
from harness.spec.paper import Paper

ABSENT = "–"
"""What the paper prints for a recipe that has no such setting."""


def settings_table(paper: Paper, table: SettingsTable) -> Table:
    """The table as printed; each cell joins the choices of one setting that the paper states."""
    return Table(
        id=table.id,
        label=table.label,
        title=table.title,
        caption=table.caption,
        stub=table.stub,
        columns=tuple(Column(c.name, spelt(c.label), c.group or None) for c in table.columns),
        rows=tuple(
            Row(
                row.name,
                spelt(row.label),
                tuple(Cell(_printed(paper, c.owner, row.setting)) for c in table.columns),
            )
            for row in table.rows
        ),
        notes=table.notes,
        transposed=table.transposed,
    )


def _printed(paper: Paper, owner: str, setting: str) -> str:
    found = paper.owner(owner).settings.get(setting)
    stated = [choice for choice in (found.choices if found else ()) if choice.source == "paper"]
    return spelt(", ".join(choice.printed or str(choice.value) for choice in stated)) or ABSENT
