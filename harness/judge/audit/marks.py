"""Rules on what is printed around numbers: bold for the best, stars, digits, repeated rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Better, Number, Sheet
from harness.spec.printed import P_VALUE, decimals, half_unit
from harness.words import counted, listed

_UP, _DOWN = re.compile(r"↑|higher is better", re.I), re.compile(r"↓|lower is better", re.I)

_COST = re.compile(
    r"\b(?:param(?:eter)?s?|flops?|gflops|macs?|gmacs|memory|size|latency|(?:run)?time|seconds|ms|"
    r"hours|cost)\b|#",
    re.IGNORECASE,
)


def bold_is_best(sheet: Sheet) -> Iterator[Finding]:
    """Findings on bold numbers that others of their line are better than.

    Bold marks the best of rows or of columns: whichever is right more often is taken. Which
    direction is better is known from the measure, from an arrow, or from the other lines.
    """
    yield from _best_marked(sheet, "bold")


def underline_is_second(sheet: Sheet) -> Iterator[Finding]:
    """Findings on underlined numbers where another one is better that is not bold.

    Beside bold numbers, underlined ones are the best of the rest.
    """
    rest = {
        at: replace(number, bold=number.underline)
        for at, number in sheet.numbers.items()
        if not number.bold
    }
    if len(rest) < len(sheet.numbers):
        yield from _best_marked(replace(sheet, numbers=rest), "underline")


def _best_marked(sheet: Sheet, rule: Literal["bold", "underline"]) -> Iterator[Finding]:
    if not any(n.bold for n in sheet.numbers.values()):
        return
    ways = []
    for way in sheet.both_ways():
        checked = [line for c in range(len(way.columns)) for line in _blocks(way, c)]
        marked = [line for line in checked if any(n.bold for n in line[1])]
        wrong = []
        for column, line in marked:
            better = _direction(way, column, [m for m in marked if m[0] != column])
            if better and not _right(line, better):
                wrong.append((column, line, better))
        ways.append((way, marked, wrong))
    # Lines of one bold number each are what bold marks the best of.
    way, marked, wrong = max(
        ways,
        key=lambda w: (
            sum(sum(n.bold for n in line) == 1 for _, line in w[1]) / len(w[0].columns),
            len(w[1]) - 2 * len(w[2]),
        ),
    )
    if len(wrong) * 3 <= len(marked) or _one_row_claimed_best(way, wrong, len(marked)):
        for column, line, better in wrong:
            yield _not_best(way, column, line, better, rule)


def _one_row_claimed_best(
    way: Sheet, wrong: Sequence[tuple[int, Sequence[Number], Better]], marked: int
) -> bool:
    """Whether all that is bold is one row, and headings with arrows say that it is never the best.

    Elsewhere, bold that is often not the best marks something else.
    """
    pointed = [
        column
        for column, _, _ in wrong
        if _UP.search(way.columns[column].words) or _DOWN.search(way.columns[column].words)
    ]
    rows = {row for (row, _), number in way.numbers.items() if number.bold}
    return len(pointed) == marked >= 2 and len(rows) == 1


def direction(sheet: Sheet, column: int) -> Better:
    """Which values of a column are better, as the measure, an arrow or bold numbers say."""
    lines = [line for c in range(len(sheet.columns)) for line in _blocks(sheet, c)]
    return _direction(sheet, column, [line for line in lines if any(n.bold for n in line[1])])


def _blocks(sheet: Sheet, column: int) -> Iterator[tuple[int, list[Number]]]:
    """The numbers of a column, group by group if each group has its own bold number."""
    held = sheet.column(column)
    groups: dict[str, list[Number]] = {}
    for row, number in held.items():
        groups.setdefault(sheet.rows[row].group, []).append(number)
    own = [line for line in groups.values() if len(line) >= 2]
    if len(groups) > 1 and sum(any(n.bold for n in line) for line in own) > 1:
        yield from ((column, line) for line in own)
    elif len(held) >= 2 and not (sheet.turned and len(groups) > 1 and _repeats(sheet, held)):
        yield column, list(held.values())


def _repeats(sheet: Sheet, held: Mapping[int, Number]) -> bool:
    """Whether a row has the same headings under several others, as one score on each data set."""
    labels = [sheet.rows[row].label for row in held]
    return len(set(labels)) < len(labels)


def _right(line: Sequence[Number], better: Better) -> bool:
    """Whether the best bold number is the best of its line, as far as rounding tells."""
    sign = 1 if better == "higher" else -1
    best = max(line, key=lambda n: sign * n.mean)
    bold = max((n for n in line if n.bold), key=lambda n: sign * n.mean)
    gap = sign * (best.mean - bold.mean)
    return not gap or gap < best.half + bold.half


def _direction(sheet: Sheet, column: int, others: list[tuple[int, list[Number]]]) -> Better:
    """Which values are better: as the measure, an arrow or at least two other lines say."""
    words = sheet.columns[column].words
    if sheet.better:
        return sheet.better
    if _UP.search(words) or _DOWN.search(words):
        return "higher" if _UP.search(words) else "lower"
    if _COST.search(words):
        return ""  # fewer is better, as a rule, and more in some tables: nothing is borrowed
    # Lines of different measures may go different ways, so that only those of one heading count.
    votes: Counter[Better] = Counter()
    alike = [line for c, line in others if sheet.columns[c].label == sheet.columns[column].label]
    for line in alike or [line for _, line in others]:
        high, low = _right(line, "higher"), _right(line, "lower")
        if high != low:
            votes["higher" if high else "lower"] += 1
    if len(votes) == 1 and sum(votes.values()) >= 2:
        return next(iter(votes))
    if _UP.search(sheet.caption) != _DOWN.search(sheet.caption):
        return "higher" if _UP.search(sheet.caption) else "lower"
    return ""


_MARKED = {
    "bold": ("Bold marks the best", "in bold", "is better"),
    "underline": ("An underline marks the second best", "underlined", "is better and not bold"),
}


def _not_best(
    sheet: Sheet,
    column: int,
    line: Sequence[Number],
    better: Better,
    rule: Literal["bold", "underline"],
) -> Finding:
    marks, marked, is_better = _MARKED[rule]
    sign = 1 if better == "higher" else -1
    bold = max((n for n in line if n.bold), key=lambda n: sign * n.value)
    best = max(line, key=lambda n: sign * n.value)
    return Finding(
        rule=rule,
        subject=f"{sheet.id}:{sheet.axis}:{sheet.columns[column].words}",
        addresses=(bold.address, best.address),
        printed=f"{bold} {marked}",
        expected=f"{best} {marked}",
        severity="notable",
        confidence="likely",
        explanation=(
            f"{marks} of a {sheet.axis} in {sheet.label}, where {better} is better. "
            f"{bold} is {marked}, but {best} {is_better}."
        ),
    )


def star_order(sheet: Sheet) -> Iterator[Finding]:
    """Findings on a coefficient whose stars do not go with its error, when all others' do."""
    if RATIO.search(sheet.caption):
        return
    for way in sheet.both_ways():
        for column in range(len(way.columns)):
            held = [
                n
                for n in way.column(column).values()
                if n.error and n.value and not RATIO.search(n.place)
            ]
            if len(held) < LEAST_STARRED or len({n.stars for n in held}) < 2:
                continue
            odd = [n for n in held if _clash(n, held) == len(held) - 1 or _clashes_most(n, held)]
            rest = [n for n in held if n not in odd]
            if len(odd) == 1 and not any(_clash(n, rest) for n in rest):
                yield _starred(way, odd[0], held)


LEAST_STARRED = 4
RATIO = re.compile(r"\b(?i:odds|hazards?|risk|rate) (?i:ratios?)\b|\b(?:OR|HR|RR|IRR)s?\b")
"""What is tested against 1, on a scale of its own, and not against 0."""


def _statistic(number: Number) -> tuple[float, float]:
    """The least and the greatest |value / error| that rounding allows."""
    assert number.error is not None
    half = float(half_unit(number.error))
    value, error = abs(number.value), float(number.error)
    low = max(0.0, value - number.slack) / (error + half)
    high = (value + number.slack) / (error - half) if error > half else float("inf")
    return low, high


def _clash(number: Number, others: Sequence[Number]) -> int:
    """How many others have more stars with a surely smaller statistic, or the reverse."""
    low, high = _statistic(number)
    count = 0
    for other in others:
        under, over = _statistic(other)
        count += (other.stars > number.stars and over < low) or (
            other.stars < number.stars and under > high
        )
    return count


def _clashes_most(number: Number, held: Sequence[Number]) -> bool:
    counts = {n.address: _clash(n, held) for n in held}
    own = counts[number.address]
    return own >= 2 and all(c < own for a, c in counts.items() if a != number.address)


def _starred(sheet: Sheet, number: Number, held: Sequence[Number]) -> Finding:
    clashing = [n for n in held if _clash(number, [n])]
    return Finding(
        rule="stars",
        subject=number.address,
        addresses=(number.address, *(n.address for n in clashing)),
        printed=f"{number}, {sum(_statistic(number)) / 2:.3g} errors from 0",
        expected="stars that grow with the distance from 0, as in the rest of the " + sheet.axis,
        severity="notable",
        confidence="likely",
        explanation=(
            f"{number} has {counted(number.stars, 'star')}, which does not go with "
            f"{listed([str(n) for n in clashing[:3]])}, by the errors printed under them."
        ),
    )


