"""The one model of a table that every renderer reads: what is printed, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.render.symbols import VERDICTS


@dataclass(frozen=True, slots=True)
class CellData:
    """One cell: the number that the paper prints and the one that was reproduced."""

    reported: str | None = None
    """Exactly as printed, `40.21 ± 0.15`."""
    derived: str | None = None
    """A difference printed beside it, `(+ 9.3)`."""
    reproduced: str | None = None
    verdict: str | None = None
    """A key of `symbols.VERDICTS`."""
    marks: tuple[str, ...] = ()
    """Remarks on the verdict; `flips`, or any short text, which becomes its own legend."""
    bold: bool = False
    underline: bool = False
    """How the reported number is set."""
    runs: str = ""
    """`(n = 2 of 3)` where fewer runs came back than were asked for; a mark then says why."""

    def __post_init__(self) -> None:
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise ValueError(f"verdict '{self.verdict}' is none of {', '.join(VERDICTS)}")


@dataclass(frozen=True, slots=True)
class ColumnData:
    """A column; neighbours of one group share a heading that spans them."""

    name: str
    label: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class RowData:
    """A row; neighbours of one group share a heading line above them."""

    name: str
    label: str
    cells: tuple[CellData, ...]
    group: str | None = None


@dataclass(frozen=True, slots=True)
class TableData:
    """A table, addressed by row and column names and shown by their labels."""

    id: str
    label: str
    """`Table 7`."""
    title: str
    caption: str
    stub: str
    """Heading above the row labels, as printed: `Method`."""
    columns: tuple[ColumnData, ...]
    rows: tuple[RowData, ...]
    notes: tuple[str, ...] = ()
    reproduced_as: str = "reproduced"
    """Name of the reproduced numbers, with their profile: `reproduced (small)`."""
    transposed: bool = False
    """Printed with its rows as columns."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(
                    f"{self.id}: row '{row.name}' has {len(row.cells)} cells"
                    f" for {len(self.columns)} columns"
                )


def transpose(table: TableData) -> TableData:
    """The same cells with rows and columns exchanged; twice is the table itself."""
    columns = tuple(ColumnData(row.name, row.label, row.group) for row in table.rows)
    rows = tuple(
        RowData(column.name, column.label, tuple(row.cells[at] for row in table.rows), column.group)
        for at, column in enumerate(table.columns)
    )
    return replace(table, columns=columns, rows=rows, transposed=not table.transposed)


def as_printed(table: TableData) -> TableData:
    """The table in the orientation of the paper."""
    return transpose(table) if table.transposed else table
