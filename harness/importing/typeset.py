"""LaTeX to the plain text that it prints, with what is bold and underlined.

Parsed by pylatexenc, whose table of symbols is used too. A macro that is neither known nor
defined by the authors stays in the text as it is written, and is named in `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
)
from pylatexenc.latexwalker import get_default_latex_context_db as walker_context
from pylatexenc.macrospec import MacroSpec

from harness.importing.macros import DEPTH, Macro

_CITE = "cite citep citet citealp citealt citeauthor citeyear parencite textcite autocite footcite"
_DROPPED = {
    **dict.fromkeys("color rowcolor cellcolor".split(), "[{"),
    **dict.fromkeys("vspace hspace".split(), "*{"),
    **dict.fromkeys("label index phantom hphantom vphantom arrayrulecolor noalign".split(), "{"),
    **dict.fromkeys("ref eqref autoref cref Cref pageref".split(), "*{"),
    **dict.fromkeys(_CITE.split(), "*[[{"),
    **dict.fromkeys("setlength addtolength rowcolors renewcommand".split(), "{{"),
    **dict.fromkeys("footnote thanks".split(), "[{"),
    **dict.fromkeys("specialrule".split(), "{{{"),
    **dict.fromkeys("hhline Xhline cline cdashline thickhline".split(), "{"),
    **dict.fromkeys("toprule midrule bottomrule hline addlinespace morecmidrules".split(), "["),
    **dict.fromkeys("tabularnewline".split(), "["),
    "rule": "[{{",
    "cmidrule": "[{",
    "todo": "[{",
    "extracolsep": "{",
}
_SWITCHES = frozenset(
    "tiny scriptsize footnotesize small normalsize large Large centering raggedright raggedleft "
    "itshape it em rmfamily sffamily ttfamily scshape sc sl rm displaystyle textstyle scriptstyle "
    "boldmath arraybackslash strut hfill hfil null relax leavevmode noindent xspace left right "
    "big Big bigl bigr Bigl Bigr nobreak unboldmath protect endhead endfirsthead endfoot "
    "endlastfoot cr ignorespaces unskip limits nolimits par".split()
)
_KEPT = {
    **dict.fromkeys(
        "textit emph textsc textrm textsf texttt textnormal textmd textup textsl mathrm mathit "
        "mathsf mathcal mathtt mathbb mathfrak text mbox hbox ensuremath fbox hl overline bar hat "
        "tilde widehat vec colhead smash operatorname".split(),
        "{",
    ),
    **dict.fromkeys("num tablenum si unit shortstack centered".split(), "[{"),
    **dict.fromkeys("makecell thead".split(), "*[{"),
    **dict.fromkeys("textcolor".split(), "[{{"),
    **dict.fromkeys("colorbox href scalebox adjustbox".split(), "{{"),
    **dict.fromkeys("fcolorbox resizebox".split(), "*{{{"),
    **dict.fromkeys("makebox parbox".split(), "[[{{"),
    "rotatebox": "[{{",
    "raisebox": "{[[{",
    "multicolumn": "{{{",
    "multirow": "[{[{[{",
    "SetCell": "[{",
}
_BOLD = frozenset("textbf mathbf boldsymbol bm pmb".split())
_UNDERLINED = frozenset("underline uline ul".split())
_RAISED = {
    "textsuperscript": "^",
    "sym": "^",
    "tnote": "^",
    "tablenotemark": "^",
    "textsubscript": "_",
}
_QUANTITIES = frozenset("SI qty".split())
_SIGNS = {
    ",": "\u2009",
    "thinspace": "\u2009",
    ";": " ",
    ":": " ",
    "!": "",
    " ": " ",
    "\n": " ",
    "/": "",
    "-": "",
    "\\": " ",
    "quad": " ",
    "qquad": " ",
    "enspace": " ",
    "percent": "%",
    "land": "∧",
    "lor": "∨",
    "iff": " ⇔ ",
    "implies": " ⇒ ",
    "ll": "≪",
    "gg": "≫",
    "cmark": "✓",
    "xmark": "✗",
    "checkmark": "✓",
}


@dataclass(frozen=True, slots=True)
class Typeset:
    text: str
    bold: bool
    underline: bool
    unknown: tuple[str, ...]
    """Macros of which nobody knows what they print."""


@dataclass
class _Run:
    """What was printed so far."""

    parts: list[tuple[str, bool, bool]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def put(self, text: str, bold: bool, underline: bool) -> None:
        self.parts.append((text, bold, underline))

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
        """The parsed text; wrong nesting is read as far as it goes."""
        walker = LatexWalker(text, latex_context=self._context, tolerant_parsing=True)
        return [node for node in walker.get_latex_nodes()[0] if node is not None]

    def expanded(self, nodes: Iterable[Any], depth: int = 0) -> Iterator[tuple[Any, int | None]]:
        """Nodes with the authors' macros in place, each with the position of what it came from."""
        for node in nodes:
            if isinstance(node, LatexMacroNode) and self._own(node) and depth < DEPTH:
                for inner, _ in self.expanded(self.nodes(self._body(node)), depth + 1):
                    yield inner, node.pos
            else:
                yield node, node.pos

    def print(self, nodes: Iterable[Any]) -> Typeset:
        run = _Run()
        self._print(nodes, run, False, False, 0)
        text = re.sub(r"[ \t\n]+", " ", "".join(part for part, _, _ in run.parts)).strip()
        text = re.sub(r" ?_\{ ?±\s?([^{}]*)\}", r" ± \1", text)
        digits = [part for part in run.parts if re.search(r"\d", part[0])]
        shown = digits or [part for part in run.parts if part[0].strip()]
        return Typeset(
            text,
            any(bold for _, bold, _ in shown),
            any(underline for _, _, underline in shown),
            tuple(dict.fromkeys(run.unknown)),
        )

    def _own(self, node: LatexMacroNode) -> bool:
        return node.macroname in self.macros

    def _body(self, node: LatexMacroNode) -> str:
        macro = self.macros[node.macroname]
        given = [None if arg is None else _inside(arg) for arg in _arguments(node)]
        body = macro.expanded(tuple(given))
        # Tables set text, not maths, so the other branch of the test holds.
        body = re.sub(r"\\ifmmode(.*?)\\else(.*?)\\fi(?![A-Za-z])", r"\2", body, flags=re.DOTALL)
        return body + (node.macro_post_space or "")

    def _print(self, nodes: Iterable[Any], run: _Run, bold: bool, under: bool, depth: int) -> None:
        for node in nodes:
            if isinstance(node, LatexMacroNode):
                name = node.macroname
                if name in ("bfseries", "bf"):
                    bold = True
                elif name in ("normalfont", "mdseries"):
                    bold = False
                else:
                    self._macro(node, run, bold, under, depth)
            elif isinstance(node, LatexGroupNode):
                inner = node.nodelist
                if run.raising:
                    run.put("{", bold, under)
                    self._print(inner, run, bold, under, depth)
                    run.put("}", bold, under)
                else:
                    brackets = node.delimiters if node.delimiters[0] == "[" else ("", "")
                    run.put(brackets[0], bold, under)
                    self._print(inner, run, bold, under, depth)
                    run.put(brackets[1], bold, under)
            elif isinstance(node, LatexMathNode | LatexEnvironmentNode):
                self._print(node.nodelist, run, bold, under, depth)
            elif isinstance(node, LatexCharsNode):
                run.put(node.chars, bold, under)
            elif isinstance(node, LatexSpecialsNode):
                run.put(_special(node), bold, under)
            else:
                assert isinstance(node, LatexCommentNode)

    def _macro(self, node: LatexMacroNode, run: _Run, bold: bool, under: bool, depth: int) -> None:
        name = node.macroname
        if self._own(node):
            if depth >= DEPTH:
                run.unknown.append(f"\\{name}")
                return
            raising = run.raising
            run.put("{" * raising, bold, under)
            self._print(self.nodes(self._body(node)), run, bold, under, depth + 1)
            run.put("}" * raising, bold, under)
            return
        if name in _DROPPED and name != "todo" or name in _SWITCHES:
            return
        arguments = [arg for arg in _arguments(node) if arg is not None]
        if name in _SIGNS:
            run.put(_SIGNS[name], bold, under)
        elif name in _RAISED:
            run.put(_RAISED[name], bold, under)
            self._print(arguments[-1:], run, bold, under, depth)
        elif name == "footnotemark":
            run.put("^", bold, under)
            self._print(arguments[-1:], run, bold, under, depth)
        elif name in _QUANTITIES:
            needed = [arg for arg in arguments if _delimiter(arg) != "["]
            self._print(needed[:1], run, bold, under, depth)
            run.put(" ", bold, under)
            self._print(needed[1:], run, bold, under, depth)
        elif name in _BOLD | _UNDERLINED | set(_KEPT):
            self._print(arguments[-1:], run, bold or name in _BOLD, under or name in _UNDERLINED, depth)
        else:
            self._symbol(node, run, bold, under)

    def _symbol(self, node: LatexMacroNode, run: _Run, bold: bool, under: bool) -> None:
        if node.macroname in _symbols() and node.macroname != "todo":
            text = LatexNodes2Text(math_mode="text").nodelist_to_text([node])
            space = " " if node.macro_post_space else ""
            run.put(f"{{{text}}}" if run.raising else f"{text}{space}", bold, under)
            return
        run.unknown.append(f"\\{node.macroname}")
        run.put(f"\\{node.macroname}{node.macro_post_space or ''}", bold, under)


