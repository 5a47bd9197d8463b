"""Tables that were read out of a paper's sources, as the rules on numbers see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.importing.model import Place, Table
from harness.judge.audit.sheet import Line, Number, Sheet


def imported_sheets(tables: tuple[Table, ...], root: Path) -> Iterator[Sheet]:
    """Every table with numbers; addresses name the file, relative to a folder, and the line."""
    for index, table in enumerate(tables):
        sheet = _sheet(table, index, root)
        if sheet.numbers:
            yield sheet


def _sheet(table: Table, index: int, root: Path) -> Sheet:
    label = table.label or f"table {index + 1}"
    name = f"{_relative(table.place, root)}:{label}"
    numbers = {}
    for r, row in enumerate(table.rows):
        for c, (column, entry) in enumerate(zip(table.columns, row.entries, strict=True)):
            place = f"{label}, {' / '.join(row.path)} at {' / '.join(column)}"
            address = f"{_relative(entry.place, root)}:{c + 1}:{r + 1}"
            number = Number.read(entry.printed, address, place, entry.printed.bold)
            if number is not None:
                numbers[r, c] = number
    return Sheet(
        id=name,
        label=label,
        caption=table.caption,
        rows=tuple(_line(row.path) for row in table.rows),
        columns=tuple(_line(path) for path in table.columns),
        numbers=numbers,
    )


def _relative(place: Place, root: Path) -> str:
    inside = place.file.is_relative_to(root)
    return f"{place.file.relative_to(root) if inside else place.file}:{place.line}"


def _line(path: tuple[str, ...]) -> Line:
    return Line(path[-1] if path else "", " / ".join(path[:-1]))
