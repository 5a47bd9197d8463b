"""The commands that the documentation shows, as blocks of `console`.

    ```console          is executed
    ```console parse    is only checked: that `repro` and `make` know these commands

A command begins with `$ ` and goes on in lines that begin with `> `.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
    if "build" not in path.parts
]


@dataclass(frozen=True)
class Command:
    """One command of a page."""

    page: Path
    line: int
    text: str
    executed: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def words(self) -> list[str]:
        """The first line as a shell splits it, up to where it is piped, redirected or chained."""
        lexer = shlex.shlex(self.text.splitlines()[0], posix=True, punctuation_chars="|&<>")
        lexer.whitespace_split = True
        return list(takewhile(lambda word: not set(word) <= set("|&<>"), lexer))


def commands(page: Path) -> list[Command]:
    """Every command of a page, in order."""
    found = []
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info.split()[:1] == ["console"]:
            first = (token.map or [0])[0] + 2
            for at, line in enumerate(token.content.splitlines()):
                if line.startswith("$ "):
                    executed = token.info.split() == ["console"]
                    found.append(Command(page, first + at, line[2:], executed))
                elif line.startswith("> ") or line == ">":
                    last = found.pop()
                    text = f"{last.text}\n{line[2:]}"
                    found.append(Command(last.page, last.line, text, last.executed))
    return found
