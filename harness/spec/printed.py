"""A printed number: the exact text, and what that text says, no more.

What ± or a number in parentheses means (standard deviation, standard error, ...) is rarely in
the cell; `meaning` is else "unknown" and the table has to say it. Text that can be read in two
ways is `unreadable`, with the reason, and never one of its readings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["number", "bracketed", "missing", "word", "unreadable"]
"""`bracketed`: only what belongs to a number in another cell, such as `(0.245)` or `[0.1, 0.3]`."""
Relation: TypeAlias = Literal["=", "<", "≤", ">", "≥", "≈"]
Form: TypeAlias = Literal["plus-minus", "parentheses", "digits", "asymmetric"]
Meaning: TypeAlias = Literal["ci", "iqr", "range", "unknown"]
Spread: TypeAlias = Literal[
    "std", "sem", "ci90", "ci95", "ci99", "iqr", "range", "share", "unknown"
]
"""What a spec says that the printed errors or intervals are. With `iqr` and `range` the number is
a median or whatever else stands between such ends; with `share` the parentheses hold no error but
a percentage, as under `n (%)`."""


@dataclass(frozen=True, slots=True)
class Error:
    """How far the printed error reaches below and above the value, at its printed digits."""

    form: Form
    minus: Decimal
    plus: Decimal
    meaning: Literal["std", "sem", "unknown"] = "unknown"
    """What it is by the cell's own words, as in `12.3 (SD 4.0)`."""
    percent: bool = False
    """Whether `%` stands at it and not at the value, as in `1250 ± 3%`: only the unit of the value
    tells whether it is a share of that."""


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

    @property
    def is_number(self) -> bool:
        """Whether it states a value: no bound, no word, nothing that belongs to another cell."""
        return self.kind == "number" and self.relation in ("=", "≈")

    @property
    def number(self) -> Decimal:
        """The value of a number or a bound.

        Raises:
            ValueError: it has none.
        """
        if self.value is None:
            raise ValueError(f"'{self.text}' is no number")
        return self.value

    @property
    def rounding(self) -> Decimal:
        """Half a unit of its last digit; 0 where it has no value."""
        return Decimal(0) if self.half is None else self.half

    @property
    def spread(self) -> Decimal | None:
        """The printed error; of two that differ, the larger."""
        return None if self.error is None else max(self.error.minus, self.error.plus)

    def unreadable(self, reason: str) -> Printed:
        """The same text without any reading of it."""
        return Printed(
            self.text, "unreadable", bold=self.bold, underline=self.underline, reason=reason
        )


P_VALUE = re.compile(r"p|p[-_ ]?val(?:ue)?s?\.?|pr\(.*\)", re.IGNORECASE)
"""Headings of p-values."""


def last_digit(value: Decimal) -> int:
    """The power of ten of the last digit: -2 for 12.50, 2 for 1.5E+3."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # printed numbers are finite
    return exponent


def decimals(value: Decimal) -> int:
    """Digits after the point."""
    return max(0, -last_digit(value))


def half_unit(value: Decimal) -> Decimal:
    """Half a unit of the last digit: 0.005 for 12.50, 50 for 1.5E+3."""
    return Decimal(f"5E{last_digit(value) - 1}")


def may_print(value: Decimal, printed: Decimal) -> bool:
    """Whether a value comes to the printed digits, rounded or cut off."""
    half = half_unit(printed)
    return -half <= value - printed < 2 * half
