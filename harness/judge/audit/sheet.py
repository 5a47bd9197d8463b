"""What the rules of the audit see of a paper.

A table is as the rules on numbers see it, whether it comes from specs or from a paper's sources;
printed numbers have the digits that they are printed to, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Literal

from harness.judge.audit.finding import Confidence, Finding, Severity, Source
from harness.spec.base import Scalar
from harness.spec.exhibit import Stated, Table
from harness.spec.paper import Paper
from harness.spec.printed import Printed, Spread
from harness.spec.reporting import Reporting

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number of a table."""

    address: str
    place: str
    """The same, in the words of the paper."""
    text: str
    mean: Decimal
    half: Decimal
    """Half a unit of the last printed digit."""
    error: Decimal | None = None
    spread: Spread = "unknown"
    """What the error is."""
    bold: bool = False
    underline: bool = False
    low: Decimal | None = None
    high: Decimal | None = None
    """Ends of its own interval, where one is printed."""
    stars: int = 0
    percent: bool = False
    """Whether it is a share in percent."""
    runs: int | None = None
    """Runs that it is a mean over, where that is known."""
    items: int | None = None
    """Test items that a percentage of one run counts."""
    share: Decimal | None = None
    """In percent, where it is a count that one is printed with, as in `12 (48 %)`."""
    of: Decimal | None = None
    """The whole that a count is of, as in `12/25`."""
    source: Source | None = None
    """Where it stands in the files that it was read from."""

    @classmethod
    def read(
        cls, printed: Printed, address: str, place: str, bold: bool, underline: bool
    ) -> Number | None:
        """The number of a cell; bounds and what belongs to other cells are none.

        An error that differs between its sides, or may be in percent of the number, is left out.
        """
        if not printed.is_number:
            return None
        error, interval = printed.error, printed.interval
        return cls(
            address=address,
            place=place,
            text=printed.text,
            mean=printed.number,
            half=printed.rounding,
            error=error.plus if error and error.minus == error.plus and not error.percent else None,
            bold=bold,
            underline=underline,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            stars=len(printed.stars),
            of=printed.of,
        )

    @property
    def value(self) -> float:
        return float(self.mean)

    @property
    def slack(self) -> float:
        """How far rounding may have moved it, with room for floats."""
        return float(self.half) * (1 + 1e-9) + 1e-12

    def finding(
        self,
        rule: str,
        *,
        expected: str,
        explanation: str,
        severity: Severity = "severe",
        confidence: Confidence = "certain",
    ) -> Finding:
        """A finding on this number alone."""
        return Finding(
            rule=rule,
            subject=self.address,
            addresses=(self.address,),
            printed=str(self),
            expected=expected,
            severity=severity,
            confidence=confidence,
            explanation=explanation,
        )

    def __str__(self) -> str:
        return f"{self.text} ({self.place})"


@dataclass(frozen=True, slots=True)
class Line:
    """A row or a column."""

    label: str
    group: str = ""
    bind: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return f"{self.group} {self.label}".strip()


@dataclass(frozen=True)
class Sheet:
    """Rows and columns, and the numbers where they meet."""

    id: str
    label: str
    caption: str
    rows: tuple[Line, ...]
    columns: tuple[Line, ...]
    numbers: Mapping[tuple[int, int], Number]
    """(row, column) -> the number there."""
    better: Better = ""
    turned: bool = False
    """Whether rows and columns are exchanged, so that rules on columns are rules on rows."""

    def transposed(self) -> Sheet:
        return replace(
            self,
            rows=self.columns,
            columns=self.rows,
            numbers={(c, r): number for (r, c), number in self.numbers.items()},
            turned=not self.turned,
        )

    def column(self, index: int) -> Mapping[int, Number]:
        """Row -> number of one column, from the first row to the last."""
        return self.by_column.get(index, {})

    @cached_property
    def by_column(self) -> Mapping[int, Mapping[int, Number]]:
        """Every rule asks for columns, most of them for all, so that they are sorted once."""
        found: dict[int, dict[int, Number]] = {index: {} for index in range(len(self.columns))}
        for (row, column), number in sorted(self.numbers.items()):
            found[column][row] = number
        return found

    @cached_property
    def groups(self) -> Mapping[str, tuple[int, ...]]:
        """Group -> its columns, from the first to the last."""
        lists: dict[str, list[int]] = {}
        for index, column in enumerate(self.columns):
            lists.setdefault(column.group, []).append(index)
        return {group: tuple(indices) for group, indices in lists.items()}

    def both_ways(self) -> Iterator[Sheet]:
        """This sheet, and the same with rows and columns exchanged."""
        yield self
        yield self.transposed()

    @property
    def axis(self) -> str:
        return "row" if self.turned else "column"


