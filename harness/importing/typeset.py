"""LaTeX to the plain text that it prints, with what is bold and underlined, and rows of tables.

Parsed by pylatexenc, whose table of symbols is used too. A macro that is neither known nor
defined by the authors stays in the text as it is written, and is named in `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from pylatexenc.latex2text import LatexNodes2Text, get_default_latex_context_db
from pylatexenc.latexwalker import (
    LatexCharsNode,
    LatexCommentNode,
    LatexEnvironmentNode,
    LatexGroupNode,
    LatexMacroNode,
    LatexMathNode,
    LatexSpecialsNode,
    LatexWalker,
    LatexWalkerParseError,
)
from pylatexenc.latexwalker import get_default_latex_context_db as walker_context
from pylatexenc.macrospec import MacroSpec

from harness.importing.known import (
    BOLD,
    DINGBATS,
    DROPPED,
    KEPT,
    QUANTITIES,
    RAISED,
    SIGNS,
    SWITCHES,
    TAKEN,
    UNDERLINED,
    UNITS,
)
from harness.importing.model import Cell, GridRow, Place
from harness.importing.sources import DEPTH, Macro


class Unparsable(ValueError):
    """LaTeX whose braces, dollars or environments do not close."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass(frozen=True, slots=True)
class Typeset:
    text: str
    bold: bool
    underline: bool
    unknown: tuple[str, ...]
    """Macros of which nobody knows what they print."""


@dataclass(frozen=True, slots=True)
class _Style:
    """How text is set at some place, and how deep in macros that place is."""

    bold: bool = False
    underline: bool = False
    units: bool = False
    """Whether names of units are known."""
    depth: int = 0


