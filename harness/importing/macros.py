"""The macros that authors define: found, and put in place of their uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.importing.model import Unread
from harness.importing.sources import LatexText

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
        kept += [source.text[at : match.start()], _blank(source.text[match.start() : end])]
        at = end
    text = "".join([*kept, source.text[at:]])
    return LatexText(text, source.places), Definitions(tuple(found)), unread


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


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
