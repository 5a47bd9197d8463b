"""Printed numbers, wherever they stand, with the digits that they are printed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from harness.spec.cell import Printed
from harness.spec.exhibit import Stated
from harness.spec.paper import Paper


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a number is printed."""

    address: str
    place: str
    """The same, in the words of the paper."""
    number: Printed
    approximate: bool = False

    @property
    def text(self) -> str:
        return self.number.text

    @property
    def mean(self) -> Decimal:
        return self.number.mean

    @property
    def error(self) -> Decimal | None:
        return self.number.error

    @property
    def half(self) -> Decimal:
        """Half a unit of the last printed digit of the mean."""
        return half_unit(self.mean)

    def __str__(self) -> str:
        return f"{'about ' if self.approximate else ''}{self.text} ({self.place})"


def decimals(value: Decimal) -> int:
    """Digits after the point."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # printed numbers are finite
    return max(0, -exponent)


def half_unit(value: Decimal) -> Decimal:
    """Half a unit of the last digit."""
    return Decimal(5).scaleb(-decimals(value) - 1)


def mentions(paper: Paper) -> Iterator[Mention]:
    """All cells of tables and all stated numbers."""
    for exhibit in paper.exhibits.values():
        for address, number in exhibit.printed_cells():
            place = f"{exhibit.label}, {address.row} at {address.column}"
            yield Mention(str(address), place, number)
        for key, stated in exhibit.stated.items():
            yield stated_mention(exhibit.id, key, stated)


def stated_mention(exhibit: str, key: str, stated: Stated) -> Mention:
    """A number that a text or a caption states."""
    return Mention(f"{exhibit}:stated:{key}", stated.where, stated.text, stated.approximate)


def stated_numbers(paper: Paper) -> Iterator[tuple[Stated, Mention]]:
    """All stated numbers with where they stand."""
    for exhibit in paper.exhibits.values():
        for key, stated in exhibit.stated.items():
            yield stated, stated_mention(exhibit.id, key, stated)


def listed(texts: list[str] | tuple[str, ...]) -> str:
    """`a, b and c`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
