"""Sentences of a paper: what they say of more than one number, and which claims hold them.

`statements.toml` transcribes what sentences, captions and proofs say of exhibits, each with its
place and its words. The audit compares that with the exhibits; nothing is ever run for it. Findings
may be accepted there. `coverage.toml` says of each sentence with a number or a comparison which
claims hold it, or why none does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from harness.spec.base import AddressPart, Label, Name, SpecModel
from harness.spec.toml import require_at

if TYPE_CHECKING:
    from harness.spec.paper import Paper


Parts = Annotated[tuple[AddressPart, ...], Field(min_length=1)]


class StatementBase(SpecModel):
    """The fields of every statement."""

    where: Label
    """Its place in the paper."""
    quote: Label
    """The words that say so."""

    def exhibit_names(self) -> tuple[str, ...]:
        """The exhibits that it is about."""
        return ()


class Bound(StatementBase):
    """A row is called the best that can be had, so that none of the others may exceed it."""

    kind: Literal["bound"]
    exhibits: Annotated[tuple[Name, ...], Field(min_length=1)]
    row: AddressPart
    over: Parts
    """The rows that it bounds; one that a table does not have is skipped there."""

    def exhibit_names(self) -> tuple[str, ...]:
        return self.exhibits


class NamesRows(StatementBase):
    """A sentence names rows, and cites tables for them."""

    kind: Literal["names"]
    exhibits: Annotated[tuple[Name, ...], Field(min_length=1)]
    rows: Parts

    def exhibit_names(self) -> tuple[str, ...]:
        return self.exhibits


class Plots(StatementBase):
    """A caption speaks of quantities as plotted in its figure."""

    kind: Literal["plots"]
    exhibit: Name
    terms: Parts

    def exhibit_names(self) -> tuple[str, ...]:
        return (self.exhibit,)


class Symbol(StatementBase):
    """A symbol is given a meaning."""

    kind: Literal["symbol"]
    symbol: Label
    meaning: Label


Statement = Annotated[Bound | NamesRows | Plots | Symbol, Field(discriminator="kind")]


class Accepted(SpecModel):
    """A finding of the audit that was looked at and is let stand."""

    finding: Label
    """Its id, as `repro audit` prints it."""
    reason: Annotated[str, Field(min_length=1)]


class StatementsFile(SpecModel):
    """`statements.toml`, which a paper may do without."""

    statements: tuple[Statement, ...] = ()
    accepted: tuple[Accepted, ...] = ()


def check_statements(paper: Paper) -> None:
    """Check the names of exhibits, and of rows that are called a bound.

    Raises:
        SpecError: something that a statement names does not exist.
    """
    path = paper.root / "statements.toml"
    for index, statement in enumerate(paper.statements):
        place: list[int | str] = ["statements", index]
        for name in statement.exhibit_names():
            require_at(path, place, name, paper.exhibits, f"unknown exhibit '{name}'")
            if isinstance(statement, Bound):
                row, rows = statement.row, paper.exhibits[name].row_names
                require_at(path, place, row, rows, f"unknown row '{row}'")


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
