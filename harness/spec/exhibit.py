"""Exhibits that are tables of results, and what all exhibits have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveInt, model_validator

from harness.errors import nearest
from harness.spec.base import AddressPart, Label, Misplaced, Name, Scalar, SpecModel
from harness.spec.cell import Printed, PrintedText, Spread, parse_printed
from harness.spec.runs import Ours


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
    n: PositiveInt | Literal["unknown"] = "unknown"
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
    values: Annotated[tuple[Scalar, ...], Field(min_length=1)]


class Derivation(SpecModel):
    """How a stated number follows from other printed numbers, given by their addresses.

    `difference`: left minus right, pair by pair, of which the smallest or the largest is stated.
    `product`: of all in `left`, which are counts and therefore exact.
    """

    kind: Literal["difference", "product"]
    left: tuple[str, ...]
    right: tuple[str, ...] = ()
    take: Literal["smallest", "largest"] = "smallest"

    @model_validator(mode="after")
    def _paired(self) -> Derivation:
        wanted = len(self.left) if self.kind == "difference" else 0
        if not self.left or len(self.right) != wanted:
            raise ValueError(
                f"a {self.kind} of {len(self.left)} numbers needs {wanted} in 'right', "
                f"found {len(self.right)}"
            )
        return self


class Count(SpecModel):
    """That a stated number counts the trainable parameters of a network."""

    unit: int
    """How many parameters one unit of the stated number is: 1000 for '411' in '411K'."""
    networks: Mapping[str, Name]
    """Data set that the text speaks of -> the network used on it."""


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
    setting: str = ""
    """`owner.setting` of the recipe or method whose hyperparameter it repeats."""
    derived: Derivation | None = None
    count: Count | None = None
    ours: Ours | None = None
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
    caption_binds: Mapping[str, Scalar] = {}
    """What the caption says of all cells: variable -> value."""
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
        columns, rows = [c.name for c in self.columns], [r.name for r in self.rows]
        _unique("columns", columns)
        _unique("rows", rows)
        for index, row in enumerate(self.rows):
            for kind, cells in (("cells", row.cells), ("derived", row.derived)):
                for name in cells:
                    _known("column", name, columns, "rows", index, kind, name)
            for name, derived in row.derived.items():
                _known("row", derived.minus, rows, "rows", index, "derived", name, "minus")
        return self

    def cells(self) -> Iterable[tuple[Row, Column, Printed | None]]:
        """All cells, row by row, with the reported numbers."""
        for row in self.rows:
            for column in self.columns:
                text = row.cells.get(column.name)
                yield row, column, None if text is None else parse_printed(text)


def _unique(what: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise Misplaced(
                f"names of {what} must differ; '{name}' comes twice", what, index, "name"
            )


def _known(what: str, name: str, known: Iterable[str], *keys: int | str) -> None:
    if name not in known:
        raise Misplaced(f"unknown {what} '{name}'; {nearest(name, known)}", *keys)


def variables_of(table: Table, row: Row, column: Column) -> dict[str, Any]:
    """The variables of one cell: the table's, overlaid by the row's and the column's."""
    return {**table.bind, **row.bind, **column.bind}
