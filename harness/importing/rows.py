"""The rows and cells of one LaTeX table, from its parsed text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from pylatexenc.latexwalker import LatexGroupNode, LatexMathNode

from harness.importing.grid import Cell, GridRow
from harness.importing.model import Place
from harness.importing.typeset import Typesetter, arguments_of

_FULL_RULES = frozenset(
    ("toprule", "midrule", "bottomrule", "hline", "Xhline", "specialrule", "hhline")
)
_ROW_ENDS = frozenset(("\\", "tabularnewline", "cr"))
_PARTS = frozenset(("endfirsthead", "endhead", "endfoot", "endlastfoot"))
_SPANS = frozenset(("multicolumn", "multirow"))


@dataclass
class Splitter:
    """Takes nodes one by one and makes rows of cells."""

    setter: Typesetter
    rows: list[GridRow] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    place: Place | None = None
    last: Place | None = None
    ruled: bool = False
    broken: list[Place] = field(default_factory=list)
    breaks: bool = False
    """Whether the present row is broken."""

    def take(self, node: Any, place: Place) -> None:
        self.last = place
        if _holds_column_sign(node) and not self.breaks:
            self.breaks = True
            self.broken.append(place)
        name = getattr(node, "macroname", None)
        if getattr(node, "specials_chars", None) == "&":
            self._end_cell()
        elif name in _ROW_ENDS:
            self._end_row()
        elif name in _FULL_RULES and not self.cells and not self._blank():
            self._end_row()
            self.ruled = True
        elif name in _FULL_RULES:
            self.ruled = True
        elif name in _PARTS:
            self._part(name)
        else:
            if self.place is None and node.latex_verbatim().strip():
                self.place = place
            self.nodes.append(node)

    def done(self) -> list[GridRow]:
        if self.cells or self._blank():
            self._end_row()
        return self.rows

    def _blank(self) -> bool:
        return any(node.latex_verbatim().strip(" \t\n%") for node in self.nodes)

    def _part(self, name: str) -> None:
        """Long tables give their head and foot more than once; the first head is kept."""
        if name == "endfirsthead":
            self.rows = [replace(row, heading=True) for row in self.rows]
        else:
            kept = [row for row in self.rows if row.heading]
            self.rows = kept or (
                [replace(row, heading=True) for row in self.rows] if name == "endhead" else []
            )
        self.ruled = True

    def _end_cell(self) -> None:
        assert self.last is not None  # something was taken
        self.cells.append(_cell(self.setter, self.nodes, self.place or self.last))
        self.nodes, self.place = [], None

    def _end_row(self) -> None:
        self._end_cell()
        if any(cell.text for cell in self.cells) and not self.breaks:
            self.rows.append(GridRow(tuple(self.cells), ruled=self.ruled))
            self.ruled = False
        self.cells, self.breaks = [], False


def _holds_column_sign(node: Any) -> bool:
    """Whether `&` stands in maths or in a group, or a row's end in maths, where none can end."""
    if not isinstance(node, LatexMathNode | LatexGroupNode):
        return False
    ends = _ROW_ENDS if isinstance(node, LatexMathNode) else frozenset()
    return any(
        getattr(each, "specials_chars", None) == "&" or getattr(each, "macroname", None) in ends
        for each in node.nodelist
    )


def _cell(setter: Typesetter, nodes: list[Any], place: Place) -> Cell:
    columns, rows = 1, 1
    for _ in range(2):
        span = next((n for n in nodes if getattr(n, "macroname", "") in _SPANS), None)
        if span is None:
            break
        needed = [arg for arg in arguments_of(span) if arg is not None]
        needed = [arg for arg in needed if getattr(arg, "delimiters", ("",))[0] != "["]
        if len(needed) < 3:
            break
        count = re.search(r"-?\d{1,3}(?!\d)", needed[0].latex_verbatim())
        if span.macroname == "multicolumn":
            columns = int(count[0]) if count else 1
        else:
            rows = int(count[0]) if count else 1
        at = nodes.index(span)
        inner = getattr(needed[-1], "nodelist", [needed[-1]])
        nodes = [*nodes[:at], *(n for n, _ in setter.expanded(inner)), *nodes[at + 1 :]]
    printed = setter.print(nodes)
    return Cell(
        printed.text, place, printed.bold, printed.underline, max(1, columns), rows, printed.unknown
    )
