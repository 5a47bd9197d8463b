"""From rows of cells to a table: which rows are headings, which columns name the rows.

Typesetting does not say it, so it is told from the cells: headings stand above the first rule
and hold no results, the columns that name rows are the leftmost that tell the rows apart. Rows
that hold nothing but numbers in parentheses belong to the numbers above them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from harness.importing.agreement import in_agreement
from harness.importing.model import (
    Cell,
    Entry,
    GridRow,
    HeaderPath,
    Place,
    Row,
    Slot,
    Table,
    Unread,
    rectangular,
)
from harness.spec.reading import read_printed

_THIN = "\u2009"
_NOTE = re.compile(r"(?:table )?notes?\b.?|source\b.?", re.IGNORECASE)
_MOST_HEADINGS = 5


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of the rectangular grid."""

    slots: list[Slot]
    ruled: bool
    heading: bool

    def results(self, stub: int = 1) -> list[Cell]:
        """The cells with text beside the row's name."""
        return [slot.cell for slot in self.slots[stub:] if slot.first and slot.cell.text]

    @property
    def name(self) -> str:
        return self.slots[0].cell.text


def as_tables(rows: Sequence[GridRow], place: Place) -> Iterator[tuple[Table, list[Unread]]]:
    """The tables that one grid holds, which are several where headings come again further down."""
    rows = [row for row in rows if any(cell.text for cell in row.cells)]
    if not rows:
        return
    width = max(sum(max(1, cell.columns) for cell in row.cells) for row in rows)
    grid = rectangular(rows, width)
    lines = [_Line(s, r.ruled, r.heading) for s, r in zip(grid, rows, strict=True)]
    lines = _without_index(_without_empty_columns(lines))
    for part in _parts(lines):
        count = _count_headings(part)
        body, notes = _without_notes(part[count:])
        if body:
            table, unread = _as_table(part[:count], body, place)
            yield replace(table, notes=tuple(notes)), unread


def _as_table(
    heads: Sequence[_Line], body: Sequence[_Line], place: Place
) -> tuple[Table, list[Unread]]:
    unread: list[Unread] = []
    stub = _count_stub(heads, body)
    width = len(body[0].slots)
    columns = [
        _heading(heads, column) or (f"column {column - stub + 1}",) for column in range(stub, width)
    ]
    if not heads:
        what = "no row of headings was found, so columns have numbers"
        if not any(read_printed(line.name).kind == "word" for line in body):
            what += ", and the first column, which is all numbers, was taken for names of rows"
        unread.append(Unread(place, what))
    rows = _rows(body, stub)
    rows, problems = in_agreement(rows, columns)
    unread += [*problems, *_spanning(body, stub)]
    over = [" ".join(_heading(heads, column)) for column in range(stub)]
    heading = "/".join(dict.fromkeys(filter(None, over)))
    table = Table(place, heading, tuple(columns), tuple(rows))
    unknown = {
        word: slot.cell.place
        for line in reversed([*heads, *body])
        for index, slot in enumerate(line.slots)
        if line in heads or index < stub
        for word in slot.cell.unknown
    }
    unread += [
        Unread(at, f"{word} in a heading is not defined in these sources")
        for word, at in unknown.items()
    ]
    return table, unread


def _spanning(body: Sequence[_Line], stub: int) -> Iterator[Unread]:
    """Numbers that span columns or rows, and were put where they begin."""
    for line in body:
        for cell in line.results(stub):
            if (cell.columns > 1 or abs(cell.rows) > 1) and cell.printed.kind == "number":
                what = f"cell '{cell.text}' spans {cell.columns} columns and {abs(cell.rows)} rows"
                yield Unread(cell.place, f"{what}; it stands at the first")


def _without_empty_columns(lines: list[_Line]) -> list[_Line]:
    """Columns that no row has text of its own in only keep others apart."""
    width = len(lines[0].slots)
    full = [
        any(line.slots[c].first and line.slots[c].cell.text for line in lines) for c in range(width)
    ]
    return [
        replace(line, slots=[slot for slot, kept in zip(line.slots, full, strict=True) if kept])
        for line in lines
    ]


def _without_index(lines: list[_Line]) -> list[_Line]:
    """Without a first column that counts from 0, has no heading and stands before names."""
    head, counted = lines[0], [line.name for line in lines[1:]]
    if head.name or len(counted) < 2 or counted != [str(n) for n in range(len(counted))]:
        return lines
    if len(head.slots) < 3 or not all(_is_text(line.slots[1].cell) for line in lines):
        return lines
    return [replace(line, slots=line.slots[1:]) for line in lines]


