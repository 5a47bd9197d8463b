"""Units in which numbers are printed, as far as one is known to be so many of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from harness.spec.printed import Printed

LETTERS = {"k": 3, "K": 3, "M": 6, "G": 9, "B": 9, "T": 12}
"""Letters behind a count -> the power of ten that they stand for."""
_WORDS: Mapping[str, Mapping[str, float]] = {
    "time": {
        "ns": 1e-9,
        "us µs μs": 1e-6,
        "ms milliseconds": 1e-3,
        "s sec secs second seconds": 1,
        "min mins minute minutes": 60,
        "h hr hrs hour hours": 3600,
        "d day days": 86400,
    },
    "count": {"ones": 1} | {letter: 10**power for letter, power in LETTERS.items()},
    "work": {"FLOPs": 1, "MFLOPs": 1e6, "GFLOPs": 1e9, "TFLOPs": 1e12, "PFLOPs": 1e15},
    "share": {
        "‰": 1e-3,
        "% pp pt pts percent percents percentage percentages": 1e-2,
        "fraction": 1,
    },
}
_SIZES = {
    word: (what, size)
    for what, sizes in _WORDS.items()
    for words, size in sizes.items()
    for word in words.split()
}
"""Unit -> what it measures, and how large it is."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a printed number."""

    name: str = ""
    """As printed, such as `min`; `/178` of a part of 178 in all; nothing where none is printed."""
    declared: str = ""
    """What the exhibit says of its numbers, which counts where none is printed."""

    @classmethod
    def of(cls, printed: Printed, declared: str = "") -> Unit:
        """The unit of a printed number. `1.5×` is one without."""
        name = printed.unit if printed.of is None else f"/{printed.of}"
        return cls("" if name == "×" else name, declared)

    def __str__(self) -> str:
        return self.name or self.declared or "none"

    def per(self, other: Unit) -> float | None:
        """How many of the other unit one of this is; None where that is not known."""
        mine, theirs = self._measured(), other._measured()
        if mine is None or theirs is None or mine[0] != theirs[0]:
            return None
        return mine[1] / theirs[1]

    def _measured(self) -> tuple[str, float] | None:
        """What it measures, and its size; None where nothing is said of it."""
        first = self.declared.partition(" ")[0].rstrip(",;:")
        word = self.name or (first if first in _SIZES or "%" not in self.declared else "%")
        if word.startswith("/"):
            whole = float(word[1:])
            return ("share", 1 / whole) if whole else None
        return _SIZES.get(word, (f"'{word}'", 1.0)) if word else None


def are_one(units: Iterable[Unit]) -> bool:
    """Whether numbers in these are compared as they stand: one of each is one of any other, or
    both are printed without a unit, and nothing says that they differ.
    """
    pairs = combinations(dict.fromkeys(units), 2)
    return all(a.per(b) == 1 or (a.per(b) is None and a.name == b.name) for a, b in pairs)
