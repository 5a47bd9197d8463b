"""LaTeX sources as one text whose lines know their files: inputs inlined, comments blanked.

The macros that authors define are found, and put in place of their uses.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.errors import UserError
from harness.importing.model import Place, Unread

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_INPUT = re.compile(r"\\(?:input|include|subfile)\s*\{([^{}]*)\}|\\input\s+([^\s{}\\]+)")
_PACKAGES = re.compile(r"\\(?:usepackage|RequirePackage)\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
_HIDDEN = re.compile(
    r"\\begin\{(verbatim|lstlisting|comment|minted)\*?\}.*?\\end\{\1\*?\}"
    r"|\\iffalse(?![A-Za-z]).*?\\fi(?![A-Za-z])|\\end\{document\}.*",
    re.DOTALL,
)
_LISTED = re.compile(
    r"\\begin\{(?:lstlisting|minted)\*?\}\s*\[[^\]]*?\blabel\s*=\s*\{?([^{},\]\s]+)"
)


@dataclass(frozen=True)
class LatexText:
    """The whole text and, for each of its lines, where it came from."""

    text: str
    places: tuple[Place, ...]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, position: int) -> Place:
        return self.places[min(bisect_right(self._starts, position), len(self.places)) - 1]


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        UserError: it is missing, or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: cannot be read as UTF-8 text ({error}); save it as UTF-8"
        ) from None


def read_latex_text(path: Path) -> tuple[LatexText, list[Unread]]:
    """A LaTeX file with all that it inputs, and the inputs that were not found.

    Packages that stand beside it are inputs too; the others come with LaTeX.

    Raises:
        UserError: the file itself cannot be read.
    """
    unread: list[Unread] = []
    lines = _lines(path, path.parent, (), unread)
    text = "\n".join(line for line, _ in lines)
    return LatexText(_HIDDEN.sub(_blank, text), tuple(place for _, place in lines)), unread


def _blank(match: re.Match[str]) -> str:
    """Spaces, and the label that the options of a listing give it."""
    label = _LISTED.match(match[0])
    return (f"\\label{{{label[1]}}}" if label else "") + re.sub(r"[^\n]", " ", match[0])


def _lines(
    path: Path, root: Path, above: tuple[Path, ...], unread: list[Unread]
) -> list[tuple[str, Place]]:
    found: list[tuple[str, Place]] = []
    for number, raw in enumerate(read_text(path).splitlines() or [""], 1):
        place = Place(path, number)
        line = _COMMENT.sub(r"\1%", raw)
        at = 0
        for match in _INPUT.finditer(line):
            inner = _input_path(root, (match[1] or match[2] or "").strip())
            if inner is None or inner in above or inner == path:
                why = "is not there" if inner is None else "is an input of itself"
                unread.append(Unread(place, f"the input '{match[1] or match[2] or ''}' {why}"))
                continue
            found.append((line[at : match.start()], place))
            found += _lines(inner, root, (*above, path), unread)
            at = match.end()
        found.append((line[at:], place))
        for name in ",".join(_PACKAGES.findall(line)).split(","):
            style = root / f"{name.strip()}.sty"
            if style.is_file() and style not in above and style != path:
                found += _lines(style, root, (*above, path), unread)
    return found


def _input_path(root: Path, name: str) -> Path | None:
    options = (root / f"{name}.tex", root / name) if name else ()
    return next((path for path in options if path.is_file()), None)


_DEFINITION = re.compile(
    r"\\(?P<how>(?:re|provide)?newcommand|DeclareRobustCommand|DeclareMathOperator|def|gdef|"
    r"(?:New|Renew|Provide)DocumentCommand|let)(?![A-Za-z])\*?\s*"
    r"(?:\{\s*\\(?P<braced>[A-Za-z]+)\s*\}|\\(?P<bare>[A-Za-z]+))\s*"
)
_COUNT = re.compile(r"\[(?P<count>\d)\]\s*(?:\[(?P<default>[^\]]*)\])?\s*")
_PARAMETERS = re.compile(r"(?P<parameters>(?:#\d)*)\s*(?=\{)")
_XPARSE = re.compile(r"\{(?P<kinds>[\smo]*)\}\s*")
_ALIAS = re.compile(r"=?\s*(?P<other>\\[A-Za-z]+)")
DEPTH = 20
"""How deep macros may stand in each other before they count as endless."""


@dataclass(frozen=True, slots=True)
class Macro:
    name: str
    arguments: str
    """One sign an argument: `{` where it must stand, `[` where it may."""
    body: str
    default: str = ""

    def expanded(self, given: tuple[str | None, ...]) -> str:
        """The body with the arguments in their places; None for one that was left out."""
        texts = [self.default if text is None else text for text in given]
        return re.sub(
            r"#(\d)", lambda m: texts[int(m[1]) - 1] if int(m[1]) <= len(texts) else "", self.body
        )


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions in their order; what a use means is the last one before it."""

    found: tuple[tuple[int, Macro], ...]

    def at(self, position: int) -> Mapping[str, Macro]:
        return {macro.name: macro for start, macro in self.found if start < position}


def closing(text: str, start: int) -> int | None:
    """Where the brace that opens at `start` closes; None where it never does."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0 and match[0] == "}":
            return match.start()
    return None


def take_definitions(source: LatexText) -> tuple[LatexText, Definitions, list[Unread]]:
    """The text with its definitions blanked, these, and those that were not understood."""
    found: list[tuple[int, Macro]] = []
    unread: list[Unread] = []
    kept: list[str] = []
    at = 0
    for match in _DEFINITION.finditer(source.text):
        if match.start() < at:
            continue  # inside the body of another definition
        macro, end = _definition(source.text, match)
        if macro is None:
            name = match["braced"] or match["bare"]
            what = f"the definition of \\{name} is of a form that is not read"
            place = source.place(match.start())
            if place.file.suffix != ".sty":  # a style defines much that no table uses
                unread.append(Unread(place, what))
            continue
        found.append((match.start(), macro))
        blank = re.sub(r"[^\n]", " ", source.text[match.start() : end])
        kept += [source.text[at : match.start()], blank]
        at = end
    text = "".join([*kept, source.text[at:]])
    return LatexText(text, source.places), Definitions(tuple(found)), unread


def _definition(text: str, match: re.Match[str]) -> tuple[Macro | None, int]:
    name, how, at = match["braced"] or match["bare"], match["how"], match.end()
    arguments, default = "", ""
    if how == "let":
        other = _ALIAS.match(text, at)
        return (Macro(name, "", other["other"]), other.end()) if other else (None, at)
    if how in ("def", "gdef"):
        parameters = _PARAMETERS.match(text, at)
        if parameters is None:
            return None, at
        arguments, at = "{" * parameters["parameters"].count("#"), parameters.end()
    elif how.endswith("DocumentCommand"):
        kinds = _XPARSE.match(text, at)
        if kinds is None:
            return None, at
        arguments = "".join({"m": "{", "o": "["}.get(kind, "") for kind in kinds["kinds"])
        at = kinds.end()
    elif count := _COUNT.match(text, at):
        default = count["default"] or ""
        optional = count["default"] is not None
        arguments = "[" * optional + "{" * (int(count["count"]) - optional)
        at = count.end()
    if not text.startswith("{", at) or (end := closing(text, at)) is None:
        return None, at
    return Macro(name, arguments, text[at + 1 : end], default), end + 1