def sheets(paper: Paper) -> Iterator[Sheet]:
    """All tables of results in the specs of a paper."""
    for table in paper.exhibits_of(Table):
        yield from_table(table)


def from_table(table: Table) -> Sheet:
    """A table of results in specs."""
    columns = {column.name: index for index, column in enumerate(table.columns)}
    numbers = {}
    for index, row in enumerate(table.rows):
        for name, printed in row.cells.items():
            place = f"{table.label}, {row.name} at {name}"
            address = f"{table.id}:{row.name}:{name}"
            number = Number.read(printed, address, place, name in row.bold, name in row.underline)
            if number is not None:
                reporting = table.reporting_of(row.name, name)
                shared = reporting.spread_of(printed) == "share"
                numbers[index, columns[name]] = replace(
                    number,
                    error=None if shared else number.error,
                    share=number.error if shared else None,
                    percent=reporting.unit.startswith("percent"),
                    spread=reporting.spread_of(printed),
                    runs=reporting.n if isinstance(reporting.n, int) else None,
                    # A mean over several settings is one over more items than those of a run.
                    items=None if table.average else reporting.items,
                )
    # Rules on a whole sheet ask which values are better only where all of its cells say the same.
    better = {table.measure_of(*at).better for at in product(table.row_names, table.column_names)}
    return Sheet(
        id=table.id,
        label=table.label,
        caption=table.caption,
        rows=tuple(Line(row.name, row.group, row.bind) for row in table.rows),
        columns=tuple(Line(c.label, c.group, c.bind) for c in table.columns),
        numbers=numbers,
        better=better.pop() if len(better) == 1 else "",
    )


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a number is printed."""

    address: str
    place: str
    """The same, in the words of the paper."""
    number: Printed
    approximate: bool = False
    how: Reporting = field(default_factory=Reporting)

    @property
    def text(self) -> str:
        return self.number.text

    @property
    def mean(self) -> Decimal:
        return self.number.number

    @property
    def error(self) -> Decimal | None:
        return self.number.spread

    @property
    def reading(self) -> tuple[str, int | str]:
        """What the error is, and over how many runs."""
        return self.how.spread_of(self.number), self.number.n or self.how.n

    @property
    def half(self) -> Decimal:
        """Half a unit of the last printed digit of the mean."""
        return self.number.rounding

    def __str__(self) -> str:
        return f"{'about ' if self.approximate else ''}{self.text} ({self.place})"


def mentions(paper: Paper) -> Iterator[Mention]:
    """All numbers in the cells of tables and all stated numbers; bounds are none."""
    for exhibit in paper.exhibits.values():
        for address, number in exhibit.printed_cells():
            if not number.is_number:
                continue
            place = f"{exhibit.label}, {address.row} at {address.column}"
            how = exhibit.reporting_of(address.row, address.column) or Reporting()
            yield Mention(str(address), place, number, how=how)
    yield from (mention for _, mention in stated_numbers(paper))


def stated_mention(exhibit: str, key: str, stated: Stated) -> Mention:
    """A number that a text or a caption states."""
    return Mention(f"{exhibit}:stated:{key}", stated.where, stated.text, stated.approximate)


def stated_numbers(paper: Paper) -> Iterator[tuple[Stated, Mention]]:
    """All stated numbers with where they stand; bounds are none."""
    for exhibit in paper.exhibits.values():
        for key, stated in exhibit.stated.items():
            if stated.text.is_number:
                yield stated, stated_mention(exhibit.id, key, stated)
