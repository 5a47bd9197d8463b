"""A table that was read, written as the TOML of a table's spec."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.importing.model import HeaderPath, Table
from harness.spec.printed import Printed
from harness.spec.reading import NARROW

_LABEL_LENGTH = 200


def write_spec(table: Table, number: int) -> str:
    """The spec of `tableN`, to be completed by hand: what runs for each row, what ± means.

    Cells stand there to the letter. One that could not be read is a comment in its row, and one
    that the paper leaves blank is left out.
    """
    columns, rows = _names(table.columns), _names([row.path for row in table.rows])
    title = _short(table.caption) or table.label or f"Table {number}"
    lines = [
        f"# Read from {table.place.file.name}, line {table.place.line}.",
        *(f"# Note under the table: {_one_line(note)}" for note in table.notes),
        f"id = {_text(f'table{number}')}",
        'kind = "table"',
        f"label = {_text(f'Table {number}')}",
        f"title = {_text(title)}",
        f"section = {_text(table.label)}",
        f"caption = {_text(table.caption)}",
        f"stub = {_text(table.stub)}",
        "",
        "[reporting]",
        'spread = "unknown"',
        'n = "unknown"',
        "",
        "# What all cells share: name here what runs.",
        "[bind]",
        "",
        "[measure]",
        'value = "value"',
    ]
    for name, path in zip(columns, table.columns, strict=True):
        lines += ["", "[[columns]]", *_headed(name, path)]
    for name, row in zip(rows, table.rows, strict=True):
        lines += ["", "[[rows]]", *_headed(name, row.path)]
        printed = [entry.printed for entry in row.entries]
        lines += _cells(zip(columns, printed, strict=True))
    return "\n".join(lines) + "\n"


def _headed(name: str, path: HeaderPath) -> list[str]:
    lines = [f"name = {_text(name)}", f"label = {_text(_short(path[-1]) if path else name)}"]
    return lines if len(path) < 2 else [*lines, f"group = {_text(' / '.join(path[:-1]))}"]


def _cells(cells: Iterable[tuple[str, Printed]]) -> list[str]:
    kept, lines = [], []
    cells = list(cells)
    for column, printed in cells:
        if printed.kind == "unreadable":
            lines.append(f"# {_one_line(column)}: {_one_line(printed.text)} ({printed.reason})")
        elif printed.text:
            kept.append((column, printed))
    if kept:
        texts = (f"{_text(column)} = {_text(p.text)}" for column, p in kept)
        lines.append(f"cells = {{ {', '.join(texts)} }}")
    for how in ("bold", "underline"):
        if set_so := [_text(column) for column, printed in kept if getattr(printed, how)]:
            lines.append(f"{how} = [{', '.join(set_so)}]")
    return lines


def _names(paths: Sequence[HeaderPath]) -> list[str]:
    """A name for each path, as addresses need it: unique, without colons."""
    plain = [_short("/".join(path).replace(":", "")) or "unnamed" for path in paths]
    met = Counter[str]()
    taken = set(plain)
    names = []
    for name in plain:
        met[name] += 1
        other = name
        while met[name] > 1 and other in taken:
            other = f"{name[: _LABEL_LENGTH - 8]} ({met[name]})"
            met[name] += other in taken
        taken.add(other)
        names.append(other)
    return names


def _short(text: str) -> str:
    """One printable line, as long as a label may be."""
    return _one_line(text)[:_LABEL_LENGTH].strip()


def _one_line(text: str, kept: str = "") -> str:
    return "".join(sign if sign.isprintable() or sign in kept else " " for sign in text).strip()


def _text(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return json.dumps(_one_line(text, NARROW), ensure_ascii=False)
