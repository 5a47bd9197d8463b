"""The cells of one table as every format gives them: rows of cells with spans, rules between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.importing.model import Place
from harness.spec.notation import canonical
from harness.spec.printed import Printed
from harness.spec.reading import read_printed


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    place: Place
    bold: bool = False
    underline: bool = False
    columns: int = 1
    """How many columns it spans."""
    rows: int = 1
    """How many rows it spans; the cells under it are blank."""
    unknown: tuple[str, ...] = ()
    """Macros in it that nobody knows."""

    @property
    def printed(self) -> Printed:
        plain = canonical(self.text)
        # Signs of bold that stand in the text itself, as `**12.5**` in LaTeX, are no part of it.
        text = plain.text if plain.bold or plain.underline else self.text
        bold, underline = self.bold or plain.bold, self.underline or plain.underline
        read = read_printed(text, bold=bold, underline=underline)
        if self.unknown:
            return read.unreadable(f"{', '.join(self.unknown)} is not defined in these sources")
        return read


@dataclass(frozen=True, slots=True)
class GridRow:
    cells: tuple[Cell, ...]
    ruled: bool = False
    """Whether a rule over the whole width stands above it."""
    heading: bool = False
    """Whether the format itself says that it is a heading."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of the rectangular grid; the cells under a span share the cell."""

    cell: Cell
    first: bool
    """Whether the cell begins in this column and row."""


def rectangular(rows: Sequence[GridRow], width: int) -> list[list[Slot]]:
    """Every row with one slot for each of `width` columns; cells that span rows reach down."""
    grid: list[list[Slot]] = []
    for row in rows:
        slots: list[Slot] = []
        for cell in row.cells:
            slots += [Slot(cell, offset == 0) for offset in range(max(1, cell.columns))]
        slots += [Slot(Cell("", row.cells[-1].place), True)] * (width - len(slots))
        grid.append(slots[:width])
    for index, slots in enumerate(grid):
        for column, slot in enumerate(slots):
            if slot.first and abs(slot.cell.rows) > 1 and slot.cell.text:
                _reach(grid, index, column, slot.cell)
    return grid


def _reach(grid: list[list[Slot]], index: int, column: int, cell: Cell) -> None:
    """Put a cell into the blank slots that it spans: below it, or above if it counts backwards."""
    step = 1 if cell.rows > 0 else -1
    once = replace(cell, rows=1)
    for offset in range(1, abs(cell.rows)):
        other = index + step * offset
        if not 0 <= other < len(grid):
            return
        for inner in range(column, min(column + cell.columns, len(grid[other]))):
            if grid[other][inner].cell.text:
                return
            grid[other][inner] = Slot(once, False)
