"""The little markup that captions come with: `**bold**`, `*italic*`, and `$symbols$`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from harness.render.formula import as_signs
from harness.render.text import plain

# A piece ends at the next sign of its own kind, so that text full of such signs is read in a time
# that grows as it does.
_STYLED = re.compile(
    r"\*\*(?=\S)(?P<bold>(?:[^*]|\*(?!\*))+)(?<=\S)\*\*|\*(?=[^\s*])(?P<italic>[^*]+)(?<=\S)\*"
)
_SIGNED = re.compile(r"(?<=[A-Za-z])\^([-+])(?!\w)")
_ABOUT = re.compile(r"~(?= ?\d)")


class StyledText(NamedTuple):
    """Text in one style."""

    text: str
    style: Literal["", "bold", "italic"] = ""


def spelt(text: str) -> str:
    """Text with its formulas and symbols in plain signs."""
    raised = _SIGNED.sub(lambda match: "⁻⁺"[match[1] == "+"], text)
    return _ABOUT.sub("∼", as_signs(raised))


def named(text: str) -> str:
    """A label on one line, with its formulas in plain signs."""
    return as_signs(plain(text))


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