@dataclass
class _Run:
    """What was printed so far."""

    parts: list[tuple[str, _Style]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def put(self, text: str, style: _Style) -> None:
        if text:
            self.parts.append((text, style))

    @property
    def raising(self) -> bool:
        """Whether the last sign raises or lowers what follows."""
        return bool(self.parts) and self.parts[-1][0].endswith(("^", "_"))


class Typesetter:
    """Prints LaTeX under the authors' macros."""

    def __init__(self, macros: Mapping[str, Macro]) -> None:
        self.macros = macros
        self._context = _context()
        self._context.add_context_category(
            "authors", [MacroSpec(m.name, m.arguments) for m in macros.values()], prepend=True
        )

    def nodes(self, text: str) -> list[Any]:
        """The parsed text.

        Raises:
            Unparsable: braces, dollars or environments do not close.
        """
        # The parser refuses a text that ends where `\\` might still have an argument.
        text += "{}"
        walker = LatexWalker(text, latex_context=self._context, tolerant_parsing=False)
        try:
            nodes, start, length = walker.get_latex_nodes()
        except LatexWalkerParseError as error:
            # What was opened last says more than where the text ended.
            opened = error.open_contexts[-1][1] if error.open_contexts else error.pos
            raise Unparsable(opened or 0) from None
        if start + length < len(text):
            raise Unparsable(start + length)
        return [node for node in nodes if node is not None]

    def expanded(self, nodes: Iterable[Any], depth: int = 0) -> Iterator[tuple[Any, int | None]]:
        """Nodes with the authors' macros in place, each with the position of what it came from."""
        for node in nodes:
            if isinstance(node, LatexMacroNode) and node.macroname in self.macros and depth < DEPTH:
                for inner, _ in self.expanded(self.nodes(self._body(node)), depth + 1):
                    yield inner, node.pos
            else:
                text = node.latex_verbatim()
                yield node, node.pos + len(text) - len(text.lstrip())

    def print(self, nodes: Iterable[Any]) -> Typeset:
        run = _Run()
        self._print(nodes, run, _Style())
        text = re.sub(r"[ \t\n]+", " ", "".join(part for part, _ in run.parts)).strip()
        text = re.sub(r" ?_\{ ?±\s?([^{}]*)\}", r" ± \1", text)
        digits = [style for part, style in run.parts if re.search(r"\d", part)]
        shown = digits or [style for part, style in run.parts if part.strip()]
        return Typeset(
            text,
            any(style.bold for style in shown),
            any(style.underline for style in shown),
            tuple(dict.fromkeys(run.unknown)),
        )

    def _body(self, node: LatexMacroNode) -> str:
        macro = self.macros[node.macroname]
        given = [None if arg is None else _inside(arg) for arg in arguments_of(node)]
        body = macro.expanded(tuple(given))
        # Tables set text, not maths, so the other branch of the test holds.
        body = re.sub(r"\\ifmmode(.*?)\\else(.*?)\\fi(?![A-Za-z])", r"\2", body, flags=re.DOTALL)
        return body + (node.macro_post_space or "")

    def _print(self, nodes: Iterable[Any], run: _Run, style: _Style) -> None:
        for node in nodes:
            if isinstance(node, LatexMacroNode):
                if node.macroname in ("bfseries", "bf", "normalfont", "mdseries"):
                    style = replace(style, bold=node.macroname in ("bfseries", "bf"))
                else:
                    self._macro(node, run, style)
            elif isinstance(node, LatexGroupNode) and (run.raising or node.delimiters[0] == "{"):
                self._grouped(node.nodelist, run, style)
            elif isinstance(node, LatexGroupNode):
                run.put(node.delimiters[0], style)
                self._print(node.nodelist, run, style)
                run.put(node.delimiters[1], style)
            elif isinstance(node, LatexMathNode | LatexEnvironmentNode):
                self._print(node.nodelist, run, style)
            elif isinstance(node, LatexCharsNode):
                run.put(node.chars, style)
            elif isinstance(node, LatexSpecialsNode):
                run.put(_special(node), style)
            else:
                assert isinstance(node, LatexCommentNode)

    def _grouped(self, nodes: Iterable[Any], run: _Run, style: _Style) -> None:
        """A group keeps its braces where it is raised or lowered."""
        raising = run.raising
        run.put("{" * raising, style)
        self._print(nodes, run, style)
        run.put("}" * raising, style)

    def _macro(self, node: LatexMacroNode, run: _Run, style: _Style) -> None:
        name = node.macroname
        if name in self.macros:
            if style.depth >= DEPTH:
                run.unknown.append(f"\\{name}")
            else:
                deeper = replace(style, depth=style.depth + 1)
                self._grouped(self.nodes(self._body(node)), run, deeper)
            return
        if name in DROPPED or name in SWITCHES:
            return
        arguments = [arg for arg in arguments_of(node) if arg is not None]
        units = style.units and UNITS.get(name)
        if units or name in SIGNS:
            run.put(units or SIGNS[name], style)
        elif name == "ding" and arguments and _inside(arguments[0]) in DINGBATS:
            run.put(DINGBATS[_inside(arguments[0])], style)
        elif name in RAISED:
            run.put(RAISED[name], style)
            self._print(arguments[-1:], run, style)
        elif name in QUANTITIES:
            needed = [arg for arg in arguments if _delimiter(arg) != "["]
            self._print(needed[:1], run, style)
            run.put(" ", style)
            self._print(needed[1:], run, replace(style, units=True))
        elif name in BOLD | UNDERLINED | KEPT.keys():
            inner = replace(
                style,
                bold=style.bold or name in BOLD,
                underline=style.underline or name in UNDERLINED,
                units=name in ("si", "unit"),
            )
            self._print(arguments[-1:], run, inner)
        else:
            self._symbol(node, run, style)

    def _symbol(self, node: LatexMacroNode, run: _Run, style: _Style) -> None:
        if node.macroname in _symbols():
            text = LatexNodes2Text(math_mode="text").nodelist_to_text([node])
            space = " " if node.macro_post_space else ""
            run.put(f"{{{text}}}" if run.raising else f"{text}{space}", style)
            return
        run.unknown.append(f"\\{node.macroname}")
        run.put(f"\\{node.macroname}{node.macro_post_space or ''}", style)


def _context() -> Any:
    """What each known macro takes."""
    context = walker_context()
    specs = [MacroSpec(name, arguments) for name, arguments in TAKEN.items()]
    context.add_context_category("tables", specs, prepend=True)
    return context


@cache
def _symbols() -> frozenset[str]:
    specs = get_default_latex_context_db().iter_macro_specs()
    return frozenset(spec.macroname for spec in specs)


def _special(node: LatexSpecialsNode) -> str:
    signs = {"~": " ", "&": " ", "--": "–", "---": "—", "``": "“", "''": "”"}
    return signs.get(node.specials_chars, str(node.specials_chars))


def arguments_of(node: LatexMacroNode) -> list[Any]:
    """The parsed arguments of a macro; None for one that was left out."""
    return list(node.nodeargd.argnlist or ()) if node.nodeargd is not None else []


def _delimiter(node: Any) -> str:
    return str(node.delimiters[0]) if isinstance(node, LatexGroupNode) else ""


def _inside(node: Any) -> str:
    """An argument's text without its braces."""
    text = str(node.latex_verbatim())
    return text[1:-1] if isinstance(node, LatexGroupNode) else text


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
