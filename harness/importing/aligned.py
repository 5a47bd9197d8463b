"""Which row, column and cell of a table's spec is which of the sources, and what differs there.

A spec is brought to what the sources have now; the rest of it stays as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import spanned_toml

from harness.errors import UserError
from harness.importing.model import Entry, HeaderPath, Place, Table
from harness.importing.write import (
    cell_keys,
    column_lines,
    heading,
    names,
    one_line,
    quoted,
    row_lines,
)
from harness.spec import exhibit
from harness.spec.exhibit import Row
from harness.spec.printed import Printed
from harness.spec.reading import read_printed

Kind = Literal["number", "bold", "underline", "caption", "added", "removed", "unreadable"]
_LEAST_OVERLAP = 1.0
"""Of the rows and of the columns together, where no label tells which table it is."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `unreadable`: the sources have a text there that cannot be read."""

    address: str
    """`table1:ROW:COLUMN`, or the front part of it for a whole row, column or table."""
    kind: Kind
    before: str
    after: str
    place: Place | None = None


@dataclass(frozen=True)
class Aligned:
    """A table's spec beside the table that the sources have now."""

    spec: exhibit.Table
    table: Table

    @cached_property
    def rows(self) -> dict[str, int]:
        """Name of a row of the spec -> its place in the sources, for those that are in both."""
        return _matched(self.spec.rows, [row.path for row in self.table.rows])

    @cached_property
    def columns(self) -> dict[str, int]:
        """The same of the columns."""
        return _matched(self.spec.columns, self.table.columns)

    def entries(self, row: str) -> dict[str, Entry]:
        """Column -> what the sources have now in a row that is in both."""
        held = self.table.rows[self.rows[row]].entries
        return {column: held[at] for column, at in self.columns.items()}

    def changes(self) -> Iterator[Change]:
        """Every difference, row by row, then those of whole rows and columns."""
        name, place = self.spec.id, self.table.place
        captions = (one_line(self.spec.caption), one_line(self.table.caption))
        if self.spec.source and captions[0] != captions[1]:
            yield Change(name, "caption", *captions, place)
        for row in self.spec.rows:
            if row.name in self.rows:
                for column, entry in self.entries(row.name).items():
                    yield from _in_cell(f"{name}:{row.name}:{column}", row, column, entry)
            else:
                yield Change(f"{name}:{row.name}", "removed", row.label, "", place)
        for each in self.spec.columns:
            if each.name not in self.columns:
                yield Change(f"{name}::{each.name}", "removed", each.label, "", place)
        for at in self.new_rows:
            yield Change(name, "added", "", f"row {' / '.join(self.table.rows[at].path)}", place)
        for at in self.new_columns:
            yield Change(name, "added", "", f"column {' / '.join(self.table.columns[at])}", place)

    @property
    def new_rows(self) -> list[int]:
        """Places of the rows that the spec does not have."""
        known = set(self.rows.values())
        return [at for at in range(len(self.table.rows)) if at not in known]

    @property
    def new_columns(self) -> list[int]:
        """Places of the columns that the spec does not have."""
        known = set(self.columns.values())
        return [at for at in range(len(self.table.columns)) if at not in known]

    def as_now(self) -> exhibit.Table:
        """The spec with the numbers that the sources have now; those that are gone are left out."""
        rows = []
        for row in self.spec.rows:
            held = self.entries(row.name) if row.name in self.rows else {}
            read = {column: read_printed(entry.printed.text) for column, entry in held.items()}
            kept = {c: p for c, p in read.items() if p.text and p.kind != "unreadable"}
            rows.append(row.model_copy(update={"cells": kept}))
        return exhibit.Table.model_construct(**{**dict(self.spec), "rows": tuple(rows)})


def align(specs: Sequence[exhibit.Table], tables: Sequence[Table]) -> list[Aligned]:
    """The specs whose tables are in the sources: by label, else by what they have in common."""
    free = dict(enumerate(tables))
    found: dict[str, Aligned] = {}
    for each in specs:
        same = (at for at, table in free.items() if each.source and table.label == each.source)
        if (at := next(same, None)) is not None:
            found[each.id] = Aligned(each, free.pop(at))
    for each in specs:
        likely = {at: _overlap(Aligned(each, table)) for at, table in free.items()}
        best = max(likely, key=lambda at: likely[at], default=None)
        if each.id not in found and best is not None and likely[best] >= _LEAST_OVERLAP:
            found[each.id] = Aligned(each, free.pop(best))
    return [found[each.id] for each in specs if each.id in found]


def _overlap(aligned: Aligned) -> float:
    """Shares of rows and of columns that are in both, from 0 to 2."""
    sides = (
        (aligned.rows, aligned.spec.rows, aligned.table.rows),
        (aligned.columns, aligned.spec.columns, aligned.table.columns),
    )
    return sum(
        len(both) / max(1, len(ours) + len(theirs) - len(both)) for both, ours, theirs in sides
    )


def _matched(
    ours: Iterable[exhibit.Row | exhibit.Column], theirs: Sequence[HeaderPath]
) -> dict[str, int]:
    """By group and label as printed; where these repeat, in their order."""
    places: dict[tuple[str, str], list[int]] = {}
    for at, path in enumerate(theirs):
        places.setdefault(heading(path, "unnamed"), []).append(at)
    found = {}
    for each in ours:
        if waiting := places.get((each.group, each.label)):
            found[each.name] = waiting.pop(0)
    return found


