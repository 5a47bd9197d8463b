"""Exhibits that are tables of results, and what all exhibits have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from harness.spec.base import (
    MOST_NUMBERS,
    AddressPart,
    Bound,
    Label,
    Misplaced,
    Name,
    ShownLabel,
    ShownText,
    SpecModel,
    check_distinct,
    check_known,
)
from harness.spec.bindings import check_binding, check_bindings
from harness.spec.evidence import Evidence
from harness.spec.parts import Setting
from harness.spec.printed import Printed
from harness.spec.reporting import PrintedAmount, PrintedText, Reporting
from harness.spec.runs import Counterpart, Gallery, Ours, Plot, Quantity
from harness.spec.toml import located
from harness.words import counted

if TYPE_CHECKING:
    from harness.spec.paper import Paper


LAST_STEP = "recipe"
"""A cell of a table is read from the last step of the recipe that this variable names."""


class Address(NamedTuple):
    """A cell of an exhibit, written `exhibit:row:column`."""

    exhibit: str
    row: str
    column: str

    def __str__(self) -> str:
        return ":".join(self)


@dataclass(frozen=True)
class Readings:
    """The values that are read for each item of a row or a panel, and how they are judged."""

    values: tuple[Quantity, ...] = ()
    plots: tuple[Plot, ...] = ()
    gallery: Gallery | None = None
    each_seed: bool = False
    """Whether the seeds that are complete count while others are missing."""
    reporting: Reporting | None = None
    """How the printed numbers that stand beside the items are read. None: there are none, and an
    item by itself has no verdict."""


class Measure(SpecModel):
    """Which value of the last step a cell reports."""

    value: str
    scale: float = 1.0
    better: Literal["higher", "lower"] = "higher"
    """Which values the paper prefers."""
    deterministic: bool = False
    """Whether no run can give another number, so that a single one tells all."""

    def quantity(self) -> Quantity:
        """The same as what is read of the last step of the recipe."""
        # Unlike the quantities of panels, it may have any name.
        return Quantity.model_construct(
            name=self.value,
            of=LAST_STEP,
            value=self.value,
            scale=self.scale,
            deterministic=self.deterministic,
        )


class Average(SpecModel):
    """A cell that is a mean over several runs that differ in one variable."""

    over: str
    values: Annotated[tuple[Bound, ...], Field(min_length=1)]


class Derivation(SpecModel):
    """How a stated number follows from other printed numbers, given by their addresses.

    `difference`: left minus right, pair by pair, of which the smallest or the largest is stated.
    `product`: of all in `left`, which are counts and therefore exact. `multiple`: a whole multiple
    of that product, for a number that is made up of equal parts. `same`: the number in `left`
    again. `sum`, `mean`: of all in `left`. `ratio`: left over right. `change`: left minus right, in
    percent of right.
    """

    kind: Literal["difference", "product", "multiple", "same", "sum", "mean", "ratio", "change"]
    left: tuple[str, ...]
    right: tuple[str, ...] = ()
    take: Literal["smallest", "largest"] = "smallest"

    @model_validator(mode="after")
    def _paired(self) -> Derivation:
        wanted = len(self.left) if self.kind in ("difference", "ratio", "change") else 0
        if not self.left or len(self.right) != wanted:
            raise ValueError(
                f"a {self.kind} of {counted(len(self.left), 'number')} needs {wanted} in 'right', "
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

    text: PrintedAmount
    where: str
    """Place in the paper."""
    quote: str
    """The words around it."""
    quantity: Name
    """The quantity that it is a value of; numbers with one quantity should agree."""
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
    label: ShownLabel
    group: str = ""
    bind: Mapping[str, Bound] = {}
    reporting: Reporting = Reporting()
    """Those of the table's that are others here."""
    measure: Measure | None = None
    """Another measure than the table's."""


