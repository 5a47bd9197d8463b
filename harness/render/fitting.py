"""How a table is made to fit the pages of a LaTeX document, by one rule.

It is set in the largest type in which it is no wider than the text. Where it fits in none, its
columns go into blocks one below the other, under the row labels again: as few as may be, as even as
may be, in the largest type that allows so few. What is higher than a page goes on upon the next
ones, block by block, and a block that is higher than a page between two rows.

A document of two columns has room for all this across both; what fits one of them stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from harness.render.layout import Heading, Line, TableLayout, blocks, columns_of, spans

LABEL = 26
"""Characters of a row label; a longer one is set as a paragraph."""
_TEXT_WIDTH, _TEXT_HEIGHT = 345.0, 540.0
"""Points of a page of the article class."""
_COLUMN_WIDTH, _COLUMN_LINE = 200.0, 40
"""Points of a column of its option `twocolumn`, and characters of a caption on a line there."""
_SIGN_GAP = 2.0
"""Points on either side of a column, for signs that hang in the gap."""
_RULES = 14.0
"""Points that the three rules of a table take, with the room around them."""
_BETWEEN = 12.0
"""Points between two parts of a table on one page."""
_NOTES = 9.5
"""Points of a line of notes."""
_PER_LINE = 75
"""Characters of a caption or a note on one line."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A way to set a table: type size, half the gap between columns, widest line of prose."""

    size: str
    character: float
    """Width of a figure in points; half an em in Computer Modern at any size."""
    line: float
    """Points from one line to the next."""
    gap: float
    prose: int
    """In characters; a longer text is set as a paragraph."""

    def between(self, layout: TableLayout) -> float:
        """Half the gap between columns, in points, where signs may hang in it."""
        return self.gap + (_SIGN_GAP if layout.legend else 0.0)


_FITS = (
    Fit("", 5.0, 12.0, 6, 30),
    Fit(r"\small", 4.63, 11.0, 6, 28),
    Fit(r"\small", 4.63, 11.0, 4, 24),
    Fit(r"\footnotesize", 4.25, 9.5, 4, 22),
    Fit(r"\scriptsize", 3.99, 8.0, 3, 20),
    Fit(r"\scriptsize", 3.99, 8.0, 2.5, 14),
)


def fitted(layout: TableLayout) -> tuple[Fit, list[list[TableLayout]]]:
    """How to set a table, and for each page the parts of it that stand there, from top to bottom.

    A column that is too wide beside the labels even alone is a part of its own, and stays too wide.
    """
    count = len(layout.headers)
    dealt = [(fit, blocks(count, partial(_fits, layout, fit))) for fit in _FITS]
    fit, found = min(dealt, key=lambda each: len(each[1]))  # the first of those with the fewest
    return fit, _pages([columns_of(layout, block) for block in found], fit)


def in_column(pages: Sequence[Sequence[TableLayout]], fit: Fit) -> bool:
    """Whether a table that is set so can stand in one column of two."""
    parts, *more = pages
    height = sum(_height(part, fit) for part in parts)
    return (
        not more
        and all(_width(part, fit) <= _COLUMN_WIDTH for part in parts)
        and height <= _room(parts[0], _COLUMN_LINE)
    )


def is_prose(layout: TableLayout, at: int, fit: Fit) -> bool:
    """Whether a column has texts that are set as paragraphs."""
    return any(len(line.entries[at].text) > fit.prose for line in layout.lines)


def _fits(layout: TableLayout, fit: Fit, block: Sequence[int]) -> bool:
    return _width(columns_of(layout, block), fit) <= _TEXT_WIDTH


def _width(layout: TableLayout, fit: Fit) -> float:
    """Estimated width of a tabular in points; letters run a little wider than figures."""
    labels = [len(line.label) + 2 * (line.grouped + line.below) for line in layout.lines]
    widths = [min(max(labels, default=0), LABEL)]
    for at, header in enumerate(layout.headers):
        entries = [line.entries[at] for line in layout.lines]
        texts = [len(f"{entry.text} {entry.derived}".strip()) for entry in entries]
        widths.append(max(len(header), min(max(texts, default=0), fit.prose)))
    for span in spans(layout.groups):
        below = sum(widths[span.first + 1 : span.first + span.count + 1])
        widths[span.first + 1] += max(0, len(span.group) - below)
    gaps = 2 * fit.between(layout) * (len(widths) - 1)
    return sum(widths) * fit.character * 1.05 + gaps


def _pages(parts: Sequence[TableLayout], fit: Fit) -> list[list[TableLayout]]:
    pages: list[list[TableLayout]] = [[]]
    room = _room(parts[0], _PER_LINE)
    for part in (piece for each in parts for piece in _pieces(each, fit, room)):
        held = sum(_height(each, fit) for each in pages[-1])
        if pages[-1] and held + _height(part, fit) > room:
            pages.append([])
        pages[-1].append(part)
    return pages


def _room(layout: TableLayout, per_line: int) -> float:
    """Points of a page beside the caption and the notes, with so many characters on a line."""
    notes = (" ".join(symbol.meaning for symbol in layout.legend), *layout.notes)
    caption = 12.0 * _lines(layout.title + layout.caption, per_line)
    return _TEXT_HEIGHT - caption - _NOTES * sum(_lines(note, per_line) for note in notes)


def _pieces(layout: TableLayout, fit: Fit, room: float) -> Iterator[TableLayout]:
    """A table broken between rows where it is higher than the room; the heading is repeated."""
    body: list[Heading | Line] = []
    heading: Heading | None = None
    for unit in _units(layout.body):
        longer = replace(layout, body=(*body, *unit))
        if body and _height(longer, fit) > room:
            yield replace(layout, body=tuple(body))
            body = [heading] if heading and not isinstance(unit[0], Heading) else []
        heading = next((item for item in unit if isinstance(item, Heading)), heading)
        body += unit
    yield replace(layout, body=tuple(body))


def _units(body: Iterable[Heading | Line]) -> list[list[Heading | Line]]:
    """What stays together: a row with our line below it, and a heading with its first row."""
    units: list[list[Heading | Line]] = []
    for item in body:
        if units and isinstance(item, Line) and (item.below or isinstance(units[-1][-1], Heading)):
            units[-1].append(item)
        else:
            units.append([item])
    return units


def _height(layout: TableLayout, fit: Fit) -> float:
    """Estimated height of a tabular in points, with the room below it."""
    rows = sum(_row_height(item, fit) for item in layout.body)
    pairs = sum(item.below for item in layout.lines)
    heads = 2 if any(layout.groups) else 1
    return _RULES + heads * fit.line + rows + pairs * fit.line / 2 + _BETWEEN


def _row_height(item: Heading | Line, fit: Fit) -> float:
    if isinstance(item, Heading):
        return _RULES / 2 + (fit.line if item.text else 0.0)
    texts = [_lines(f"{entry.text} {entry.derived}", fit.prose) for entry in item.entries]
    return fit.line * max([_lines(item.label, LABEL), *texts])


def _lines(text: str, limit: int) -> int:
    return ceil(len(text) / limit)
