"""Rule: a mean of counts over so many test items and runs can have the printed value (GRIM).

With many items every printed value is possible and the test has no power. The
standard deviation over runs is tested as in GRIMMER where few runs leave few possible values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Number, Sheet
from harness.spec.printed import half_unit
from harness.words import counted

MOST_SUMS = 20_000
"""Sums of squares that are tried for one ±; beyond, the test has no power anyway."""


def granularity(sheet: Sheet) -> Iterator[Finding]:
    """Findings on percentages, and on their ±, that no counts of the test items give."""
    for number in sheet.numbers.values():
        items, runs = number.items, number.runs
        if items is None or runs is None or not number.percent:
            continue
        counts = _counts(number, items * runs)
        if not counts:
            why = f"{number.text} percent of {items * runs} is no whole number"
            yield _impossible(number, why)
        elif not _spread_possible(number, counts, runs, items):
            why = f"no {runs} whole numbers of {items} have that mean and deviation"
            yield _impossible(number, why)


def _counts(number: Number, total: int) -> range:
    """The whole numbers that round to the percentage."""
    low = math.ceil((number.value - number.slack) * total / 100 - 1e-9)
    high = math.floor((number.value + number.slack) * total / 100 + 1e-9)
    return range(low, high + 1)


def _spread_possible(number: Number, counts: range, n: int, items: int) -> bool:
    """Whether some runs with one of these sums have the printed deviation (divisor n or n - 1)."""
    unit = 100 / items
    if n < 2 or number.error is None or number.spread != "std":
        return True
    half = float(half_unit(number.error))
    low, high = max(0.0, float(number.error) - half), float(number.error) + half
    for divisor in (n, n - 1):
        least, most = divisor * (low / unit) ** 2, divisor * (high / unit) ** 2
        for total in counts:
            # The sum of squares is whole, has the parity of the sum, and is its variance plus this.
            base = total * total / n
            first, last = math.ceil(base + least - 1e-9), math.floor(base + most + 1e-9)
            if last - first > MOST_SUMS or any(
                (s - total) % 2 == 0 for s in range(first, last + 1)
            ):
                return True
    return False


def _impossible(number: Number, why: str) -> Finding:
    runs = counted(number.runs or 1, "run")
    return number.finding(
        "granularity",
        expected=f"a mean over {runs} of counts of {number.items} items",
        explanation=f"{number} cannot be had from {number.items} test items: {why}.",
    )
