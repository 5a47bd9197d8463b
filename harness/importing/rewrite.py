"""A table's spec brought to what the sources have now; the rest stays as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import spanned_toml

from harness.errors import UserError
from harness.importing.aligned import Aligned
from harness.importing.model import Entry
from harness.importing.write import cell_keys, column_lines, names, quoted, row_lines
from harness.spec.exhibit import Row

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
