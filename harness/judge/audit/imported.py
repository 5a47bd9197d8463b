"""Tables and sentences that were read out of a paper's sources, as the rules see them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from harness.importing.model import Place, Sentence, Table
from harness.judge.audit.finding import Source
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Line, Number, Sheet


def imported_sheets(tables: Sequence[Table], root: Path) -> Iterator[Sheet]:
    """Every table with numbers. Addresses are `file:table:row:column`, which lasts when lines move.

    Args:
        root: the folder that files are named from.
    """
    seen: dict[str, int] = {}
    for index, table in enumerate(tables):
        label = table.label or f"table {index + 1}"
        name = _numbered(f"{source_of(table.place, root)[0]}:{label}", seen)
        sheet = _sheet(table, label, name, root)
        if sheet.numbers:
            yield sheet


def _numbered(name: str, seen: dict[str, int]) -> str:
    """The name, told apart from equal ones before it."""
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name} #{seen[name]}"


def _sheet(table: Table, label: str, name: str, root: Path) -> Sheet:
    numbers = {}
    seen: dict[str, int] = {}
    for r, row in enumerate(table.rows):
        for c, (column, entry) in enumerate(zip(table.columns, row.entries, strict=True)):
            words = f"{' / '.join(row.path)}:{' / '.join(column)}"
            place = f"{label}, {' / '.join(row.path)} at {' / '.join(column)}"
            address = _numbered(f"{name}:{words}", seen)
            shown = entry.printed
            number = Number.read(shown, address, place, shown.bold, shown.underline)
            if number is not None:
                share, source = _share(entry.printed.notes), source_of(entry.place, root)
                numbers[r, c] = replace(number, share=share, source=source)
    return Sheet(
        id=name,
        label=label,
        caption=" ".join((table.caption, *table.notes)).strip(),
        rows=tuple(_line(row.path) for row in table.rows),
        columns=tuple(_line(path) for path in table.columns),
        numbers=numbers,
    )


def source_of(place: Place, root: Path) -> Source:
    """The file, named from a folder where it stands under it, and the line."""
    inside = place.file.is_relative_to(root)
    return (place.file.relative_to(root) if inside else place.file).as_posix(), place.line


def _line(path: tuple[str, ...]) -> Line:
    return Line(path[-1] if path else "", " / ".join(path[:-1]))


def _share(notes: tuple[str, ...]) -> Decimal | None:
    """The percentage in brackets behind a count."""
    told = [re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", note) for note in notes]
    return next((Decimal(match[1]) for match in told if match), None)


def imported_texts(sentences: Sequence[Sentence], root: Path) -> Iterator[Said]:
    """Every sentence, at an address that lasts while its first words do."""
    seen: dict[str, int] = {}
    for sentence in sentences:
        file, line = source_of(sentence.place, root)
        address = _numbered(f"{file}:text:{' '.join(sentence.text.split()[:8])}", seen)
        where = f"{file}, line {line}"
        yield Said(address, where, sentence.text, sentence.references, (file, line))
