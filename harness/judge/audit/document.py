"""The audit of a paper's sources, without any specs: their tables, sentences and references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from harness.importing.model import Place, Prose, Sentence, Table
from harness.judge.audit.audit import audit_sheet, audit_texts, in_order, merged
from harness.judge.audit.finding import Finding, Source
from harness.judge.audit.rankings import rankings
from harness.judge.audit.said import Said
from harness.judge.audit.sentences import told_cells
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


def audit_document(
    tables: Sequence[Table], prose: Prose, root: Path
) -> tuple[tuple[Finding, ...], Mapping[str, Source]]:
    """What does not go together in a file, and where each address stands.

    Args:
        root: the folder that files are named from.
    """
    sheets = list(imported_sheets(tables, root))
    said = list(imported_texts(prose.sentences, root))
    findings = [finding for sheet in sheets for finding in audit_sheet(sheet)]
    findings += [*audit_texts(said), *told_cells(said, sheets), *rankings(said, sheets)]
    named, places = _references(prose, root)
    places |= _places(sheets, said)
    return in_order(merged([*findings, *named])), places


def _places(sheets: Iterable[Sheet], said: Iterable[Said]) -> dict[str, Source]:
    numbers = {n.address: n.source for sheet in sheets for n in sheet.numbers.values()}
    sentences = {each.address: each.source for each in said}
    return {at: source for at, source in {**numbers, **sentences}.items() if source is not None}


def _references(prose: Prose, root: Path) -> tuple[list[Finding], dict[str, Source]]:
    """Findings on citations and references that lead nowhere, and on what nothing leads to."""
    places: dict[str, Source] = {}
    found = []
    for rule, names, printed, expected, why in _loose_ends(prose):
        for name, place in names.items():
            address = f"{source_of(place, root)[0]}:{rule}:{name}"
            places[address] = source_of(place, root)
            severe = rule == "unresolved"
            found.append(
                Finding(
                    rule=rule,
                    subject=address,
                    addresses=(address,),
                    printed=printed.format(name),
                    expected=expected,
                    severity="notable" if severe else "minor",
                    confidence="likely",
                    cause="" if severe else rule,
                    explanation=why.format(name),
                )
            )
    return found, places


def _loose_ends(prose: Prose) -> Iterator[tuple[str, Mapping[str, Place], str, str, str]]:
    """Rule, names with their places, and texts with room for a name: what is printed, what is
    expected, why it matters."""
    if prose.known is None:
        return
    yield (
        "unresolved",
        {k: p for k, p in prose.cited.items() if k not in prose.known and k != "*"},
        "a citation of '{}'",
        "an entry of the bibliography with that key",
        "'{}' is cited and is not in the bibliography, so that it prints as a question mark.",
    )
    if "*" not in prose.cited:
        yield (
            "uncited",
            {k: p for k, p in prose.listed.items() if k not in prose.cited},
            "the entry '{}'",
            "a citation of it",
            "The bibliography lists '{}', which nothing cites.",
        )
    yield (
        "unresolved",
        {k: p for k, p in prose.referred.items() if k not in prose.labels},
        "a reference to '{}'",
        "a label of that name",
        "'{}' is referred to and is no label, so that it prints as question marks.",
    )
    floats = {k: p for k, p in prose.labels.items() if k.startswith(("tab", "fig"))}
    yield (
        "unreferenced",
        {k: p for k, p in floats.items() if k not in prose.referred},
        "the label '{}'",
        "a sentence that refers to it",
        "Nothing in the text refers to '{}', so that a reader is never sent there.",
    )
