"""Reports of the invented paper, and what a test reads of their pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from tests.toy.paper import Workplace, plotted_workplace

EVIL = (
    "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=2>"
    "{{7*7}}</title>&amp;\u202e"
)
"""What would run, break out of an attribute or a title, or be taken for a template."""
_TEXTS = ("label", "title", "caption", "section", "why", "place", "text", "where", "description")
_TEXTS += ("note", "origin", "venue", "source_", "quote", "stub", "shows")
VOID = {"meta", "link", "img", "input", "br", "wbr"}


def made_workplace(root: Path) -> Workplace:
    """Tables and plotted exhibits, made, and one alternative that changes a verdict."""
    place = plotted_workplace(root)
    inline = ("--executor", "inline")
    for arguments in (
        ("make", "verdicts", "averaged", "scatter", "law", "bound"),
        ("make", "averaged", "--vary", "assumed.truth=0.6"),
    ):
        outcome = place.repro(*arguments, *inline)
        assert outcome.code == 0, outcome.err
    return place


def poison(place: Workplace) -> None:
    """Put hostile text into every field of the specs that takes any text; no record is lost."""
    written = EVIL.replace("\\", "\\\\").replace('"', '\\"')
    pattern = re.compile(rf'^((?:{"|".join(_TEXTS)}) = "[^"]*)"$', re.MULTILINE)
    inner = re.compile(r'(label = "[^"]*)"(?= *[,}])')
    for path in sorted(place.specs.rglob("*.toml")):
        text = path.read_text(encoding="utf-8")
        # A number that is stated has to stay one.
        text = re.sub(r'^text = (?="[^"]*\d)', "text= ", text, flags=re.MULTILINE)
        text = pattern.sub(lambda match: f'{match[1]}{written}"', text)
        text = inner.sub(lambda match: f'{match[1]}{written}"', text)
        # Names of rows are part of addresses; those may hold any printable character but ':'.
        text = re.sub(r'"Noisy"', '"<b>No\'isy&"', text)
        text = text.replace('authors = ["Nobody"]', f'authors = ["Nobody{written}"]')
        path.write_text(text, encoding="utf-8")


def report(place: Workplace, *arguments: str) -> Path:
    """The folder of a new report."""
    outcome = place.repro("report", "--out", str(place.root / "site"), *arguments)
    assert outcome.code == 0, outcome.err
    return place.root / "site"


@dataclass
class Page(HTMLParser):
    """A page as a list of its elements, and whether they are closed in order."""

    text: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(self.text)
        self.problems += [f"{tag} is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def said(self) -> str:
        """The text, with single spaces."""
        return " ".join(self.words.split())

    def all(self, attribute: str) -> list[str]:
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]


@cache
def _read(text: str) -> Page:
    return Page(text)


def pages(site: Path) -> dict[str, Page]:
    """Path -> page."""
    return {
        path.relative_to(site).as_posix(): _read(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }
