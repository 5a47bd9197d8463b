"""The little markup that captions come with: `**bold**`, `*italic*`, and `$symbols$`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from harness.render.tex import MATH

# A piece ends at the next sign of its own kind, so that text full of such signs is read in a time
# that grows as it does.
_STYLED = re.compile(
    r"\*\*(?=\S)(?P<bold>(?:[^*]|\*(?!\*))+)(?<=\S)\*\*|\*(?=[^\s*])(?P<italic>[^*]+)(?<=\S)\*"
)
_FORMULA = re.compile(r"\$(?=\S)((?:[^$\\{}^_]|\\[A-Za-z]+(?![A-Za-z]))+)(?<=\S)\$(?!\d)")
_SIGNED = re.compile(r"(?<=[A-Za-z])\^([-+])(?!\w)")
_ABOUT = re.compile(r"~(?= ?\d)")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_SYMBOLS = {source.removeprefix("\\"): char for char, source in MATH.items() if source[0] == "\\"}


class StyledText(NamedTuple):
    """Text in one style."""

    text: str
    style: Literal["", "bold", "italic"] = ""


def spelt(text: str) -> str:
    """Text with its symbols as characters: formulas of mere symbols and numbers lose their `$`."""
    raised = _SIGNED.sub(lambda match: "⁻⁺"[match[1] == "+"], text)
    return _ABOUT.sub("∼", _FORMULA.sub(_spelt, raised))


def runs(text: str) -> Iterator[StyledText]:
    """The text in pieces of one style, spelt out."""
    text = spelt(text)
    at = 0
    for match in _STYLED.finditer(text):
        if at < match.start():
            yield StyledText(text[at : match.start()])
        bold, italic = match.groups()
        yield StyledText(bold, "bold") if bold else StyledText(italic, "italic")
        at = match.end()
    if at < len(text):
        yield StyledText(text[at:])


def captioned(title: str, caption: str) -> str:
    """The caption under its title, unless it begins with a bold heading of its own."""
    if next(runs(caption), StyledText("")).style == "bold":
        return caption
    stop = "" if title.endswith((".", "?", "!")) else "."
    return f"**{title}{stop}** {caption}".rstrip() if title else caption


def _spelt(formula: re.Match[str]) -> str:
    if not set(_COMMAND.findall(formula[1])) <= set(_SYMBOLS):
        return formula[0]
    return _COMMAND.sub(lambda command: _SYMBOLS[command[1]], formula[1])
