"""A table as a Markdown pipe table, as GitHub and CommonMark processors with tables read it."""

from __future__ import annotations

import re

from harness.render.layout import Entry, Heading, Line, Page, View, lay_out
from harness.render.markup import captioned, runs
from harness.render.table import Table

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~&$])")
_BLOCK = re.compile(r"^(\d*)([-+=#.)])")


def escape(text: str) -> str:
    """Text whose characters Markdown takes literally, on a line or in a table cell."""
    return _ACTIVE.sub(r"\\\1", text)


def escape_block(text: str) -> str:
    """Text that also starts no list, rule or heading when a block begins with it."""
    return _BLOCK.sub(r"\1\\\2", escape(text))


def render(table: Table, view: View) -> str:
    """Caption, table, legend and notes; spanning headings are folded into the column headings."""
    page = lay_out(table, view)
    head = [escape(page.stub), *_headers(page)]
    rule = [":--" for _ in head]
    rows = [_row(head), _row(rule)]
    for item in page.body:
        rows.append(_row(_heading(item, page) if isinstance(item, Heading) else _line(item)))
    blocks = [_caption(page), "\n".join(rows)]
    if page.legend:
        signs = (f"{escape(symbol.glyph)} {escape(symbol.meaning)}" for symbol in page.legend)
        blocks.append("Legend: " + " · ".join(signs))
    if page.notes:
        blocks.append("\n".join(f"- {escape_block(note)}" for note in page.notes))
    return "\n\n".join(blocks) + "\n"


def _caption(page: Page) -> str:
    return f"**{escape(page.label)}.** {_prose(captioned(page.title, page.caption))}"


def _headers(page: Page) -> list[str]:
    return [
        escape(f"{group} / {label}" if group else label)
        for label, group in zip(page.headers, page.groups, strict=True)
    ]


def _heading(heading: Heading, page: Page) -> list[str]:
    return [_styled(heading.text, "**"), *("" for _ in page.headers)]


def _line(line: Line) -> list[str]:
    label = f"↳ {_styled(line.label, '*')}" if line.below else escape(line.label)
    return [label, *map(_entry, line.entries)]


def _entry(entry: Entry) -> str:
    signs = "".join(sign.glyph for sign in entry.signs)
    return escape(" ".join(filter(None, (entry.text, entry.derived, signs))))


def _prose(text: str) -> str:
    signs = {"": "", "bold": "**", "italic": "*"}
    return "".join(_styled(run.text, signs[run.style]) for run in runs(text))


def _styled(text: str, sign: str) -> str:
    return f"{sign}{escape(text)}{sign}" if text else ""


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