def digits(sheet: Sheet) -> Iterator[Finding]:
    """Findings on numbers with other digits than their column and their row, or than their ±."""
    columns = {c: _usual(list(sheet.column(c).values())) for c in range(len(sheet.columns))}
    turned = sheet.transposed()
    rows = {r: _usual(list(turned.column(r).values())) for r in range(len(sheet.rows))}
    starred = any(number.stars for number in sheet.numbers.values())
    by_size = _by_size(sheet)
    odd = []
    for (row, column), number in sorted(sheet.numbers.items()):
        places = decimals(number.mean)
        other = columns[column] not in (None, places)
        alone = rows[row] is None or places != rows[row]
        split = not starred and _is_split(number)
        if not places and abs(number.mean) >= 1000:
            continue  # a count among other things
        if P_VALUE.fullmatch(sheet.columns[column].label.strip(" *$")):
            continue  # small ones have more digits, by most styles
        if (other and alone) or split:
            odd.append((column, number))
    # One number alone that goes by its size may as well be a slip.
    sized = [(c, n) for c, n in odd if by_size.get(n.mean.adjusted()) == decimals(n.mean)]
    if len({column for column, _ in sized}) > 1:
        odd = [each for each in odd if each not in sized]
    yield from _unlike(sheet, [number for _, number in odd])


def _unlike(sheet: Sheet, odd: Sequence[Number]) -> Iterator[Finding]:
    if odd and len(odd) * 4 <= len(sheet.numbers) + 3:
        yield Finding(
            rule="digits",
            subject=sheet.id,
            addresses=tuple(n.address for n in odd),
            printed=listed([n.text for n in odd]),
            expected="as many digits as the other numbers of the column",
            severity="minor",
            confidence="certain",
            explanation=(
                f"{sheet.label}: {listed([n.text for n in odd])}. Numbers of one column that are "
                "rounded differently cannot be compared to the last digit, and the rounding hides "
                "what was measured."
            ),
        )


def _by_size(sheet: Sheet) -> dict[int, int]:
    """Power of ten -> the decimals of numbers of that size, where larger ones have fewer.

    So prints who keeps a number of significant digits, errors included. Empty where the decimals
    do not go by size.
    """
    sizes: dict[int, Counter[int]] = {}
    for number in sheet.numbers.values():
        for value in (number.mean, number.error):
            if value:
                sizes.setdefault(value.adjusted(), Counter())[decimals(value)] += 1
    usual = {}
    for size, found in sorted(sizes.items()):
        places, count = found.most_common(1)[0]
        if count >= 3 and count * 10 >= found.total() * 9:
            usual[size] = places
    places_by_size = list(usual.values())
    falling = places_by_size == sorted(places_by_size, reverse=True)
    return usual if falling and len(set(places_by_size)) > 1 else {}


def _is_split(number: Number) -> bool:
    """Whether a value and its ± are rounded differently, and not both to many digits."""
    if number.error is None or decimals(number.error) == decimals(number.mean):
        return False
    return min(len(v.as_tuple().digits) for v in (number.mean, number.error)) < 4


def _usual(line: Sequence[Number]) -> int | None:
    """The number of digits that two thirds of a line have."""
    counts = Counter(decimals(n.mean) for n in line)
    places, count = counts.most_common(1)[0] if counts else (0, 0)
    return places if len(line) >= 2 and count * 3 >= len(line) * 2 else None


def repeated_rows(sheet: Sheet) -> Iterator[Finding]:
    """Findings on two rows or two columns with the same numbers to the last digit."""
    for way in sheet.both_ways():
        seen: dict[tuple[tuple[int, str], ...], list[int]] = {}
        for column in range(len(way.columns)):
            held = way.column(column)
            key = tuple((row, n.text) for row, n in held.items())
            telling = {n.mean for n in held.values() if len(n.mean.as_tuple().digits) >= 3}
            if len(telling) >= 3:
                seen.setdefault(key, []).append(column)
        for copies in seen.values():
            # Where many lines are alike, they are so by what they count.
            if 1 < len(copies) <= 3:
                yield _repeated(way, copies[0], copies[1])


def _repeated(sheet: Sheet, first: int, second: int) -> Finding:
    a, b = sheet.columns[first], sheet.columns[second]
    held = list(sheet.column(second).values())
    return Finding(
        rule="repeated",
        subject=f"{sheet.id}:{sheet.axis}:{b.words}",
        addresses=tuple(n.address for n in (*sheet.column(first).values(), *held)),
        printed=f"{', '.join(n.text for n in held[:4])} in {a.words} and in {b.words}",
        expected=f"numbers of its own in each {sheet.axis}",
        severity="notable",
        confidence="likely",
        explanation=(
            f"{a.words} and {b.words} of {sheet.label} have the same {len(held)} numbers to the "
            f"last digit; one {sheet.axis} may have been copied over another."
        ),
    )