def _parts(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Split where a row of headings of its own stands between two rules further down."""
    start = 0
    for index in range(1, len(lines) - 1):
        if _is_new_head(lines, index, start) and index > start + _count_headings(lines[start:]):
            yield lines[start:index]
            start = index
    yield lines[start:]


def _is_new_head(lines: list[_Line], index: int, start: int) -> bool:
    line, after = lines[index], lines[index + 1]
    if not (line.ruled and after.ruled):
        return False
    words = [read_printed(cell.text).kind == "word" for cell in line.results()]
    same = bool(line.name) and line.name in {head.name for head in lines[start : start + 3]}
    return same and len(words) > 1 and all(words)


def _count_headings(lines: Sequence[_Line]) -> int:
    """How many rows at the top are headings."""
    if marked := next((n for n, line in enumerate(lines) if not line.heading), len(lines)):
        return marked
    plain = next((n for n, line in enumerate(lines) if not _may_head(line, n)), len(lines))
    rule = next((n for n in range(1, len(lines)) if lines[n].ruled), None)
    if plain == len(lines):  # a table of words
        return rule if rule is not None and rule <= _MOST_HEADINGS else 1
    if rule is None or rule > _MOST_HEADINGS:
        return plain
    if rule > plain:
        return rule if all(_numbers_head(lines, n) for n in range(plain, rule)) else plain
    while rule < plain and any(slot.cell.columns > 1 for slot in lines[rule - 1].slots):
        rule = next((n for n in range(rule + 1, plain) if lines[n].ruled), plain)
    return rule


def _numbers_head(lines: Sequence[_Line], index: int) -> bool:
    """Whether a row with numbers above the first rule is a heading, as of years or sizes."""
    line = lines[index]
    if index == 0 or not line.name:
        return True
    under_span = any(slot.cell.columns > 1 for slot in lines[index - 1].slots)
    return under_span and all(
        re.fullmatch(r"\d+%?", cell.text) or read_printed(cell.text).kind == "word"
        for cell in line.results()
    )


def _may_head(line: _Line, index: int) -> bool:
    """Whether a row has no results; one name alone in a row heads a group of rows, not columns."""
    cells = line.results()
    if index and not cells:
        return False
    if [cell.text for cell in cells] == [f"({n + 1})" for n in range(len(cells))]:
        return True
    return all(_is_text(cell) for cell in cells)


def _is_text(cell: Cell) -> bool:
    """Whether a cell is a name; `n = 846` in one is no number of the table."""
    kind = read_printed(cell.text).kind
    return kind in ("word", "missing") or (kind == "unreadable" and cell.text[0].isalpha())


def _heading(heads: Sequence[_Line], column: int) -> HeaderPath:
    """The headings over a column, the outer first; one that spans rows counts once."""
    path: list[str] = []
    cells = [head.slots[column].cell for head in heads]
    for cell in cells:
        text = _plain(cell.text)
        if text and (not path or path[-1] != text):
            path.append(text)
    return tuple(path)


def _plain(text: str) -> str:
    """A label: thousands are closed up, raised signs lose the braces."""
    text = re.sub(rf"(?<=\d){_THIN}(?=\d)", "", text).replace(_THIN, " ")
    text = re.sub(r"([\^_])\{([^{}])\}", r"\1\2", text)
    text = re.sub(r"^\*\*([^*]+)\*\*$", r"\1", text.strip())
    return re.sub(r" +", " ", text).strip()


def _is_group(line: _Line) -> bool:
    """Whether a row only names the rows under it."""
    if line.name:
        return all(slot.cell is line.slots[0].cell or not slot.cell.text for slot in line.slots)
    cells = line.results()
    return len(cells) == 1 and cells[0].columns > 1 and cells[0].printed.kind == "word"


def _without_notes(body: Sequence[_Line]) -> tuple[list[_Line], list[str]]:
    """The rows, and the notes under them."""
    lines, notes = list(body), list[str]()
    while lines and (_is_group(lines[-1]) or _NOTE.fullmatch(lines[-1].name)):
        texts = dict.fromkeys(slot.cell.text for slot in lines.pop().slots if slot.cell.text)
        notes.insert(0, _plain(" ".join(texts)))
    return lines, notes


def _count_stub(heads: Sequence[_Line], body: Sequence[_Line]) -> int:
    """How many columns name the rows: as many as tell them apart, but not into the results."""
    lines = [line for line in body if not _is_group(line) and not _is_below(line, 1)]
    most = len(body[0].slots) - 1
    least = 1
    for head in heads:
        first = head.slots[0].cell
        spanned = sum(slot.cell is first for slot in head.slots) if first.text else 1
        if 1 < spanned <= most and all(_names(lines, column) for column in range(1, spanned)):
            least = max(least, spanned)
    groups = _group_numbers(body)
    while heads and least < most and not _heading(heads, least) and _names(lines, least):
        least += 1
    stub = least
    while stub <= most and _repeats(lines, groups, stub):
        if stub == most or not _names(lines, stub):
            return least
        stub += 1
    return min(stub, most) if most else 1


def _group_numbers(body: Sequence[_Line]) -> dict[int, int]:
    """Which group each line stands in, by the identity of the line."""
    number, found = 0, {}
    for line in body:
        number += _is_group(line)
        found[id(line)] = number
    return found


def _names(lines: Sequence[_Line], column: int) -> bool:
    """Whether a column may name rows: words, or whole numbers."""
    cells = [line.slots[column].cell for line in lines]
    return any(read_printed(cell.text).kind != "missing" for cell in cells) and all(
        _is_text(cell) or re.fullmatch(r"\d+%?|.*10\^\{.*", cell.text) for cell in cells
    )


def _repeats(lines: Sequence[_Line], groups: dict[int, int], stub: int) -> bool:
    paths = [
        (groups[id(line)], *path) for line, path in zip(lines, _labels(lines, stub), strict=True)
    ]
    return len(set(paths)) < len(paths)


def _labels(lines: Sequence[_Line], stub: int) -> list[tuple[str, ...]]:
    """The names of rows."""
    blank: tuple[str, ...] = ("",) * stub
    return list(accumulate(lines, lambda above, line: _label(line, above), initial=blank))[1:]


def _label(line: _Line, above: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a row; those left blank at the left are those of the row above."""
    texts = [_plain(slot.cell.text) for slot in line.slots[: len(above)]]
    blank = next((n for n, text in enumerate(texts) if text), len(above))
    return (*above[:blank], *texts[blank:])


def _is_below(line: _Line, stub: int) -> bool:
    """Whether a row without a name holds only numbers in brackets."""
    if any(slot.cell.text for slot in line.slots[:stub]):
        return False
    cells = line.results(stub)
    return bool(cells) and all(cell.printed.kind == "bracketed" for cell in cells)


def _rows(body: Sequence[_Line], stub: int) -> list[Row]:
    rows: list[Row] = []
    group: list[str] = []
    after_group = False
    last: tuple[str, ...] = ("",) * stub
    below = [line for line in body if _is_below(line, stub)]
    errors = not any(_is_negative(slot.cell) for line in below for slot in line.slots)
    for line in body:
        if _is_group(line):
            name = next(_plain(slot.cell.text) for slot in line.slots if slot.cell.text)
            group = [*group, name] if after_group else [name]
            after_group = True
            continue
        after_group = False
        entries = [_entry(slot) for slot in line.slots[stub:]]
        if errors and rows and _is_below(line, stub) and _fits_under(rows[-1], entries):
            rows[-1] = replace(rows[-1], entries=_joined(rows[-1].entries, entries))
            continue
        last = _label(line, last)
        kept = [text for n, text in enumerate(last) if text and (n == 0 or text != last[n - 1])]
        rows.append(Row((*group, *kept), tuple(entries)))
    return rows


def _is_negative(cell: Cell) -> bool:
    """Whether a number in brackets is negative, so that such rows hold no errors."""
    error = cell.printed.error
    return error is not None and error.minus < 0


def _entry(slot: Slot) -> Entry:
    cell = slot.cell if slot.first else replace(slot.cell, text="", unknown=())
    return Entry(cell.printed, cell.place)


def _fits_under(above: Row, entries: Sequence[Entry]) -> bool:
    """Whether every number in brackets has a number without an error of its own above it."""
    return all(
        below.printed.kind == "missing"
        or (up.printed.kind == "number" and not up.printed.error and not up.printed.interval)
        for up, below in zip(above.entries, entries, strict=True)
    )


def _joined(above: Sequence[Entry], below: Sequence[Entry]) -> tuple[Entry, ...]:
    """Numbers with what stands in brackets under them, as one text."""
    texts = (f"{up.printed.text} {low.printed.text}" for up, low in zip(above, below, strict=True))
    return tuple(
        up
        if low.printed.kind == "missing"
        else replace(up, printed=read_printed(text, bold=up.printed.bold))
        for up, low, text in zip(above, below, texts, strict=True)
    )
