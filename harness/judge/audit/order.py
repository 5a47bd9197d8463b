"""Rule: the one value that breaks an order which all other lines of its table keep."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from statistics import median

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Number, Sheet
from harness.words import listed

LEAST_LINES = 4
"""Lines that keep an order before one that breaks it is news: by chance one in 2^(n-1) does."""


def order_breaks(sheet: Sheet) -> Iterator[Finding]:
    """Findings on cells whose line alone turns the order of two columns that differ in one thing.

    A cell counts where it is also out of order with another row, so that it and not its partner
    is the one that stands out.
    """
    for lower, upper in _comparable(sheet):
        gaps = {
            row: (a, b)
            for row, a in sheet.column(lower).items()
            if (b := sheet.numbers.get((row, upper))) is not None
        }
        against = [row for row, (a, b) in gaps.items() if b.mean < a.mean]
        kept = [row for row, (a, b) in gaps.items() if b.mean - b.half > a.mean + a.half]
        if len(against) == 1 and len(kept) == len(gaps) - 1 >= LEAST_LINES:
            a, b = gaps[against[0]]
            usual = median(gaps[row][1].value - gaps[row][0].value for row in kept)
            if a.value - b.value > max(usual / 2, _noise(a) + _noise(b)):
                odd = _odd(sheet, against[0], lower, upper)
                if odd is not None:
                    yield _finding(sheet, odd, lower, upper, gaps, kept)


def _comparable(sheet: Sheet) -> Iterator[tuple[int, int]]:
    """Pairs of columns that differ in one variable alone."""
    for a, b in permutations(range(len(sheet.columns)), 2):
        first, second = sheet.columns[a].bind, sheet.columns[b].bind
        names = {*first, *second}
        if names and sum(first.get(name) != second.get(name) for name in names) == 1:
            yield a, b


def _noise(number: Number) -> float:
    return float(number.error or 0) + number.slack


def _odd(sheet: Sheet, row: int, lower: int, upper: int) -> int | None:
    """Which of the two cells is out of order with other rows more often than its partner."""
    counts = {}
    for column, other in ((lower, upper), (upper, lower)):
        turned = 0
        for peer in range(len(sheet.rows)):
            if peer != row and {(peer, column), (peer, other)} <= set(sheet.numbers):
                here = sheet.numbers[row, column].mean - sheet.numbers[peer, column].mean
                elsewhere = [
                    sheet.numbers[row, c].mean - sheet.numbers[peer, c].mean
                    for c in range(len(sheet.columns))
                    if c != column and {(row, c), (peer, c)} <= set(sheet.numbers)
                ]
                turned += len(elsewhere) >= 2 and (
                    (all(e > 0 for e in elsewhere) and here < 0)
                    or (all(e < 0 for e in elsewhere) and here > 0)
                )
        counts[column] = turned
    best = max(counts, key=lambda column: counts[column])
    return best if counts[best] > min(counts.values()) else None


def _finding(
    sheet: Sheet,
    odd: int,
    lower: int,
    upper: int,
    gaps: dict[int, tuple[Number, Number]],
    kept: list[int],
) -> Finding:
    row = next(row for row in gaps if row not in kept)
    number = sheet.numbers[row, odd]
    a, b = gaps[row]
    others = listed([f"{gaps[r][0].text} < {gaps[r][1].text}" for r in kept])
    return Finding(
        rule="order-break",
        subject=number.address,
        addresses=(number.address, (b if number is a else a).address),
        printed=f"{a} > {b}",
        expected=f"the order of the other {len(kept)} rows: {others}",
        severity="minor",
        confidence="possible",
        explanation=(
            f"In every other row of {sheet.label}, {sheet.columns[upper].words} is above "
            f"{sheet.columns[lower].words}; {sheet.rows[row].label} alone turns that round, "
            f"and {number.text} also stands out against another row. It may be a slip or a failed "
            "run; a reader cannot tell."
        ),
    )
