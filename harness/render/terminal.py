"""A table on a terminal, or as plain text where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.media import spelt
from harness.render.layout import (
    NUMBER,
    CellText,
    Heading,
    Line,
    TableLayout,
    View,
    blocks,
    lay_out,
    lead_width,
    lead_widths,
)
from harness.render.table import TableData
from harness.render.text import plain

Held = TypeVar("Held")
_STYLES = {
    "reproduced": "green",
    "deviates": "red",
    "inconclusive": "yellow",
    "not comparable": "cyan",
    "not run": "dim",
    "paper-inconsistent": "magenta",
}
_PROSE = 28
"""Characters of words that a column asks for; more of them wrap when the width is short."""
_STUB = 22
"""The same for row labels."""


def show(table: TableData, view: View, console: Console) -> None:
    """Print the table; the console decides on colour (`NO_COLOR`, pipes) and width.

    A number is never cut or broken: columns that do not fit go below, under the row labels
    again, and a single column wider than the console runs over its edge.
    """
    layout = _spelt(lay_out(table, view), console.encoding)
    console.print(Text(f"{layout.label}. {layout.title}", style="bold"))
    needs = _needs(layout)
    stub = min(_stub_width(layout), _STUB)

    def width(block: Sequence[int]) -> int:
        return _total([stub, *(needs[at] for at in block)])

    for block in blocks(len(needs), lambda block: width(block) <= console.width):
        total = width(block)
        grid = _grid(layout, block, needs, total if total > console.width else None)
        console.print(grid, crop=False)
    for line in _legend(layout, console.width):
        console.print(Text(line, style="dim"))
    for note in layout.notes:
        console.print(Text(note, style="dim"))


def show_list(headings: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a line for each row; the last column is cut off where the console is narrow.

    Where next to nothing would be left of it, it stands on a line of its own.
    """
    texts = [[spelt(plain(text), console.encoding) for text in row] for row in (headings, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)][:-1]
    stacked = console.width - sum(widths) - 2 * len(widths) < _STUB
    for at, (*first, last) in enumerate(texts):
        style = "" if at else "bold"
        told = "  ".join(map(set_cell_size, first, widths))
        if stacked:
            console.print(Text(told.rstrip(), style=style))
        told = f"  {last}" if stacked else f"{told}  {last}"
        console.print(Text(told, style=style), no_wrap=True, overflow="ellipsis")


def show_grid(headings: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a plain grid of texts, which wrap between words where the console is narrow.

    Columns that do not fit even so go below, beside the first one again; no number is broken.
    """
    texts = [[spelt(plain(text), console.encoding) for text in row] for row in rows]
    headings = [spelt(heading, console.encoding) for heading in headings]
    needs = [max(map(_least, column)) for column in zip(headings, *texts, strict=True)]

    def width(block: Sequence[int]) -> int:
        return _total([needs[0], *(needs[at + 1] for at in block)])

    for block in blocks(len(headings) - 1, lambda block: width(block) <= console.width):
        total = width(block)
        shown = [0, *(at + 1 for at in block)]
        grid = Grid(
            box=box.HORIZONTALS,
            width=total if total > console.width else None,
            header_style="bold",
        )
        for at in shown:
            grid.add_column(headings[at], min_width=needs[at], overflow="fold")
        for row in texts:
            grid.add_row(*(Text(row[at]) for at in shown))
        console.print(grid, crop=False)


def _least(text: str) -> int:
    """The least width in which a text breaks between words, and a number not at all."""
    if NUMBER.fullmatch(text):
        return cell_len(text)
    return min(max(map(cell_len, text.split()), default=0), _PROSE)


def _spelt(held: Held, encoding: str) -> Held:
    """A layout, or a part of it, with all texts as a stream prints them."""
    new: Any = held
    if isinstance(held, str):
        new = spelt(held, encoding)
    elif isinstance(held, tuple):
        new = tuple(_spelt(each, encoding) for each in held)
    elif is_dataclass(held) and not isinstance(held, type):
        new = replace(
            held, **{f.name: _spelt(getattr(held, f.name), encoding) for f in fields(held)}
        )
    return cast(Held, new)


def _needs(layout: TableLayout) -> list[int]:
    """The least width of each column: its widest number in full, words down to a limit."""
    leads = lead_widths(layout)
    needs = []
    for at, header in enumerate(layout.headers):
        headings = [min(cell_len(header), _PROSE), min(cell_len(layout.groups[at]), _PROSE)]
        cells = [_entry(line.entries[at], leads[at]) for line in layout.lines]
        numeric = [bool(NUMBER.fullmatch(line.entries[at].text)) for line in layout.lines]
        widths = [
            cell.cell_len if number else min(cell.cell_len, _PROSE)
            for cell, number in zip(cells, numeric, strict=True)
        ]
        needs.append(max([*headings, *widths]))
    return needs


def _stub_width(layout: TableLayout) -> int:
    labels = [
        _label(item).cell_len if isinstance(item, Line) else cell_len(item.text)
        for item in layout.body
    ]
    return max([cell_len(layout.stub), *labels])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 3 * len(widths) + 1


def _legend(layout: TableLayout, width: int) -> list[str]:
    """Signs and meanings, broken only between them."""
    lines: list[str] = []
    for symbol in layout.legend:
        text = f"{symbol.glyph} {symbol.meaning}"
        if lines and cell_len(f"{lines[-1]}   {text}") <= width:
            lines[-1] += f"   {text}"
        else:
            lines.append(text)
    return lines


def _grid(
    layout: TableLayout, block: Sequence[int], needs: Sequence[int], width: int | None
) -> Grid:
    grid = Grid(box=box.HORIZONTALS, width=width, header_style="bold")
    grid.add_column(Text(layout.stub), overflow="fold", vertical="top")
    grouped = any(layout.groups)
    for at in block:
        header = f"{layout.groups[at]}\n{layout.headers[at]}" if grouped else layout.headers[at]
        grid.add_column(Text(header), min_width=needs[at], overflow="fold", vertical="top")
    leads = lead_widths(layout)
    for item, following in zip(layout.body, [*layout.body[1:], None], strict=True):
        ends = isinstance(following, Heading)
        if isinstance(item, Heading):
            if item.text:
                grid.add_row(Text(item.text, style="bold"))
            continue
        cells = (_entry(item.entries[at], leads[at]) for at in block)
        grid.add_row(_label(item), *cells, end_section=ends)
    return grid


def _label(line: Line) -> Text:
    indent = "  " * line.grouped
    return Text(f"{indent}└ {line.label}", style="dim") if line.below else Text(indent + line.label)


def _entry(entry: CellText, lead: int) -> Text:
    own = lead_width(entry.text)
    text = Text(" " * (lead - own if own else 0))
    shown = " ".join(filter(None, (entry.text, entry.derived)))
    styles = {"bold": entry.bold, "underline": entry.underline}
    text.append(entry.text, style=" ".join(name for name, is_so in styles.items() if is_so))
    text.append(shown.removeprefix(entry.text))
    signs = "".join(sign.glyph for sign in entry.signs)
    if signs:
        style = _STYLES[entry.verdict] if entry.verdict else ""
        text.append(f" {signs}" if shown else signs, style=style)
    return text