class Row(SpecModel):
    name: AddressPart
    label: ShownLabel
    group: str = ""
    bind: Mapping[str, Bound] = {}
    cells: Mapping[str, PrintedText] = {}
    """Column name -> the number or the word, exactly as printed."""
    unread: Mapping[str, str] = {}
    """Column name -> a text that is neither: shown as printed, and never compared."""
    derived: Mapping[str, Derived] = {}
    bold: tuple[AddressPart, ...] = ()
    """Columns in which its number is printed in bold."""
    underline: tuple[AddressPart, ...] = ()
    """Columns in which its number is underlined."""
    reporting: Reporting = Reporting()
    """Those of the table's and the column's that are others here."""
    cell_reporting: Mapping[str, Reporting] = {}
    """Column name -> those that are others in one cell."""
    measure: Measure | None = None
    """Another measure than the table's and the column's."""
    cell_measure: Mapping[str, Measure] = {}
    """Column name -> another measure of one cell."""


class Exhibit(SpecModel):
    """The fields of every exhibit. A kind overrides the methods that it has more to say to."""

    id: Name
    label: ShownLabel
    """As the paper refers to it, such as 'Table 7'."""
    title: ShownLabel
    section: ShownText
    caption: ShownText
    caption_binds: Mapping[str, Bound] = {}
    """Statements of the caption about all cells: variable -> value."""
    stated: Mapping[str, Stated] = {}
    unprinted: Mapping[str, Counterpart] = {}
    """Numbers that claims are about and the paper does not print, as of a curve that is only drawn:
    `exhibit:unprinted:id`, judged on ours alone."""
    notes: tuple[str, ...] = ()
    parts_of: str = ""
    """The exhibit whose means it shows the members of, where it is no exhibit of the paper."""
    kind: str

    @property
    def runnable(self) -> bool:
        """Whether anything is run for it."""
        return False

    @property
    def own_settings(self) -> Mapping[str, Setting]:
        """Its own choices, beside those of the methods and recipes that it names."""
        return {}

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of the rows that an address of a printed cell may have."""
        return ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns that an address of a printed cell may have."""
        return ()

    def printed_cells(self) -> Iterable[tuple[Address, Printed]]:
        """The numbers that the paper prints in cells."""
        return ()

    def printed(self, row: str, column: str) -> Printed | None:
        """The number printed at `exhibit:row:column`, or stated where `row` is; else None."""
        if row == "stated":
            return self.stated[column].text if column in self.stated else None
        cells = self.printed_cells()
        return next((number for at, number in cells if at[1:] == (row, column)), None)

    def readings(self, row: str, column: str = "") -> Readings:
        """The values that are read for an item, or for all of a row or a panel."""
        return Readings()

    def reporting_of(self, row: str, column: str) -> Reporting | None:
        """How the number that is printed in a cell is to be read; None where none can be."""
        return self.readings(row).reporting

    def check(self, paper: Paper, path: Path) -> None:
        """Check the names that it uses of other specs.

        Args:
            path: its own file, for messages.

        Raises:
            SpecError: something that it names does not exist.
        """


