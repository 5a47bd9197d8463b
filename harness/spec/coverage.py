"""Which sentences of a paper are held by claims, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import StringConstraints, model_validator

from harness.spec.base import Label, Name, SpecModel

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


class CoverageFile(SpecModel):
    """`coverage.toml`: one `[[sentences]]` for each sentence with a number or a comparison."""

    sentences: tuple[CoveredSentence, ...] = ()


def tells(sentence: str) -> bool:
    """Whether a sentence holds a number or a comparison.

    Digits of names (`Net-18`), of citations, of references to other places and of enumerations
    are no numbers.
    """
    without = _REFERENCE.sub(" ", sentence)
    return bool(_NUMBER.search(without) or _COMPARISON.search(without))


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
