"""Sentences that are about more than one number, and findings that are accepted.

`statements.toml` transcribes what sentences, captions and proofs say of exhibits, each with its
place and its words. The audit compares that with the exhibits; nothing is ever run for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from harness.errors import nearest
from harness.spec.base import AddressPart, Label, Name, SpecModel
from harness.spec.toml import located

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
        for name in statement.exhibit_names():
            _known(path, index, "exhibit", name, paper.exhibits)
            if isinstance(statement, Bound):
                _known(path, index, "row", statement.row, paper.exhibits[name].row_names)


def _known(path: Path, index: int, what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        message = f"unknown {what} '{name}'; {nearest(name, names)}"
        raise located(path, ["statements", index], message)
