"""Rules on error bars: what is missing, and what is not explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.audit.finding import Finding
from harness.spec.exhibit import Address, Table
from harness.spec.paper import Paper
from harness.spec.printed import Printed
from harness.words import counted, listed


@dataclass(frozen=True, slots=True)
class _Cell:
    address: Address
    printed: Printed

    @property
    def has_error(self) -> bool:
        return self.printed.error is not None or self.printed.interval is not None


def precision(paper: Paper) -> Iterator[Finding]:
    """Minor findings: ± that is missing, ± that is not explained."""
    tables = paper.exhibits_of(Table)
    cells = {table.id: _cells(table) for table in tables}
    used = any(cell.has_error for own in cells.values() for cell in own)
    for table in tables:
        yield from _error_bars(table, cells[table.id], used)
        yield from _unexplained(table, cells[table.id])


def _cells(table: Table) -> list[_Cell]:
    return [_Cell(at, number) for at, number in table.printed_cells() if number.is_number]


def _error_bars(table: Table, cells: list[_Cell], used: bool) -> Iterator[Finding]:
    """Cells without ± where the table, or the paper elsewhere, prints it."""
    bare = [cell for cell in cells if not cell.has_error]
    if not bare or not used:
        return
    some = len(bare) < len(cells)
    yield _finding(
        "missing-error-bars",
        table,
        bare,
        printed=f"{len(bare)} of {counted(len(cells), 'number')} without ±",
        expected="±, as " + ("the other numbers of the table" if some else "in other tables"),
        why="Without a spread no difference of these numbers can be told from chance, and it is "
        "not known whether they are single runs.",
    )


def _unexplained(table: Table, cells: list[_Cell]) -> Iterator[Finding]:
    """± of which neither the paper nor the caption says what it is."""
    barred = []
    unsaid: dict[str, None] = {}
    for cell in (cell for cell in cells if cell.has_error):
        reporting = table.reporting_of(cell.address.row, cell.address.column)
        told = {"what ± is": reporting.spread, "over how many runs": reporting.n}
        lacking = [words for words, value in told.items() if value == "unknown"]
        barred += [cell] if lacking else []
        unsaid |= dict.fromkeys(lacking)
    if unsaid:
        yield _finding(
            "unexplained-error-bars",
            table,
            barred,
            printed=f"{counted(len(barred), 'number')} with ±",
            expected=f"a word on {listed(list(unsaid))}",
            why="A standard deviation, a standard error and an interval over the same runs differ "
            "by factors of two and more.",
        )


def _finding(
    rule: str, table: Table, cells: list[_Cell], *, printed: str, expected: str, why: str
) -> Finding:
    return Finding(
        rule=rule,
        subject=table.id,
        cause=rule,
        addresses=tuple(str(cell.address) for cell in cells),
        printed=printed,
        expected=expected,
        severity="minor",
        confidence="certain",
        explanation=f"{table.label}: {printed}. {why}",
    )
