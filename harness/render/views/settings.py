"""A table of hyperparameters, shown from the very settings that the runs use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.judge.exhibit import Judgement
from harness.render.markup import spelt
from harness.render.table import CellData, ColumnData, RowData, TableData
from harness.render.views.base import ExhibitView
from harness.spec.kinds import SettingsTable

if TYPE_CHECKING:
    from rich.console import Console

ABSENT = "–"
"""Printed by the paper for a recipe that has no such setting."""


class SettingsView(ExhibitView[SettingsTable]):
    """A table of hyperparameters as printed. Nothing is run for it."""

    def fields(self, judgement: Judgement | None) -> dict[str, Any]:
        table = self.table(None)
        cells = [
            {"row": row.name, "column": column.name, "printed": cell.reported}
            for row in table.rows
            for column, cell in zip(table.columns, row.cells, strict=True)
        ]
        return {"cells": cells}

    def show(self, judgement: Judgement | None, console: Console) -> None:
        from harness.render import terminal

        terminal.show(self.table(None), "reported", console)

    def table(self, judgement: Judgement | None) -> TableData:
        """Each cell joins the choices of one setting that the paper states."""
        table = self.exhibit
        return TableData(
            id=table.id,
            label=table.label,
            title=table.title,
            caption=table.caption,
            stub=table.stub,
            columns=tuple(
                ColumnData(c.name, spelt(c.label), c.group or None) for c in table.columns
            ),
            rows=tuple(
                RowData(
                    row.name,
                    spelt(row.label),
                    tuple(CellData(self._printed(c.owner, row.setting)) for c in table.columns),
                )
                for row in table.rows
            ),
            notes=table.notes,
            transposed=table.transposed,
        )

    def _printed(self, owner: str, setting: str) -> str:
        found = self.paper.owner(owner).settings.get(setting)
        stated = [c for c in (found.choices if found else ()) if c.source == "paper"]
        return spelt(", ".join(c.printed or str(c.value) for c in stated)) or ABSENT
