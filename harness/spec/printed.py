"""A printed number: the exact text, and what that text says, no more.

What ± or a number in parentheses means (standard deviation, standard error, ...) is rarely in
the cell; `meaning` is then "unknown" and the table has to say it. Text that can be read in two
ways is `unreadable`, with the reason, and never one of its readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["number", "bracketed", "missing", "word", "unreadable"]
"""`bracketed`: only what belongs to a number in another cell, such as `(0.245)` or `[0.1, 0.3]`."""
Relation: TypeAlias = Literal["=", "<", "≤", ">", "≥", "≈"]
Form: TypeAlias = Literal["plus-minus", "parentheses", "digits", "asymmetric"]
Meaning: TypeAlias = Literal["ci", "iqr", "range", "unknown"]


@dataclass(frozen=True, slots=True)
class Error:
    """How far the printed error reaches below and above the value, at its printed digits."""

    form: Form
    minus: Decimal
    plus: Decimal


@dataclass(frozen=True, slots=True)
class Interval:
    low: Decimal
    high: Decimal
    meaning: Meaning = "unknown"
    level: Decimal | None = None
    """Percent, where the cell says it."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed cell. Numbers are exact and keep their printed digits, trailing zeros too."""

    text: str
    """Exactly as printed, to the letter."""
    kind: Kind
    value: Decimal | None = None
    """In printed units: 12.5 for `12.5%`. Durations such as `1h 20m` are in seconds."""
    half: Decimal | None = None
    """Half a unit of the last printed digit of the value."""
    relation: Relation = "="
    """Other than "=" the value is a bound, as in `< 0.001`."""
    error: Error | None = None
    interval: Interval | None = None
    unit: str = ""
    of: Decimal | None = None
    """The number after the slash in a count such as `3/178`."""
    n: int | None = None
    """How many observations, where the cell says `n = 5`."""
    stars: str = ""
    marks: tuple[str, ...] = ()
    """Footnote marks."""
    notes: tuple[str, ...] = ()
    """Other text in brackets or behind an arrow: `df = 12; 274`, `+9.3`, `↑1.2`, `12.5%`."""
    bold: bool = False
    underline: bool = False
    reason: str = ""
    """Why the text is unreadable."""

    def __str__(self) -> str:
        return self.text

    def unreadable(self, reason: str) -> Printed:
        """The same text without any reading of it."""
        return Printed(
            self.text, "unreadable", bold=self.bold, underline=self.underline, reason=reason
        )


def half_unit(value: Decimal) -> Decimal:
    """Half a unit of the last digit: 0.005 for 12.50, 50 for 1.5E+3."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # printed numbers are finite
    return Decimal(f"5E{exponent - 1}")
