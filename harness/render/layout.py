"""From a table and a view to the lines that are printed: the part that all renderers share.

A view is "reported", "reproduced" or "both". In "both" each row becomes two lines, the paper's
numbers above ours with their verdicts, so that no table grows wider than it was printed and
every line says whose numbers it holds. A row of which we have neither number nor verdict stays
one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, TypeAlias

from harness.render.markup import named
from harness.render.symbols import VERDICTS, Symbol, mark_symbol
from harness.render.table import CellData, TableData, as_printed
from harness.render.text import plain

View: TypeAlias = Literal["reported", "reproduced", "both"]

NUMBER = re.compile(r"(?P<sign>[-+−]?)(?P<whole>\d+)(?P<rest>(?:\.\d+)?)\s*(?P<spread>(±|\+-).*)?")


@dataclass(frozen=True, slots=True)
class CellText:
    """The text of one cell on one line; empty for an absent number."""

    text: str
    derived: str = ""
    verdict: str | None = None
    signs: tuple[Symbol, ...] = ()
    """The verdict's sign, then those of the marks."""
    bold: bool = False
    underline: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Starts a group of rows; empty where rows without a group follow one."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line of numbers."""

    label: str
    entries: tuple[CellText, ...]
    grouped: bool
    """Stands under a heading."""
    below: bool = False
    """Our numbers, under the paper's."""


@dataclass(frozen=True, slots=True)
class Span:
    """A heading over `count` columns from `first` (counted from 0, the stub left out)."""

    group: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class TableLayout:
    """A table ready to print: every text on one line and free of control characters."""

    label: str
    title: str
    caption: str
    stub: str
    headers: tuple[str, ...]
    groups: tuple[str, ...]
    """The spanning heading of each column; empty for none."""
    body: tuple[Heading | Line, ...]
    legend: tuple[Symbol, ...]
    notes: tuple[str, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of numbers, without the headings between them."""
        return tuple(item for item in self.body if isinstance(item, Line))


def lay_out(table: TableData, view: View, formulas: bool = False) -> TableLayout:
    """Turn the table as the paper orients it into printable lines.

    Args:
        formulas: whether labels keep formulas as they are; else these are put in plain signs.
    """
    shown = plain if formulas else named
    table = as_printed(table)
    marks = _marks(table) if view == "both" else {}
    body: list[Heading | Line] = []
    previous = ""
    for row in table.rows:
        group = shown(row.group or "")
        if group != previous:
            body.append(Heading(group))
        previous = group
        body += _lines(shown(row.label), row.cells, bool(group), view, table, marks)
    return TableLayout(
        label=plain(table.label),
        title=plain(table.title),
        caption=plain(table.caption),
        stub=shown(table.stub),
        headers=tuple(shown(column.label) for column in table.columns),
        groups=tuple(shown(column.group or "") for column in table.columns),
        body=tuple(body),
        legend=_legend(table, marks) if view == "both" else (),
        notes=tuple(plain(note) for note in _notes(table, view)),
    )


def spans(groups: Sequence[str]) -> tuple[Span, ...]:
    """Runs of equal groups, those without a heading included."""
    found: list[Span] = []
    for group, run in groupby(enumerate(groups), key=lambda pair: pair[1]):
        members = [at for at, _ in run]
        found.append(Span(group, members[0], len(members)))
    return tuple(found)


def columns_of(layout: TableLayout, columns: Sequence[int]) -> TableLayout:
    """The table with some of its columns only."""
    return replace(
        layout,
        headers=tuple(layout.headers[at] for at in columns),
        groups=tuple(layout.groups[at] for at in columns),
        body=tuple(
            replace(item, entries=tuple(item.entries[at] for at in columns))
            if isinstance(item, Line)
            else item
            for item in layout.body
        ),
    )


def blocks(columns: int, fits: Callable[[Sequence[int]], bool]) -> list[list[int]]:
    """Columns dealt, as evenly as may be, into the fewest blocks that fit.

    A column that does not fit even alone is a block of its own.
    """
    count = len(_deal(columns, fits, columns))
    return _deal(columns, fits, -(-columns // max(count, 1)))


def _deal(columns: int, fits: Callable[[Sequence[int]], bool], most: int) -> list[list[int]]:
    dealt: list[list[int]] = [[]]
    for at in range(columns):
        if dealt[-1] and (len(dealt[-1]) == most or not fits([*dealt[-1], at])):
            dealt.append([])
        dealt[-1].append(at)
    return dealt


def lead_widths(layout: TableLayout) -> tuple[int, ...]:
    """Per column, the most characters that a number has before its point (for alignment)."""
    widths = [0] * len(layout.headers)
    for line in layout.lines:
        for at, entry in enumerate(line.entries):
            widths[at] = max(widths[at], lead_width(entry.text))
    return tuple(widths)


def lead_width(text: str) -> int:
    """Characters before the decimal point, sign included; 0 for what is not a number."""
    match = NUMBER.fullmatch(text)
    return len(match["sign"] + match["whole"]) if match else 0


def _lines(
    label: str,
    cells: tuple[CellData, ...],
    grouped: bool,
    view: View,
    table: TableData,
    marks: dict[str, Symbol],
) -> list[Line]:
    reported = tuple(
        CellText(
            plain(c.reported or ""), plain(c.derived or ""), bold=c.bold, underline=c.underline
        )
        for c in cells
    )
    if view == "reported":
        return [Line(label, reported, grouped)]
    if view == "reproduced":
        return [Line(label, tuple(map(_ours, cells)), grouped)]
    ours = tuple(replace(_ours(c), verdict=c.verdict, signs=_signs(c, marks)) for c in cells)
    lines = [Line(label, reported, grouped)]
    if any(entry.text or entry.signs for entry in ours):
        lines.append(Line(plain(table.reproduced_as), ours, grouped, below=True))
    return lines


def _ours(cell: CellData) -> CellText:
    return CellText(plain(cell.reproduced or ""), plain(cell.runs))


def _signs(cell: CellData, marks: dict[str, Symbol]) -> tuple[Symbol, ...]:
    verdict = () if cell.verdict is None else (VERDICTS[cell.verdict],)
    return verdict + tuple(marks[mark] for mark in cell.marks)


def _marks(table: TableData) -> dict[str, Symbol]:
    """Signs of the marks, in the order in which a reader meets them."""
    found = dict.fromkeys(mark for row in table.rows for cell in row.cells for mark in cell.marks)
    return {mark: mark_symbol(plain(mark), order) for order, mark in enumerate(found)}


def _legend(table: TableData, marks: dict[str, Symbol]) -> tuple[Symbol, ...]:
    used = {cell.verdict for row in table.rows for cell in row.cells}
    verdicts = tuple(symbol for name, symbol in VERDICTS.items() if name in used)
    return verdicts + tuple(marks.values())


def _notes(table: TableData, view: View) -> tuple[str, ...]:
    whose = (f"All numbers: {table.reproduced_as}.",) if view == "reproduced" else ()
    return whose + table.notes
