"""Rule: a mean of counts over so many test items and runs can have the printed value (GRIM).

With many items every printed value is possible and the test has no power; `power` says so. The
standard deviation over runs is tested as in GRIMMER where few runs leave few possible values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Number, Sheet
from harness.spec.printed import decimals

MOST_SUMS = 20_000
"""Sums of squares that are tried for one ±; beyond, the test has no power anyway."""


def granularity(sheet: Sheet) -> Iterator[Finding]:
    """Findings on percentages, and on their ±, that no counts of the test items give."""
    if sheet.items is None or sheet.runs is None or not sheet.percent:
        return
    total = sheet.items * sheet.runs
    for number in sheet.numbers.values():
        counts = _counts(number, total)
        if not counts:
            yield _impossible(number, sheet, f"{number.text} percent of {total} is no whole number")
        elif not _spread_possible(number, counts, sheet.runs, sheet.items):
            why = f"no {sheet.runs} whole numbers of {sheet.items} have that mean and deviation"
            yield _impossible(number, sheet, why)


def power(sheet: Sheet) -> float | None:
    """The share of printable percentages that no counts give; None if the items are not known.

    Where the number of runs is not known it is that of one run, and less for more.
    """
    if sheet.items is None or not sheet.percent or not sheet.numbers:
        return None
    places = max(decimals(n.mean) for n in sheet.numbers.values())
    return max(0.0, 1 - (sheet.items * (sheet.runs or 1) + 1) / (100 * 10.0**places + 1))


def _counts(number: Number, total: int) -> range:
    """The whole numbers that round to the percentage."""
    low = math.ceil((number.value - number.slack) * total / 100 - 1e-9)
    high = math.floor((number.value + number.slack) * total / 100 + 1e-9)
    return range(low, high + 1)


def _spread_possible(number: Number, counts: range, n: int, items: int) -> bool:
    """Whether some runs with one of these sums have the printed deviation (divisor n or n - 1)."""
    unit = 100 / items
    if n < 2 or number.error is None:
        return True
    half = 0.5 * 10.0 ** -decimals(number.error)
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


def _impossible(number: Number, sheet: Sheet, why: str) -> Finding:
    return Finding(
        rule="granularity",
        subject=number.address,
        addresses=(number.address,),
        printed=str(number),
        expected=f"a mean over {sheet.runs} runs of counts of {sheet.items} items",
        severity="severe",
        confidence="certain",
        explanation=f"{number} cannot be had from {sheet.items} test items: {why}.",
    )
