"""The sentences of a paper's text, and the gaps of a coverage file that is held against them.

The text is the paper as Markdown: paragraphs between blank lines, tables as lines with tabs,
displayed equations between `$$`, captions that begin with `Figure 3.` or `Table 3.`, footnotes
that begin with a raised digit. Cells of tables are data and equations are not sentences, so both
are left out, as is all that follows a line `References`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from harness.spec.statements import CoveredSentence, split, tells

_HEADING = re.compile(r"(?P<number>\d+(?:\.\d+)*)\.\s+[A-Z][^.]*(?:\.\s[A-Z][^.]*)?")
_CAPTION = re.compile(r"(?P<float>(?:Figure|Table) \d+)\.\s+")
_RAISED = "¹²³⁴⁵⁶⁷⁸⁹"


class Sentence(NamedTuple):
    """A sentence, its place (`Section 6.1`, `Table 3, caption`, `Footnote 1`), and the line of
    the text, from 1, where its paragraph begins.
    """

    where: str
    text: str
    line: int


class CoverageGaps(NamedTuple):
    """The gaps of a coverage file; all empty when it is complete."""

    unmapped: tuple[Sentence, ...]
    """Sentences with a number or a comparison of which no entry, or more than one, says what
    became of it."""
    stale: tuple[CoveredSentence, ...]
    """Entries that speak of no sentence, or of more than one."""
    unknown: tuple[str, ...]
    """Claims that are named but do not exist."""
    unused: tuple[str, ...]
    """Claims that no sentence is mapped to."""


def find_gaps(text: str, entries: Sequence[CoveredSentence], claims: Iterable[str]) -> CoverageGaps:
    """Hold a coverage file against the paper's text and the ids of its claims."""
    found = sentences(text)
    known = set(claims)
    named = {claim for entry in entries for claim in entry.claims}
    mapped = Counter(s for e in entries if not e.open for s in found if covers(e, s))
    return CoverageGaps(
        unmapped=tuple(s for s in found if mapped[s] > 1 or (tells(s.text) and not mapped[s])),
        stale=tuple(e for e in entries if sum(covers(e, s) for s in found) != 1),
        unknown=tuple(sorted(named - known)),
        unused=tuple(sorted(known - named)),
    )


def covers(entry: CoveredSentence, sentence: Sentence) -> bool:
    """Whether an entry means a sentence."""
    return entry.where == sentence.where and sentence.text.startswith(entry.starts)


def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a paper in reading order, white space made uniform.

    A paragraph that a page break or a float interrupts is put together again: it goes on in the
    next paragraph that begins with a small letter.
    """
    return tuple(
        Sentence(place, sentence, line)
        for place, paragraph, line in _paragraphs(text)
        for sentence in split(paragraph)
    )


def _paragraphs(text: str) -> Iterator[tuple[str, str, int]]:
    """(place, paragraph, line): running text first joined, floats and footnotes by themselves."""
    section = "Title"
    held: tuple[str, str, int] | None = None
    aside: list[tuple[str, str, int]] = []
    for line, block in _blocks(text):
        heading, caption = _HEADING.fullmatch(block), _CAPTION.match(block)
        if caption:
            aside.append((f"{caption['float']}, caption", block[caption.end() :], line))
        elif block[0] in _RAISED:
            aside.append((f"Footnote {_RAISED.index(block[0]) + 1}", block[1:], line))
        elif held and block[0].islower():
            held = (held[0], _join(held[1], block), held[2])
        else:
            yield from [held] if held else []
            yield from aside
            held, aside = None, []
            if heading:
                section = f"Section {heading['number']}"
            elif not block.startswith("$$"):
                held = (section, block, line)
    yield from [held] if held else []
    yield from aside


def _join(start: str, rest: str) -> str:
    return start[:-1] + rest if start.endswith("-") else f"{start} {rest}"


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Blocks between blank lines with the line where each begins; tables and the end left out."""
    lines: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip() == "References":
            break
        if line.strip():
            lines.append(line)
        elif lines:
            if not any("\t" in held for held in lines):
                yield number - len(lines), " ".join(" ".join(lines).split())
            lines = []