class Table(Exhibit):
    """A table of results: each cell is a student's accuracy, or a mean of several."""

    kind: Literal["table"]
    source: str = ""
    """Its label in the paper's sources, by which `repro tables sync` finds it again."""
    stub: str = ""
    """The heading over the row labels."""
    transposed: bool = False
    """Whether the paper prints these rows as columns."""
    reporting: Reporting = Reporting()
    bind: Mapping[str, Bound] = {}
    """Variables that all cells share."""
    average: Average | None = None
    measure: Measure
    evidence: tuple[Evidence, ...] = ()
    """Files with results that exist already. They stand where nothing was run, under the profile
    that is as the paper states."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _rectangular(self) -> Table:
        columns, rows = [c.name for c in self.columns], [r.name for r in self.rows]
        if (count := len(columns) * len(rows)) > MOST_NUMBERS:
            message = f"{count} cells; expected at most {MOST_NUMBERS}; split it into tables"
            raise Misplaced(message, "rows")
        check_distinct("columns", columns)
        check_distinct("rows", rows)
        for index, row in enumerate(self.rows):
            named: tuple[tuple[str, Iterable[str]], ...] = (
                ("cells", row.cells),
                ("unread", row.unread),
                ("derived", row.derived),
                ("cell_reporting", row.cell_reporting),
                ("cell_measure", row.cell_measure),
                ("bold", row.bold),
                ("underline", row.underline),
            )
            for kind, names in named:
                for name in names:
                    check_known("column", name, columns, "rows", index, kind, name)
            for name, derived in row.derived.items():
                check_known("row", derived.minus, rows, "rows", index, "derived", name, "minus")
        for index, each in enumerate(self.evidence):
            each.check(rows, columns, index)
        return self

    @property
    def runnable(self) -> bool:
        return True

    @property
    def row_names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def printed_cells(self) -> Iterable[tuple[Address, Printed]]:
        for row in self.rows:
            for column, number in row.cells.items():
                yield Address(self.id, row.name, column), number

    def unread_cells(self) -> Mapping[Address, str]:
        """Cell -> its text, where that is neither a number nor a word."""
        return {
            Address(self.id, row.name, column): text
            for row in self.rows
            for column, text in row.unread.items()
        }

    def readings(self, row: str, column: str = "") -> Readings:
        measure = self.measure_of(row, column) if column else self.measure
        return Readings((measure.quantity(),), each_seed=True, reporting=self.reporting)

    def reporting_of(self, row: str, column: str) -> Reporting:
        here, above = self._meeting(row, column)
        cell = here.cell_reporting.get(column, Reporting())
        return self.reporting.over(above.reporting, here.reporting, cell)

    def measure_of(self, row: str, column: str) -> Measure:
        """What a cell measures, as it is said closest to it."""
        here, above = self._meeting(row, column)
        closer = (here.cell_measure.get(column), here.measure, above.measure)
        return next((measure for measure in closer if measure), self.measure)

    @cached_property
    def by_name(self) -> tuple[dict[str, Row], dict[str, Column]]:
        """The rows and the columns by name; each cell is looked up by both."""
        return {row.name: row for row in self.rows}, {each.name: each for each in self.columns}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Table:
        """A copy with other rows must not look them up among the old ones."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("by_name", None)
        return copied

    def _meeting(self, row: str, column: str) -> tuple[Row, Column]:
        rows, columns = self.by_name
        return rows[row], columns[column]

    def printed(self, row: str, column: str) -> Printed | None:
        rows, _ = self.by_name
        if row == "stated" or row not in rows:
            return super().printed(row, column)
        return rows[row].cells.get(column)

    def check(self, paper: Paper, path: Path) -> None:
        check_bindings(paper, path, ["bind"], self.bind)
        for index, row in enumerate(self.rows):
            check_bindings(paper, path, ["rows", index, "bind"], row.bind)
        for index, column in enumerate(self.columns):
            check_bindings(paper, path, ["columns", index, "bind"], column.bind)
        if self.average is not None:
            for value in self.average.values:
                check_binding(paper, path, ["average", "over"], self.average.over, value)
        for row, column, _ in self.cells():
            variables = variables_of(self, row, column)
            if "method" in variables and LAST_STEP not in variables and not self.evidence:
                raise located(path, ["bind"], f"'{row.name}' binds a method and no {LAST_STEP}")

    def cells(self) -> Iterable[tuple[Row, Column, Printed | None]]:
        """All cells, row by row, with the reported numbers."""
        for row in self.rows:
            for column in self.columns:
                yield row, column, row.cells.get(column.name)


def variables_of(table: Table, row: Row, column: Column) -> dict[str, Any]:
    """The variables of one cell: the table's, overlaid by the row's and the column's."""
    return {**table.bind, **row.bind, **column.bind}
