"""What was read of a paper's sources, written as TOML: specs of tables, the list of sentences."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from harness.importing.model import Entry, HeaderPath, Row, Sentence, Table
from harness.spec.reading import NARROW, read_printed
from harness.spec.statements import tells

_LABEL_LENGTH = 200
_SHORTEST = 8
"""Signs that the opening of a sentence must have."""
_SENTENCES = """\
# Sentences of the text with a number or a comparison. Give each the claims of claims.toml that say
# it, `claims = ["..."]`, or the reason why it has none, `reason = "..."`. Until then it is open.
"""


def write_spec(table: Table, number: int) -> str:
    """The spec of `tableN`, to be completed by hand: what runs for each row, what ± means.

    Cells stand there to the letter. What is neither a number nor a word stands in `unread`, with
    its place and the reason, and what the paper leaves blank is left out.
    """
    columns, rows = names(table.columns), names([row.path for row in table.rows])
    title = short(table.caption) or table.label or f"Table {number}"
    lines = [
        f"# Read from {table.place.file.name}, line {table.place.line}.",
        *(f"# Note under the table: {one_line(note)}" for note in table.notes),
        f"id = {quoted(f'table{number}')}",
        'kind = "table"',
        f"label = {quoted(f'Table {number}')}",
        f"title = {quoted(title)}",
        'section = ""',
        f"caption = {quoted(table.caption)}",
        f"source = {quoted(table.label)}",
        f"stub = {quoted(table.stub)}",
        "",
        "# What ± means (std, sem, ci95, iqr, range), over how many runs, and the unit. Up to",
        '# `margin` differences count as none; "percent accuracy" has 1 point, others say it here.',
        "[reporting]",
        'spread = "unknown"',
        'n = "unknown"',
        'unit = ""',
        "",
        "[measure]",
        'value = "value"',
    ]
    for name, path in zip(columns, table.columns, strict=True):
        lines += ["", *column_lines(name, path)]
    for name, row in zip(rows, table.rows, strict=True):
        lines += ["", *row_lines(name, row, columns)]
    return "\n".join(lines) + "\n"


def write_sentences(sentences: Iterable[Sentence]) -> str:
    """Those that hold a number or a comparison, as `coverage.toml` with all of them open."""
    return "\n".join([_SENTENCES, *(sentence_lines(each) for each in telling(sentences))])


def telling(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Those that hold a number or a comparison, each text once."""
    chosen = {one_line(s.text): s for s in reversed(list(sentences)) if tells(s.text)}
    return [s for text, s in reversed(chosen.items()) if len(text) >= _SHORTEST]


def sentence_lines(sentence: Sentence) -> str:
    """One open entry of `coverage.toml`."""
    where = f"{sentence.place.file.name}, line {sentence.place.line}"
    return f"[[sentences]]\nwhere = {quoted(where)}\nstarts = {quoted(sentence.text)}\n"


def row_lines(name: str, row: Row, columns: Sequence[str]) -> list[str]:
    """A row of a spec, under a table's names of columns."""
    held = dict(zip(columns, row.entries, strict=True))
    notes = [
        f"# {column}: {entry.place.file.name}, line {entry.place.line}: {entry.printed.reason}"
        for column, entry in held.items()
        if entry.printed.kind == "unreadable"
    ]
    keys = [f"{key} = {text}" for key, text in cell_keys(held).items() if text]
    shares = [
        f'{quoted(column)} = {{ spread = "share" }}'
        for column, entry in held.items()
        if entry.printed.is_number
        and entry.printed.error is None
        and read_printed(entry.printed.text).error is not None
    ]
    if shares:
        keys.append(f"cell_reporting = {{ {', '.join(shares)} }}")
    return ["[[rows]]", *_headed(name, row.path), *map(one_line, notes), *keys]


def cell_keys(entries: Mapping[str, Entry]) -> dict[str, str]:
    """`cells`, `unread`, `bold` and `underline` of a row as TOML; empty where there is nothing.

    Args:
        entries: column -> what is printed there.
    """
    filled = {column: entry.printed for column, entry in entries.items() if entry.printed.text}
    unread = {
        column: printed
        for column, printed in filled.items()
        if printed.kind == "unreadable" or read_printed(printed.text).kind == "unreadable"
    }

    def table(columns: Collection[str]) -> str:
        pairs = (f"{quoted(column)} = {quoted(filled[column].text)}" for column in columns)
        return f"{{ {', '.join(pairs)} }}" if columns else ""

    def listed(columns: Collection[str]) -> str:
        return f"[{', '.join(map(quoted, columns))}]" if columns else ""

    return {
        "cells": table([column for column in filled if column not in unread]),
        "unread": table(unread),
        "bold": listed([column for column, printed in filled.items() if printed.bold]),
        "underline": listed([column for column, printed in filled.items() if printed.underline]),
    }


def heading(path: HeaderPath, name: str) -> tuple[str, str]:
    """The group and the label of a row or a column."""
    return " / ".join(map(one_line, path[:-1])), (short(path[-1]) if path else "") or name


def column_lines(name: str, path: HeaderPath) -> list[str]:
    """A column of a spec."""
    return ["[[columns]]", *_headed(name, path)]


def _headed(name: str, path: HeaderPath) -> list[str]:
    group, label = heading(path, name)
    lines = [f"name = {quoted(name)}", f"label = {quoted(label)}"]
    return [*lines, f"group = {quoted(group)}"] if group else lines


def names(paths: Sequence[HeaderPath], others: Collection[str] = ()) -> list[str]:
    """A name for each path, as addresses need it: without colons, unlike each other and others."""
    plain = [short("/".join(path).replace(":", "")) or "unnamed" for path in paths]
    met = Counter[str](others)
    taken = {*plain, *others}
    found = []
    for name in plain:
        met[name] += 1
        other = name
        while met[name] > 1 and other in taken:
            other = f"{name[: _LABEL_LENGTH - 8]} ({met[name]})"
            met[name] += other in taken
        taken.add(other)
        found.append(other)
    return found


def short(text: str) -> str:
    """One printable line, as long as a label may be."""
    return one_line(text)[:_LABEL_LENGTH].strip()


def one_line(text: str, kept: str = "") -> str:
    """The text without breaks, and without signs that print nothing."""
    return "".join(sign if sign.isprintable() or sign in kept else " " for sign in text).strip()


def quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return json.dumps(one_line(text, NARROW), ensure_ascii=False)
