"""Printed numbers, wherever they stand, with the digits that they are printed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from harness.spec.exhibit import Stated
from harness.spec.paper import Paper
from harness.spec.printed import Printed


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
        return self.number.number

    @property
    def error(self) -> Decimal | None:
        return self.number.spread

    @property
    def half(self) -> Decimal:
        """Half a unit of the last printed digit of the mean."""
        return self.number.rounding

    def __str__(self) -> str:
        return f"{'about ' if self.approximate else ''}{self.text} ({self.place})"


def mentions(paper: Paper) -> Iterator[Mention]:
    """All numbers in the cells of tables and all stated numbers; bounds are none."""
    for exhibit in paper.exhibits.values():
        for address, number in exhibit.printed_cells():
            if not number.is_number:
                continue
            place = f"{exhibit.label}, {address.row} at {address.column}"
            yield Mention(str(address), place, number)
    yield from (mention for _, mention in stated_numbers(paper))


def stated_mention(exhibit: str, key: str, stated: Stated) -> Mention:
    """A number that a text or a caption states."""
    return Mention(f"{exhibit}:stated:{key}", stated.where, stated.text, stated.approximate)


def stated_numbers(paper: Paper) -> Iterator[tuple[Stated, Mention]]:
    """All stated numbers with where they stand; bounds are none."""
    for exhibit in paper.exhibits.values():
        for key, stated in exhibit.stated.items():
            if stated.text.is_number:
                yield stated, stated_mention(exhibit.id, key, stated)
