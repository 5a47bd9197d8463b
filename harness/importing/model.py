"""What is read out of a paper's sources: tables with their places, and what was not read.

Every format gives the cells of a table as rows of cells with spans, and rules between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from harness.spec.notation import canonical
from harness.spec.printed import Printed
from harness.spec.reading import read_printed

HeaderPath: TypeAlias = tuple[str, ...]
"""Headings from the outer to the inner."""


@dataclass(frozen=True, slots=True)
class Place:
    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read, so that nothing was guessed for it."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell under the column headings.

    Where a row of numbers in brackets stands below, its text follows the number's after a space.
    """

    printed: Printed
    place: Place


@dataclass(frozen=True, slots=True)
class Row:
    path: HeaderPath
    entries: tuple[Entry, ...]
    """One for each column of the table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as printed. Paths of rows and of columns repeat where the paper repeats them."""

    place: Place
    stub: str
    """The heading over the row labels."""
    columns: tuple[HeaderPath, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    caption: str = ""
    label: str = ""

    def entries(self) -> Iterator[tuple[HeaderPath, HeaderPath, Entry]]:
        """Row path, column path and entry of every cell, row by row."""
        for row in self.rows:
            for column, entry in zip(self.columns, row.entries, strict=True):
                yield row.path, column, entry


@dataclass(frozen=True, slots=True)
class Sources:
    """All tables of a paper's sources, in their order."""

    tables: tuple[Table, ...]
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    """As printed; citations are left out, and references stand as `??`."""
    place: Place
    references: tuple[str, ...] = ()
    """Labels that it refers to."""


@dataclass(frozen=True)
class Prose:
    """The running text. Names are mapped to the place where each first stands."""

    sentences: tuple[Sentence, ...]
    cited: dict[str, Place] = field(default_factory=dict)
    referred: dict[str, Place] = field(default_factory=dict)
    labels: dict[str, Place] = field(default_factory=dict)
    listed: dict[str, Place] = field(default_factory=dict)
    """Entries of a bibliography that is printed whether or not they are cited."""
    known: frozenset[str] | None = None
    """All keys of the bibliography; None where it is not there whole."""
    title: str = ""
    authors: tuple[str, ...] = ()
    """None where they cannot be told apart from what is printed beside them."""


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
