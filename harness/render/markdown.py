"""A table as a Markdown pipe table, as GitHub and CommonMark processors with tables read it."""

from __future__ import annotations

import re

from harness.render.layout import CellText, Heading, Line, TableLayout, View, lay_out
from harness.render.markup import captioned, runs
from harness.render.table import TableData

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~&$])")
_BLOCK = re.compile(r"^(\d*)([-+=#.)])")


def escape(text: str) -> str:
    """Text whose characters Markdown takes literally, on a line or in a table cell."""
    return _ACTIVE.sub(r"\\\1", text)


def escape_block(text: str) -> str:
    """Text that also starts no list, rule or heading when a block begins with it."""
    return _BLOCK.sub(r"\1\\\2", escape(text))


def render(table: TableData, view: View) -> str:
    """Caption, table, legend and notes; spanning headings are folded into the column headings."""
    layout = lay_out(table, view)
    head = [escape(layout.stub), *_headers(layout)]
    rule = [":--" for _ in head]
    rows = [_row(head), _row(rule)]
    for item in layout.body:
        rows.append(_row(_heading(item, layout) if isinstance(item, Heading) else _line(item)))
    blocks = [_caption(layout), "\n".join(rows)]
    if layout.legend:
        signs = (f"{escape(symbol.glyph)} {escape(symbol.meaning)}" for symbol in layout.legend)
        blocks.append("Legend: " + " · ".join(signs))
    if layout.notes:
        blocks.append("\n".join(f"- {escape_block(note)}" for note in layout.notes))
    return "\n\n".join(blocks) + "\n"


def _caption(layout: TableLayout) -> str:
    return f"**{escape(layout.label)}.** {_prose(captioned(layout.title, layout.caption))}"


def _headers(layout: TableLayout) -> list[str]:
    return [
        escape(f"{group} / {label}" if group else label)
        for label, group in zip(layout.headers, layout.groups, strict=True)
    ]


def _heading(heading: Heading, layout: TableLayout) -> list[str]:
    return [_styled(heading.text, "**"), *("" for _ in layout.headers)]


def _line(line: Line) -> list[str]:
    label = f"↳ {_styled(line.label, '*')}" if line.below else escape(line.label)
    return [label, *map(_entry, line.entries)]


def _entry(entry: CellText) -> str:
    signs = "".join(sign.glyph for sign in entry.signs)
    text = escape(entry.text)
    text = f"<u>{text}</u>" if entry.underline else text
    text = f"**{text}**" if entry.bold else text
    return " ".join(filter(None, (text, escape(entry.derived), escape(signs))))


def _prose(text: str) -> str:
    signs = {"": "", "bold": "**", "italic": "*"}
    return "".join(_styled(run.text, signs[run.style]) for run in runs(text))


def _styled(text: str, sign: str) -> str:
    return f"{sign}{escape(text)}{sign}" if text else ""


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
