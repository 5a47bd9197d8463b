"""Which sentences of a paper are held by claims, and why the others are not.

The text is the paper as Markdown: paragraphs between blank lines, tables as lines with tabs,
displayed equations between `$$`, captions that begin with `Figure 3.` or `Table 3.`, footnotes
that begin with a raised digit. Cells of tables are data and equations are not sentences, so both
are left out, as is all that follows a line `References`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, NamedTuple

from pydantic import StringConstraints, model_validator

from harness.spec.base import Label, Name, SpecModel

_HEADING = re.compile(r"(?P<number>\d+(?:\.\d+)*)\.\s+[A-Z][^.]*(?:\.\s[A-Z][^.]*)?")
_CAPTION = re.compile(r"(?P<float>(?:Figure|Table) \d+)\.\s+")
_RAISED = "¹²³⁴⁵⁶⁷⁸⁹"
_CLOSERS = r"[*”\")\]" + _RAISED + "]*"
_ENDING = re.compile(rf"[.?!]{_CLOSERS}\s+(?=[*$“(A-Z])")
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|cf|al|Arch|Avg|Eq|Fig|Sec|Tab|no|vs|aug|arch|w\.r\.t)\.$"
)
_REFERENCE = re.compile(
    r"\[[\d, ]+\]|\b(?:Figs?|Tabs?|Secs?|Eqs?|Figure|Table|Section|Equation|Lemma|Assumption)"
    r"(?:\.|\b)[ -]*\d+(?:\.\d+)*(?:\([a-z]\))?|(?:^|(?<=\s))\(?\d\)"
)
_NUMBER = re.compile(
    r"(?<![\w^{-])-?\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twice|half|third)\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\b(?:better|best|worse|worst|weak(?:er)?|strong(?:er|ly)?|superior|inferior|optimal|"
    r"outperform\w*|beats?|surpass\w*|on-?par|competitiv\w*|comparabl\w*|match(?:es|ed)?|exceed\w*|"
    r"high|higher|highest|low|lower|lowest|larger|greater|smaller|fewer|faster|slower|longer|"
    r"more|less|minimum|maximum|easier|harder|"
    r"improv\w*|degrad\w*|increas\w*|decreas\w*|diminish\w*|substantial\w*|significant\w*|"
    r"saturat\w*|converge\w*|trend|gap|advantage|margin|constant|variation|discrepancy|"
    r"consistent\w*|correlation|negative|modest|similar\w*|identical|equal\w*|differ|differing|"
    r"efficient|poor\w*|limited|effective\w*|expensive|costly|robust\w*|reliab\w*|"
    r"nullif\w*|ceases?|influential|dependence)\b",
    re.IGNORECASE,
)

Quote = Annotated[str, StringConstraints(min_length=8)]


class Sentence(NamedTuple):
    """A sentence, its place (`Section 6.1`, `Table 3, caption`, `Footnote 1`), and the line of
    the text, from 1, where its paragraph begins.
    """

    where: str
    text: str
    line: int


class CoveredSentence(SpecModel):
    """One sentence: its claims, or the reason why it has none. With neither it is still open."""

    where: Label
    starts: Quote
    """The opening words, enough of them to be found once in that place."""
    claims: tuple[Name, ...] = ()
    reason: str = ""

    @model_validator(mode="after")
    def _not_both(self) -> CoveredSentence:
        if self.claims and self.reason.strip():
            raise ValueError("expected either 'claims', or a 'reason' why there are none")
        return self

    @property
    def open(self) -> bool:
        """Whether nobody has said yet what becomes of it."""
        return not self.claims and not self.reason.strip()

    def covers(self, sentence: Sentence) -> bool:
        """Whether this is the sentence that is meant."""
        return self.where == sentence.where and sentence.text.startswith(self.starts)


class CoverageFile(SpecModel):
    """`coverage.toml`: one `[[sentences]]` for each sentence with a number or a comparison."""

    sentences: tuple[CoveredSentence, ...] = ()


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
    mapped = Counter(s for e in entries if not e.open for s in found if e.covers(s))
    return CoverageGaps(
        unmapped=tuple(s for s in found if mapped[s] > 1 or (tells(s.text) and not mapped[s])),
        stale=tuple(e for e in entries if sum(e.covers(s) for s in found) != 1),
        unknown=tuple(sorted(named - known)),
        unused=tuple(sorted(known - named)),
    )


def tells(sentence: str) -> bool:
    """Whether a sentence holds a number or a comparison.

    Digits of names (`Net-18`), of citations, of references to other places and of enumerations
    are no numbers.
    """
    without = _REFERENCE.sub(" ", sentence)
    return bool(_NUMBER.search(without) or _COMPARISON.search(without))


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


def split(paragraph: str) -> Iterator[str]:
    """The sentences of one paragraph."""
    start = 0
    for ending in _ENDING.finditer(paragraph):
        mark = paragraph[: ending.start() + 1]
        if not _ABBREVIATION.search(mark):
            yield paragraph[start : ending.end()].strip()
            start = ending.end()
    if paragraph[start:].strip():
        yield paragraph[start:].strip()


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
