"""Exhibits that are tables of results, and what all exhibits have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import model_validator

from harness.spec.base import AddressPart, Label, Name, Scalar, SpecModel
from harness.spec.cell import Printed, PrintedText, Spread, parse_printed


class Address(NamedTuple):
    """A cell of an exhibit, written `exhibit:row:column`."""

    exhibit: str
    row: str
    column: str

    def __str__(self) -> str:
        return ":".join(self)


class Reporting(SpecModel):
    """How the printed numbers of an exhibit are to be read."""

    spread: Spread = "unknown"
    n: int | Literal["unknown"] = "unknown"
    unit: str = "percent top-1"
    margin: float = 1.0
    """Differences up to this many units count as none; declared before any result is seen."""


class Measure(SpecModel):
    """Which value of the last step a cell reports."""

    value: str
    scale: float = 1.0


class Average(SpecModel):
    """A cell that is a mean over several runs that differ in one variable."""

    over: str
    values: tuple[Scalar, ...]


class Stated(SpecModel):
    """A number that a caption or the text states outside of a table."""

    text: PrintedText
    where: str
    """Place in the paper."""
    quote: str
    """The words around it."""
    quantity: Name
    """What it is a value of; numbers with one quantity should agree."""
    parameter: str = ""
    """The symbol of the exhibit's equation that it is a value of."""
    approximate: bool = False


class Derived(SpecModel):
    """A printed difference of two cells, such as `(+ 9.3)`."""

    text: Label
    minus: AddressPart
    """The row whose cell in the same column is subtracted."""


class Column(SpecModel):
    name: AddressPart
    label: Label
    group: str = ""
    bind: Mapping[str, Scalar] = {}


class Row(SpecModel):
    name: AddressPart
    label: Label
    group: str = ""
    bind: Mapping[str, Scalar] = {}
    cells: Mapping[str, PrintedText] = {}
    """Column name -> the number, exactly as printed."""
    derived: Mapping[str, Derived] = {}


class Exhibit(SpecModel):
    """What every exhibit has."""

    id: Name
    label: Label
    """As the paper refers to it, such as 'Table 7'."""
    title: Label
    section: str
    caption: str
    stated: Mapping[str, Stated] = {}
    notes: tuple[str, ...] = ()


class Table(Exhibit):
    """A table of results: each cell is a student's accuracy, or a mean of several."""

    kind: Literal["table"]
    stub: str = ""
    """The heading over the row labels."""
    transposed: bool = False
    """Whether the paper prints these rows as columns."""
    reporting: Reporting = Reporting()
    bind: Mapping[str, Scalar]
    """Variables that all cells share."""
    average: Average | None = None
    measure: Measure
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _rectangular(self) -> Table:
        names = [column.name for column in self.columns]
        _unique("column", names)
        _unique("row", [row.name for row in self.rows])
        for row in self.rows:
            for column in (*row.cells, *row.derived):
                if column not in names:
                    raise ValueError(
                        f"row '{row.name}' has a cell in '{column}', which is not among the "
                        f"columns {names}"
                    )
            for name, derived in row.derived.items():
                if derived.minus not in [other.name for other in self.rows]:
                    raise ValueError(
                        f"'{row.name}' / '{name}' is derived from unknown row '{derived.minus}'"
                    )
        return self

    def cells(self) -> Iterable[tuple[Row, Column, Printed | None]]:
        """All cells, row by row, with the reported numbers."""
        for row in self.rows:
            for column in self.columns:
                text = row.cells.get(column.name)
                yield row, column, None if text is None else parse_printed(text)


def _unique(what: str, names: list[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ValueError(f"{what} names must differ; '{repeated[0]}' is used twice")


def variables_of(table: Table, row: Row, column: Column) -> dict[str, Any]:
    """The variables of one cell: the table's, overlaid by the row's and the column's."""
    return {**table.bind, **row.bind, **column.bind}