def _in_cell(address: str, row: exhibit.Row, column: str, entry: Entry) -> Iterator[Change]:
    """What differs in one cell: its text, unless it says the same, and how it is set."""
    now, before = entry.printed, row.cells.get(column)
    text = before.text if before else row.unread.get(column, "")
    if now.kind == "unreadable" and now.text != text:
        yield Change(address, "unreadable", text, now.text, entry.place)
    elif now.text != text and (before is None or not _says_the_same(before, now)):
        yield Change(address, "number", text, now.text, entry.place)
    for how in ("bold", "underline"):
        was, is_now = column in getattr(row, how), getattr(now, how)
        if now.text and was != is_now:
            words = {True: how, False: f"not {how}"}
            kind: Kind = "bold" if how == "bold" else "underline"
            yield Change(address, kind, words[was], words[is_now], entry.place)


def _says_the_same(before: Printed, now: Printed) -> bool:
    if before.kind == "word" or now.kind == "word":
        return False
    plain = (replace(each, text="", bold=False, underline=False) for each in (before, now))
    return len({*plain}) == 1


Edit = tuple[int, int, str]
"""Start, end, and the text that comes there."""
_KEPT = ("cells", "unread", "bold", "underline")
_REASON = re.compile(r"^# .*, line \d+: .*\n", re.MULTILINE)
"""A line that says why a cell could not be read."""


def rewritten(text: str, found: Aligned) -> str:
    """The text of a spec with the numbers, the caption and the further rows of the sources.

    Rows and columns that the sources have no longer stay: claims or results may be about them.

    Raises:
        UserError: its rows or columns are not written as `[[rows]]` and `[[columns]]`.
    """
    whole = spanned_toml.loads(text)
    rows, columns = whole["rows"], whole["columns"]
    spans = [rows.span(), columns.span()]
    if any(span.stop for span in spans) or any(
        not row[key].span().stop for row in rows for key in _KEPT if key in row.inner()
    ):
        raise UserError(
            f"{found.spec.id}: its rows, columns or cells are not written as `new-paper --from` "
            "writes them, [[rows]] and cells = { ... }; change it by hand"
        )
    theirs = found.table
    added = names([theirs.columns[at] for at in found.new_columns], found.spec.column_names)
    places = {**found.columns, **dict(zip(added, found.new_columns, strict=True))}
    edits: list[Edit] = []
    if found.spec.source and "caption" in whole.inner():
        edits.append(_put(whole["caption"], quoted(theirs.caption)))
    for held, row in zip(rows, found.spec.rows, strict=True):
        if row.name in found.rows:
            edits += _row_edits(text, held, _entries(found, row, places))
    fresh = [column_lines(n, theirs.columns[places[n]]) for n in added]
    edits += _after(text, columns[len(found.spec.columns) - 1], fresh)
    edits += _after(text, rows[len(found.spec.rows) - 1], _fresh_rows(found, places))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _entries(found: Aligned, row: Row, places: Mapping[str, int]) -> dict[str, Entry]:
    """Column -> what a row has there now; what it had, where the column is gone."""
    now = found.table.rows[found.rows[row.name]].entries
    gone = {
        column: Entry(
            replace(cell, bold=column in row.bold, underline=column in row.underline),
            found.table.place,
        )
        for column, cell in row.cells.items()
        if column not in places
    }
    return {**gone, **{column: now[at] for column, at in places.items()}}


def _fresh_rows(found: Aligned, places: Mapping[str, int]) -> list[list[str]]:
    rows = [found.table.rows[at] for at in found.new_rows]
    called = names([row.path for row in rows], found.spec.row_names)
    return [
        row_lines(name, replace(row, entries=tuple(row.entries[at] for at in places.values())),
                  list(places))
        for name, row in zip(called, rows, strict=True)
    ]  # fmt: skip


def _row_edits(text: str, held: Any, now: Mapping[str, Entry]) -> Iterator[Edit]:
    """New values of the keys that the sources decide, and none of the reasons of before."""
    here = _line_end(text, held["label"].span().stop)
    end = max(_end(held), here)
    yield from ((m.start(), m.end(), "") for m in _REASON.finditer(text, here, end))
    for key, value in cell_keys(now).items():
        if key in held.inner():
            yield _put(held[key], value or ("{}" if key in ("cells", "unread") else "[]"))
        elif value:
            yield here, here, f"\n{key} = {value}"


def _put(held: Any, value: str) -> Edit:
    return held.span().start, held.span().stop, value


def _after(text: str, held: Any, blocks: list[list[str]]) -> Iterator[Edit]:
    """Blocks behind the table that one element of an array of tables holds."""
    end = _line_end(text, _end(held))
    if blocks:
        yield end, end, "".join(f"\n\n{chr(10).join(lines)}" for lines in blocks)


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found


def _end(node: Any) -> int:
    """Where the last value inside ends."""
    inner = node.inner()
    held = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
    return max([int(node.span().stop), *map(_end, held)])
