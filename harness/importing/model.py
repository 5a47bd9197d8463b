"""What is read out of a paper's sources: tables with their places, and what was not read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from harness.spec.printed import Printed

HeaderPath: TypeAlias = tuple[str, ...]
"""Headings from the outer to the inner."""


@dataclass(frozen=True, slots=True)
class Place:
    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read, so that nothing was guessed for it."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell under the column headings.

    Where a row of numbers in brackets stands below, its text follows the number's after a space.
    """

    printed: Printed
    place: Place


@dataclass(frozen=True, slots=True)
class Row:
    path: HeaderPath
    entries: tuple[Entry, ...]
    """One for each column of the table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as printed. Paths of rows and of columns repeat where the paper repeats them."""

    place: Place
    stub: str
    """The heading over the row labels."""
    columns: tuple[HeaderPath, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    caption: str = ""
    label: str = ""

    def entries(self) -> Iterator[tuple[HeaderPath, HeaderPath, Entry]]:
        """Row path, column path and entry of every cell, row by row."""
        for row in self.rows:
            for column, entry in zip(self.columns, row.entries, strict=True):
                yield row.path, column, entry


@dataclass(frozen=True, slots=True)
class Sources:
    """All tables of a paper's sources, in their order."""

    tables: tuple[Table, ...]
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    """As printed; citations are left out, and references stand as `??`."""
    place: Place
    references: tuple[str, ...] = ()
    """Labels that it refers to."""


@dataclass(frozen=True)
class Prose:
    """The running text. Names are mapped to the place where each first stands."""

    sentences: tuple[Sentence, ...]
    cited: dict[str, Place] = field(default_factory=dict)
    referred: dict[str, Place] = field(default_factory=dict)
    labels: dict[str, Place] = field(default_factory=dict)
    listed: dict[str, Place] = field(default_factory=dict)
    """Entries of a bibliography that is printed whether or not they are cited."""
    known: frozenset[str] | None = None
    """All keys of the bibliography; None where it is not there whole."""
    title: str = ""
    authors: tuple[str, ...] = ()
    """None where they cannot be told apart from what is printed beside them."""
