"""Tables of HTML and of Markdown, whose tables are HTML once markdown-it has read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lxml import etree, html
from markdown_it import MarkdownIt

from harness.importing.latex import read_latex
from harness.importing.model import Cell, GridRow, Place, Prose, Sentence, Sources, Table, Unread
from harness.importing.shape import as_tables
from harness.importing.sources import read_text
from harness.spec.statements import split

_BOLD = ("b", "strong")
_TEXTS = ("p", "li", "dd", "blockquote", "figcaption", "caption")
_UNDERLINED = ("u", "ins")


def read_html(path: Path) -> Sources:
    """All tables of an HTML file.

    Raises:
        UserError: the file cannot be read.
    """
    tables, unread = list[Table](), list[Unread]()
    document = _document(path)
    if document is None:
        return Sources((), (Unread(Place(path, 1), "this file holds no HTML"),))
    for element in document.iter("table"):
        if element.find(".//table") is not None:
            unread.append(Unread(Place(path, _line(element)), "a table inside a table is not read"))
        elif next(element.iterancestors("table"), None) is None:
            _add(element, path, _line, tables, unread)
    return Sources(tuple(tables), tuple(unread))


def html_prose(path: Path) -> Prose:
    """The running text of an HTML file.

    Raises:
        UserError: the file cannot be read.
    """
    document = _document(path)
    if document is None:
        return Prose(())
    found = [
        Sentence(sentence, Place(path, _line(each)))
        for each in document.iter(*_TEXTS)
        if next(each.iterancestors(*_TEXTS), None) is None and each.find(".//table") is None
        for sentence in split(" ".join(each.text_content().split()))
    ]
    return Prose(tuple(found), title=" ".join((document.findtext(".//title") or "").split()))


def _document(path: Path) -> Any:
    """The parsed file; None where it holds no HTML."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", read_text(path))
    try:
        return html.document_fromstring(text)
    except etree.ParserError:
        return None


def read_markdown(path: Path) -> Sources:
    """All tables of a Markdown file, those in LaTeX that stands in it too.

    Raises:
        UserError: the file cannot be read.
    """
    text = read_text(path)
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(text)
    latex = read_latex(path)
    tables, unread = list(latex.tables), list(latex.unread)
    inside = set[int]()
    for index, token in enumerate(tokens):
        if token.type != "table_open" or token.map is None:
            continue
        end = next(n for n in range(index, len(tokens)) if tokens[n].type == "table_close")
        rendered = markdown.renderer.render(tokens[index : end + 1], markdown.options, {})
        first, last = token.map
        inside |= set(range(first, last))
        element = html.fragment_fromstring(rendered)
        rows = list(element.iter("tr"))

        def line(row: Any, rows: list[Any] = rows, first: int = first) -> int:
            number = rows.index(row) if row in rows else 0
            return first + 1 + number + (number > 0)  # the line of dashes is under the head

        _add(element, path, line, tables, unread)
    unread += _looks_like_tables(text, inside, path)
    return Sources(tuple(tables), tuple(unread))


def _looks_like_tables(text: str, inside: set[int], path: Path) -> Iterator[Unread]:
    """Lines of dashes and bars that make no table, because the head has other columns."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        dashes = re.fullmatch(r"\s*\|?(\s*:?-+:?\s*\|)+\s*(:?-+:?\s*)?", line)
        if dashes is None or number in inside or not number:
            continue
        wide, head = (len(each.strip().strip("|").split("|")) for each in (line, lines[number - 1]))
        what = f"no table by Markdown's rules: {wide} columns under a head of {head}"
        yield Unread(Place(path, number + 1), what)


def _line(element: Any) -> int:
    return int(element.sourceline or 1)


def _add(element: Any, path: Path, line: Any, tables: list[Table], unread: list[Unread]) -> None:
    rows = list(_rows(element, path, line))
    place = Place(path, line(element))
    caption = element.find("caption")
    for table, problems in as_tables(rows, place):
        text = "" if caption is None else " ".join(caption.text_content().split())
        tables.append(replace(table, caption=text))
        unread += problems


def _rows(element: Any, path: Path, line: Any) -> Iterator[GridRow]:
    """Rows with blank cells put where cells from above reach down, as LaTeX has them."""
    reaching: dict[int, int] = {}
    for row in element.iter("tr"):
        place = Place(path, line(row))
        cells: list[Cell] = []
        column = 0
        given = [cell for cell in row if cell.tag in ("td", "th")]
        for each in [*given, None]:
            while reaching.get(column, 0) > 0:
                reaching[column] -= 1
                cells.append(Cell("", place))
                column += 1
            if each is not None:
                cell = _cell(each, place)
                for inner in range(column, column + cell.columns):
                    reaching[inner] = cell.rows - 1
                cells.append(cell)
                column += cell.columns
        heading = row.getparent().tag == "thead" or (
            len(given) > 1 and all(c.tag == "th" for c in given)
        )
        if given:
            yield GridRow(tuple(cells), heading=heading)


def _cell(element: Any, place: Place) -> Cell:
    for note in element.iter("sup"):
        note.text = f"^{{{note.text_content().strip()}}}"
        del note[:]
    for end in element.iter("br"):
        end.tail = f" {end.tail or ''}"
    return Cell(
        " ".join(element.text_content().split()),
        place,
        bold=next(element.iter(*_BOLD), None) is not None,
        underline=next(element.iter(*_UNDERLINED), None) is not None,
        columns=_span(element, "colspan"),
        rows=_span(element, "rowspan"),
    )


def _span(element: Any, name: str) -> int:
    found = re.fullmatch(r"\s*(\d{1,3})\s*", element.get(name) or "1")
    return max(1, int(found[1])) if found else 1
