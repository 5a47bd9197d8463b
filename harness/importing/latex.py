"""Tables of LaTeX sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.importing.model import GridRow, Place, Sources, Table, Unread
from harness.importing.shape import as_tables
from harness.importing.sources import (
    Definitions,
    LatexText,
    closing,
    read_latex_text,
    take_definitions,
)
from harness.importing.typeset import Splitter, Typesetter, Unparsable

GRIDS = {
    **dict.fromkeys(("tabular", "longtable", "longtable*", "supertabular", "xtabular"), "[{"),
    **dict.fromkeys(("tabular*", "tabularx", "tabulary", "xltabular"), "{[{"),
    **dict.fromkeys(("deluxetable", "deluxetable*"), "{"),
    **dict.fromkeys(("tblr", "talltblr", "longtblr"), "[{"),
    **dict.fromkeys(("tabu", "longtabu", "NiceTabular"), "[{"),
}
_TABLES = ("table", "table*", "sidewaystable", "sidewaystable*", "wraptable", "SCtable")
_BOXES = ("subtable", "minipage", "threeparttable", "figure", "figure*")
_CAPTIONED = ("longtable", "longtable*", "deluxetable", "deluxetable*")
_FLOATS = frozenset((*_TABLES, *_BOXES, *_CAPTIONED))
_TABLE_HEAD = re.compile(r"\\tablehead\s*(?=\{)")
_DATA = re.compile(r"\\startdata(.*?)\\enddata", re.DOTALL)
_PARTIAL_RULE = re.compile(
    r"\\(?:cmidrule|cline|cdashline|SetCell|SetRow)\s*(?:\[[^\]]*\])?\s*(?:\([a-z]*\))?\s*\{[^{}]*\}"
    r"|\\[vh]rule(?![A-Za-z])(?:\s*(?:width|height|depth)\s*-?[\d.]+\s*[a-z]{2})*"
)
_REPEATED, _BESIDE = re.compile(r"\*\{(\d{1,2})\}(?=\{)"), re.compile(r"[@!><](?=\{)")
_GROUP = re.compile(r"(?=\{)")
"""What stands before a braced part of a description of columns."""
_SPAN = re.compile(r"cell\{(\d+)\}\{(\d+)\}\s*=\s*\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class _Environment:
    name: str
    start: int
    inner: int
    """Where its inside begins."""
    inner_end: int
    end: int


def read_latex(path: Path) -> Sources:
    """All tables of a LaTeX file and of the files that it inputs.

    Raises:
        UserError: the file cannot be read.
    """
    source, missing = read_latex_text(path)
    source, definitions, odd = take_definitions(source)
    unread = [*missing, *odd]
    tables: list[Table] = []
    floats = list(_environments(source.text, _FLOATS))
    grids = sorted(_outermost(_environments(source.text, frozenset(GRIDS))), key=_start)
    for grid in grids:
        found, problems = _Reader(source, definitions, grid, floats).read()
        tables += found
        unread += problems
    unread += _without_grid(source, floats, grids)
    return Sources(tuple(tables), tuple(unread))


def _start(environment: _Environment) -> int:
    return environment.start


def _environments(text: str, names: frozenset[str]) -> Iterator[_Environment]:
    """All environments of these names, the inner before the outer."""
    opened: list[tuple[str, int, int]] = []
    for match in re.finditer(r"\\(begin|end)\s*\{\s*([A-Za-z]+\*?)\s*\}", text):
        name = match[2]
        if name not in names:
            continue
        if match[1] == "begin":
            opened.append((name, match.start(), match.end()))
        elif any(name == other for other, _, _ in opened):
            while (last := opened.pop())[0] != name:
                pass
            yield _Environment(name, last[1], last[2], match.start(), match.end())


def _outermost(found: Iterator[_Environment]) -> list[_Environment]:
    every = list(found)
    return [e for e in every if not any(o.start < e.start and e.end < o.end for o in every)]


def _without_grid(
    source: LatexText, floats: list[_Environment], grids: list[_Environment]
) -> Iterator[Unread]:
    """Tables that hold nothing this module reads."""
    for table in sorted(floats, key=_start):
        inside = any(table.start <= grid.start < table.end for grid in grids)
        if not inside and table.name in _TABLES:
            yield Unread(source.place(table.start), f"this {table.name} holds no tabular")


@dataclass
class _Reader:
    """Reads one tabular."""

    source: LatexText
    definitions: Definitions
    grid: _Environment
    floats: list[_Environment]
    unread: list[Unread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.setter = Typesetter(self.definitions.at(self.grid.inner_end))
        self.place = self.source.place(self.grid.start)

    def read(self) -> tuple[list[Table], list[Unread]]:
        arguments, start = self._arguments()
        if arguments is None:
            self._missed(self.place, f"the columns of this {self.grid.name} cannot be read")
            return [], self.unread
        rows = _spanned(self._rows(start), arguments[-1])
        counted = self.grid.name.startswith(("tabular", "longtable"))
        width = _count_columns(arguments[-1]) if counted else None
        if width is not None:
            rows = [row for row in rows if self._fits(row, width)]
        caption, label = self._caption(), self._label()
        tables = []
        for table, problems in as_tables(rows, self.place):
            tables.append(replace(table, caption=caption, label=label))
            self.unread += problems
        if not tables:
            self._missed(self.place, f"this {self.grid.name} has no rows under its headings")
        return tables, self.unread

    def _missed(self, place: Place, what: str) -> None:
        self.unread.append(Unread(place, what))

    def _arguments(self) -> tuple[list[str] | None, int]:
        """The arguments of the environment, the last of which describes the columns."""
        text, at = self.source.text, self.grid.inner
        found = []
        for sign in GRIDS[self.grid.name]:
            at += len(text[at:]) - len(text[at:].lstrip(" \t\n%"))
            if sign == "[" and text.startswith("[", at):
                at = _closing_bracket(text, at) + 1
            elif sign == "{":
                end = closing(text, at) if text.startswith("{", at) else None
                if end is None or end > self.grid.inner_end:
                    return None, at
                found.append(text[at + 1 : end])
                at = end + 1
        return found, at

    def _rows(self, start: int) -> list[GridRow]:
        text, end = self.source.text, self.grid.inner_end
        head, data = _TABLE_HEAD.search(text, start, end), _DATA.search(text, start, end)
        if not self.grid.name.startswith("deluxetable") or data is None:
            return self._split(start, end)
        rows: list[GridRow] = []
        if head is not None and (last := closing(text, head.end())) is not None:
            rows = [replace(row, heading=True) for row in self._split(head.end() + 1, last)]
        under = self._split(data.start(1), data.end(1))
        return [*rows, *(replace(row, ruled=row.ruled or not i) for i, row in enumerate(under))]

    def _split(self, start: int, end: int) -> list[GridRow]:
        """The rows between two positions of the text."""
        text = _PARTIAL_RULE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), self.source.text[start:end])
        splitter = Splitter(self.setter)
        try:
            for node, position in self.setter.expanded(self.setter.nodes(text)):
                splitter.take(node, self.source.place(start + (position or 0)))
            rows = splitter.done()
        except Unparsable as error:
            place = self.source.place(start + error.position)
            self._missed(
                place, f"a brace, dollar or environment of this {self.grid.name} does not close"
            )
            return []
        for place in splitter.broken:
            self._missed(
                place, "this row has a column sign inside maths or braces, which do not close"
            )
        return rows

    def _fits(self, row: GridRow, width: int) -> bool:
        cells = sum(cell.columns for cell in row.cells)
        if cells <= width or not any(cell.text for cell in row.cells[width:]):
            return True
        first, last = (self.source.places.index(row.cells[n].place) for n in (0, -1))
        lines = self.source.text.splitlines()[first : last + 1]
        hint = "; a % there begins a comment, \\% prints one"
        hint = hint if any(re.search(r"[^\s\\{}&]%$", line) for line in lines) else ""
        self._missed(row.cells[0].place, f"this row has {cells} cells in {width} columns{hint}")
        return False

    def _around(self) -> list[_Environment]:
        """The environments around the tabular, from the innermost."""
        around = [e for e in self.floats if e.start <= self.grid.start and self.grid.end <= e.end]
        return sorted(around, key=lambda e: e.end - e.start)

    def _caption(self) -> str:
        pattern = re.compile(
            r"\\(?:tablecaption|caption(?:of\s*\{table\})?)\*?\s*(?:\[[^\]]*\])?\s*(?=\{)"
        )
        for around in self._around():
            found = pattern.search(self.source.text, around.inner, around.inner_end)
            if found is None:
                continue
            end = closing(self.source.text, found.end())
            if end is None or end > around.inner_end:
                self._missed(self.source.place(found.start()), "the caption's braces do not close")
                return ""
            return self._plain(found.end() + 1, end)
        return self._option("caption")

    def _plain(self, start: int, end: int) -> str:
        try:
            nodes = self.setter.nodes(self.source.text[start:end])
            return self.setter.print(nodes).text.replace("\u2009", " ")
        except Unparsable as error:
            self._missed(self.source.place(start + error.position), "this caption cannot be read")
            return ""

    def _option(self, name: str) -> str:
        """A caption or label among the options of a tabularray table."""
        given = re.compile(rf"\b{name}\s*=\s*(?=\{{)").search(
            self.source.text, self.grid.inner, self.grid.inner_end
        )
        end = closing(self.source.text, given.end()) if given else None
        if not self.grid.name.endswith("tblr") or given is None or end is None:
            return ""
        return self._plain(given.end() + 1, end)

    def _label(self) -> str:
        for around in self._around():
            text = self.source.text[around.inner : around.inner_end]
            if found := re.search(r"\\label\s*\{([^{}]*)\}", text):
                return found[1].strip()
        return self._option("label")


def _spanned(rows: list[GridRow], columns: str) -> list[GridRow]:
    """Spans that tabularray states beside the columns, as `cell{1}{2} = {c=3}`."""
    for row, column, how in _SPAN.findall(columns):
        i, j = int(row) - 1, int(column) - 1
        if i >= len(rows) or j >= len(rows[i].cells):
            continue
        sizes = dict(re.findall(r"([rc])\s*=\s*(\d+)", how))
        cells = list(rows[i].cells)
        wide = int(sizes.get("c", 1))
        cells[j : j + wide] = [replace(cells[j], columns=wide, rows=int(sizes.get("r", 1)))]
        rows[i] = replace(rows[i], cells=tuple(cells))
    return rows


def _closing_bracket(text: str, start: int) -> int:
    """Where an optional argument ends; brackets inside braces do not count."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if text[at] == "]" and not depth:
            return at
    return start


def _count_columns(columns: str) -> int | None:
    """How many columns a description such as `l*{3}{c}|S[table-format=2.1]` has."""
    text = re.sub(r"%[^\n]*|\s", "", columns)
    for pattern in (_REPEATED, _BESIDE, _GROUP):
        if pattern is _GROUP:
            text = re.sub(r"\[[^\]]*\]", "", text)
        while found := pattern.search(text):
            end = closing(text, found.end())
            if end is None:
                return None
            times = int(found[1]) if pattern.groups else 0
            inner = text[found.end() + 1 : end] * times
            text = text[: found.start()] + inner + text[end + 1 :]
    return len(re.findall(r"[A-Za-z]", text))
