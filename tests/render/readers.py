r"""Independent readers: from a render back to the rows of texts that a person would read.

Markdown is read by markdown-it (a CommonMark parser with tables); LaTeX by a small decoder that
shares nothing with the escaper; terminals by splitting at runs of spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from io import StringIO
from itertools import pairwise

from markdown_it import MarkdownIt
from rich.console import Console

_NAMED = {
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textquotedblright": "”",
    "textquotedblleft": "“",
    "ldots": "…",
    "ss": "ß",
    "S": "§",
    "P": "¶",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "ae": "æ",
    "AE": "Æ",
    "i": "ı",
}
_MATH = {
    "pm": "±",
    "times": "×",
    "div": "÷",
    "cdot": "·",
    "bullet": "•",
    "leq": "≤",
    "geq": "≥",
    "approx": "≈",
    "neq": "≠",
    "equiv": "≡",
    "sim": "∼",
    "propto": "∝",
    "rightarrow": "→",
    "leftarrow": "←",
    "leftrightarrow": "↔",
    "uparrow": "↑",
    "downarrow": "↓",
    "Rightarrow": "⇒",
    "Leftrightarrow": "⇔",
    "wedge": "∧",
    "vee": "∨",
    "circ": "∘",
    "infty": "∞",
    "surd": "√",
    "sum": "∑",
    "prod": "∏",
    "partial": "∂",
    "nabla": "∇",
    "in": "∈",
    "Vert": "∥",
    "dagger": "†",
    "ddagger": "‡",
}
_COMBINING = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "c": "\u0327",
}
_LETTERS = {"r": "✓", "d": "✗", "i": "?", "c": "≠", "n": "–", "p": "!"}
_TOKEN = re.compile(
    r"\\(?P<named>[A-Za-z]{2,}|[SPoOlLi])\{\}"
    r"|\\(?P<accent>[`'^~=.\"urHvc])\{(?P<base>.)\}"
    r"|\\(?P<escaped>[%&_#{}$])"
    r"|\$(?P<math>[^$]*)\$"
    r"|\[U\+(?P<code>[0-9A-F]{4,6})\]"
    r"|(?P<dash>---?)"
    r"|(?P<empty>\{\}|\{(?=`\})|(?<=`)\})"
    r"|(?P<tie>~)"
    r"|(?P<plain>[^\\{}$&#%~^_])"
)


def fold(text: str) -> str:
    """Texts that print alike, made equal: compatibility forms, quotes, minus signs."""
    text = unicodedata.normalize("NFKC", text)
    return text.translate(str.maketrans('−‘’"“⁄', "-`'””/"))


def as_set(text: str) -> str:
    """The text as LaTeX sets it, which has no ✓ and no ✗ and takes the nearest signs."""
    return text.translate(str.maketrans("✓✗", "√×"))


def latex_rows(source: str) -> list[list[str]]:
    """Texts of the lines of the table's body; a heading is a line of one text.

    Where columns stand in parts one below the other, each with all rows, they are put side by side.
    """
    parts = [_latex_part(each.split("\\bottomrule")[0]) for each in _latex_bodies(source)]
    assert len({tuple(row[0] for row in part) for part in parts}) == 1
    return [
        [rows[0][0], *(cell for row in rows for cell in row[1:])]
        for rows in zip(*parts, strict=True)
    ]


def _latex_bodies(source: str) -> list[str]:
    tabulars = source.split("\\begin{tabular}")[1:]
    return [each.split("\\midrule\n", 1)[1] for each in tabulars]


def _latex_part(body: str) -> list[list[str]]:
    rows = []
    for line in body.splitlines():
        if line in {"\\midrule", "\\addlinespace"}:
            continue
        assert line.endswith(" \\\\"), line
        rows.append([_latex_cell(cell) for cell in line[:-3].split(" & ")])
    return rows


def _latex_cell(source: str) -> str:
    source = re.sub(r"^\\multicolumn\{\d+\}\{@\{\}l\}\{\\textbf\{(.*)\}\}$", r"\1", source)
    below = re.match(r"(?:\\quad )*\\textit\{", source)
    source = re.sub(r"^(?:\\quad )*", "", source)
    source = re.sub(r"^\\textit\{(.*)\}$", r"\1", source) if below else source
    source = re.sub(r"\\parbox\[t\]\{[\d.]+em\}\{\\raggedright (.*)\\strut\}", r"\1", source)
    source = re.sub(r"\\phantom\{(?:\\.|\{[^{}]*\}|[^{}\\])*\}", "", source)
    source = re.sub(r"\\rlap\{(\$\^\{.*\}\$)\}", r"\1", source)
    return fold(decode(source))


def decode(source: str) -> str:
    """The text that LaTeX source prints; fails on anything that is not plain, inert text."""
    out, at = [], 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        assert match, f"LaTeX would act on {source[at:]!r}"
        out.append(_decoded(match))
        at = match.end()
    return "".join(out)


def _decoded(match: re.Match[str]) -> str:
    kind, value = match.lastgroup, match[0]
    if kind == "named":
        return _NAMED[match["named"]]
    if kind == "base":
        return unicodedata.normalize("NFC", match["base"] + _COMBINING[match["accent"]])
    if kind == "math":
        return _math(match["math"])
    if kind == "code":
        return chr(int(match["code"], 16))
    if kind == "dash":
        return "–" if value == "--" else "—"
    if kind == "tie":
        return "\xa0"
    return {"escaped": match["escaped"], "empty": "", "plain": value}[kind or ""] or ""


def _math(source: str) -> str:
    if source in {"<", ">", "|", "-", "o"}:
        return source.replace("o", "ο")
    if source == "^{\\circ}":
        return "°"
    if verdict := re.fullmatch(r"\^\{(?:\\mathrm\{(\w)\})?((?:\\d?dagger|\\S|\\P)*)\}", source):
        marks = re.findall(r"\\(\w+?)(?=\\|$)", verdict[2])
        return _LETTERS.get(verdict[1] or "", "") + "".join(
            {"S": "§", "P": "¶"}.get(mark) or _MATH[mark] for mark in marks
        )
    if script := re.fullmatch(r"[\^_]\{(.*)\}", source):
        return script[1]
    name = source.removeprefix("\\")
    if name in _MATH:
        return _MATH[name]
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {case} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")


def markdown_rows(source: str) -> list[list[str]]:
    """Texts of the body rows of the first table that a Markdown parser sees."""
    return _markdown(source, "td")


def markdown_header(source: str) -> list[str]:
    return _markdown(source, "th")[0]


def _markdown(source: str, kind: str) -> list[list[str]]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if before.type == "tr_open" and token.type == f"{kind}_open":
            rows.append([])
        if before.type == f"{kind}_open":
            children = token.children or []
            assert {child.type for child in children} <= {
                "text",
                *("strong_open", "strong_close", "em_open", "em_close"),
            }
            rows[-1].append("".join(child.content for child in children))
    return rows


def terminal_rows(source: str) -> list[list[str]]:
    """Non-empty texts of the lines between the header's rule and the last rule."""
    lines = source.splitlines()
    rules = [at for at, line in enumerate(lines) if re.fullmatch(r" ─{4,}", line)]
    body = [line for at, line in enumerate(lines) if rules[1] < at < rules[-1] and at not in rules]
    return [re.split(r"\s{2,}", line.strip()) for line in body if line.strip()]


def as_text(show: Callable[[Console], None], width: int = 100) -> str:
    """What is shown on a console without colours."""
    out = StringIO()
    show(Console(file=out, width=width, color_system=None, force_terminal=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
