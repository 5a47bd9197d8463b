"""What the cells of one table say about each other.

Some texts have two readings, and only the other cells tell which one the table uses: a comma, a
slash, digits in parentheses, these by column. Where the other reading is used somewhere, all such
cells are unreadable: none is guessed. What reads one way only depends on no other cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.importing.model import HeaderPath, Row, Unread
from harness.spec.printed import Printed


class _Rule(NamedTuple):
    """Cells that are `doubtful` count as unreadable where one cell `shows` the other reading."""

    shows: Callable[[Printed], bool]
    doubtful: Callable[[Printed], bool]
    reason: str
    by_column: bool = False
    """Whether only cells of the same column count as others."""


def _matches(pattern: str) -> Callable[[Printed], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda printed: compiled.search(printed.text) is not None


def _either_comma(text: str) -> bool:
    """Whether a text has a comma, and no number in it tells by its own that thousands are meant."""
    return "," in text and not re.search(r"\d,\d{3}(?:\.\d|,\d{3})", text)


_RULES = (
    _Rule(
        _matches(r"^[+-]?(?:\d+,\d{1,2}|0,\d+|\d+,\d{4,})(?![\d,])"),
        lambda p: p.value is not None and _either_comma(p.text),
        "other cells of this table have a decimal comma",
    ),
    _Rule(
        lambda p: p.kind == "unreadable" and bool(re.fullmatch(r"\d+ ?/ ?\d+", p.text)),
        lambda p: p.of is not None,
        "the numbers beside the slash are no part and whole elsewhere in this table",
    ),
    _Rule(
        lambda p: (
            p.error is not None and p.error.form == "parentheses" and "." in str(p.error.plus)
        ),
        lambda p: p.error is not None and p.error.form == "digits" and "." in p.text,
        "other cells of this column have whole errors in parentheses, not last digits",
        by_column=True,
    ),
)


_SHARES = re.compile(r"\b(?:n|no\.?|number|count)s?,? ?\(%\)", re.IGNORECASE)
"""Headings over a count with its percentage in parentheses."""


def in_agreement(
    rows: Sequence[Row], columns: Sequence[HeaderPath]
) -> tuple[list[Row], list[Unread]]:
    """The rows with doubtful cells made unreadable, and all cells that are unreadable."""
    by_column = [[row.entries[at].printed for row in rows] for at in range(len(columns))]
    every = [printed for column in by_column for printed in column]
    anywhere = [rule for rule in _RULES if not rule.by_column and any(map(rule.shows, every))]
    used = [
        [*anywhere, *(rule for rule in _RULES if rule.by_column and any(map(rule.shows, column)))]
        for column in by_column
    ]

    def checked(printed: Printed, heading: str, rules: Sequence[_Rule]) -> Printed:
        reason = next((rule.reason for rule in rules if rule.doubtful(printed)), None)
        if reason is not None:
            return printed.unreadable(reason)
        error = printed.error
        if error is not None and error.form == "parentheses" and _SHARES.search(heading):
            return replace(printed, error=None, notes=(*printed.notes, f"{error.plus}"))
        return printed

    found = []
    for row in rows:
        entries = [
            replace(entry, printed=checked(entry.printed, " ".join((*row.path, *column)), rules))
            for entry, column, rules in zip(row.entries, columns, used, strict=True)
        ]
        found.append(replace(row, entries=tuple(entries)))
    unread = [
        Unread(entry.place, f"cell '{entry.printed.text}': {entry.printed.reason}")
        for row in found
        for entry in row.entries
        if entry.printed.kind == "unreadable"
    ]
    return found, unread