def _context() -> Any:
    """What each known macro takes."""
    context = walker_context()
    takes: dict[str, str] = {**_DROPPED, **_KEPT, "footnotemark": "["}
    takes |= dict.fromkeys([*_BOLD, *_UNDERLINED, *_RAISED], "{")
    takes |= dict.fromkeys(_QUANTITIES, "[{[{") | dict.fromkeys(_SWITCHES, "")
    takes |= {"\\": "*["}
    specs = [MacroSpec(name, arguments) for name, arguments in takes.items()]
    context.add_context_category("tables", specs, prepend=True)
    return context


@cache
def _symbols() -> frozenset[str]:
    specs = get_default_latex_context_db().iter_macro_specs()
    return frozenset(spec.macroname for spec in specs)


def _special(node: LatexSpecialsNode) -> str:
    signs = {"~": " ", "&": " ", "--": "–", "---": "—", "``": "“", "''": "”"}
    return signs.get(node.specials_chars, node.specials_chars)


def _arguments(node: LatexMacroNode) -> list[Any]:
    return list(node.nodeargd.argnlist or ()) if node.nodeargd is not None else []


def _delimiter(node: Any) -> str:
    return str(node.delimiters[0]) if isinstance(node, LatexGroupNode) else ""


def _inside(node: Any) -> str:
    """An argument's text without its braces."""
    text = str(node.latex_verbatim())
    return text[1:-1] if isinstance(node, LatexGroupNode) else text
