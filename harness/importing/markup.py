"""Tables of HTML and of Markdown, whose tables are HTML once markdown-it has read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag
from markdown_it import MarkdownIt

from harness.importing.grid import Cell, GridRow
from harness.importing.latex import read_latex
from harness.importing.model import Place, Sources, Table, Unread
from harness.importing.shape import as_tables
from harness.importing.sources import read_text

_BOLD = ("b", "strong")
_UNDERLINED = ("u", "ins")


def read_html(path: Path) -> Sources:
    """All tables of an HTML file.

    Raises:
        UserError: the file cannot be read.
    """
    tables, unread = list[Table](), list[Unread]()
    soup = BeautifulSoup(read_text(path), "html.parser")
    for element in soup.find_all("table"):
        if element.find("table") is not None:
            unread.append(Unread(Place(path, _line(element)), "a table inside a table is not read"))
        elif element.find_parent("table") is None:
            _add(element, path, _line, tables, unread)
    return Sources(tuple(tables), tuple(unread))


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
        html = markdown.renderer.render(tokens[index : end + 1], markdown.options, {})
        first, last = token.map
        inside |= set(range(first, last))
        element = BeautifulSoup(html, "html.parser").find("table")
        assert isinstance(element, Tag)  # it was just rendered
        rows = {id(row): n for n, row in enumerate(element.find_all("tr"))}

        def line(row: Any, rows: dict[int, int] = rows, first: int = first) -> int:
            number = rows.get(id(row), 0)
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


def _add(element: Tag, path: Path, line: Any, tables: list[Table], unread: list[Unread]) -> None:
    rows = list(_rows(element, path, line))
    place = Place(path, line(element))
    caption = element.find("caption")
    for table, problems in as_tables(rows, place):
        text = " ".join(caption.get_text().split()) if caption else ""
        tables.append(replace(table, caption=text))
        unread += problems


def _rows(element: Tag, path: Path, line: Any) -> Iterator[GridRow]:
    """Rows with blank cells put where cells from above reach down, as LaTeX has them."""
    reaching: dict[int, int] = {}
    for row in element.find_all("tr"):
        place = Place(path, line(row))
        cells: list[Cell] = []
        column = 0
        given = row.find_all(["td", "th"], recursive=False)
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
        heading = row.find_parent("thead") is not None or all(c.name == "th" for c in given)
        if given:
            yield GridRow(tuple(cells), heading=heading)


def _cell(element: Tag, place: Place) -> Cell:
    for note in element.find_all("sup"):
        note.replace_with(f"^{{{note.get_text().strip()}}}")
    text = " ".join(element.get_text(" " if element.find("br") else "").split())
    return Cell(
        text,
        place,
        bold=element.find(_BOLD) is not None,
        underline=element.find(_UNDERLINED) is not None,
        columns=_span(element, "colspan"),
        rows=_span(element, "rowspan"),
    )


def _span(element: Tag, name: str) -> int:
    found = re.fullmatch(r"\s*(\d{1,4})\s*", str(element.get(name, "1")))
    return max(1, int(found[1])) if found else 1
