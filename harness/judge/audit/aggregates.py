"""Rules: what is computed from the other numbers of a table comes out of them.

A relation is not taken from a heading alone, which may mean a weighted mean or one over numbers
that are not shown. It is what most lines of the table satisfy to the last digit; the line that
does not is reported. A heading that says what a line is needs fewer others beside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from statistics import fmean

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Number, Sheet
from harness.spec.printed import may_print
from harness.words import listed

CHANCE = 1e-3
"""A relation that chance makes more often than this, over all that are tried, is none."""
Operation = Callable[[Sequence[float]], float]
_MEAN = re.compile(r"\b(avg|average|mean|overall)\b", re.IGNORECASE)
_SUM = re.compile(r"\b(total|sum|all|overall)\b", re.IGNORECASE)
_GAIN = re.compile(r"Δ|∆|\b(delta|gain|diff\w*|improv\w*|change|drop|reduc\w*)\b", re.IGNORECASE)
_RATIO = re.compile(r"\b(ratio|speed-?up|factor|percent\w*|share)\b|%", re.IGNORECASE)
_F1 = re.compile(r"\bf-?(1|score|measure)\b", re.IGNORECASE)
OVER_ALL: dict[str, tuple[Operation, re.Pattern[str]]] = {
    "the mean": (fmean, _MEAN),
    "the sum": (math.fsum, _SUM),
}
"""Name -> function of any number of lines, and how a heading says it."""
OF_TWO: dict[str, tuple[Operation, re.Pattern[str]]] = {
    "the difference": (lambda v: v[0] - v[1], _GAIN),
    "the ratio": (lambda v: v[0] / v[1], _RATIO),
    "the change in percent": (lambda v: 100 * (v[0] - v[1]) / v[1], _GAIN),
    "the reduction in percent": (lambda v: 100 * (v[1] - v[0]) / v[1], _GAIN),
    "the percentage": (lambda v: 100 * v[0] / v[1], _RATIO),
    "the harmonic mean": (lambda v: 2 * v[0] * v[1] / (v[0] + v[1]), _F1),
}
"""Name -> function of two lines, and how a heading says it."""
UNTOLD = ("the difference", "the ratio")
"""What a column may be without a heading that says so."""
FEW = 20
"""Half units of the last digit that a number must be above for a relation without a heading."""
WIDEST = 16
"""Lines that are looked at on one side of another."""
MEANS = ("the mean", "the harmonic mean")
EXACT = ("the sum", "the difference")
"""What is exact where all of its numbers are whole, as counts are."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A column that follows from others, and the rows in which it does and does not."""

    name: str
    target: int
    parts: tuple[int, ...]
    fits: tuple[int, ...]
    misses: tuple[int, ...]
    chance: float
    operation: Operation
    tried: int
    """Among how many relations it was found; one, where a heading says it."""
    exact: bool


def aggregates(sheet: Sheet) -> Iterator[Finding]:
    """Findings on numbers that most of their line derives otherwise."""
    found: dict[frozenset[str], Finding] = {}
    for way in sheet.both_ways():
        relations = [best_relation(way, target) for target in range(len(way.columns))]
        # Of a relation and its inverse, the one that a heading names, else the last line derives.
        known = sorted((r for r in relations if r), key=lambda r: (r.tried, -r.target))
        for relation in known:
            for row in relation.misses:
                finding = _finding(way, relation, row)
                found.setdefault(frozenset(finding.addresses), finding)
    yield from found.values()


def best_relation(sheet: Sheet, target: int) -> Relation | None:
    """The relation that most rows of a column satisfy, if it is none of chance."""
    found = [r for r in _relations(sheet, target) if r is not None]
    sure = [r for r in found if r.chance < CHANCE and len(r.fits) > len(r.misses)]
    return min(
        sure,
        key=lambda r: (not (r.exact and len(r.fits) >= 3), len(r.misses) - len(r.fits), r.chance),
        default=None,
    )


def _relations(sheet: Sheet, target: int) -> Iterator[Relation | None]:
    words = sheet.columns[target].label
    values = sheet.by_column
    for name, (operation, heading) in OVER_ALL.items():
        told = bool(heading.search(words))
        for parts in _sets(sheet, target, told):
            yield from _both(values, name, operation, target, parts, 1 if told else 50)
    asked = {name: bool(heading.search(words)) for name, (_, heading) in OF_TWO.items()}
    # The two lines before the target, unless a heading says so.
    before = [target - 2, target - 1] if target >= 2 else []
    if len(sheet.columns) > WIDEST:
        return
    others = [i for i in values if i != target] if any(asked.values()) else before
    for parts in permutations(others, 2):
        for name, (operation, _) in OF_TWO.items():
            if asked[name] or (name in UNTOLD and set(parts) == set(before)):
                tried = 1 if asked[name] else len(UNTOLD) * len(sheet.columns)
                yield from _both(values, name, operation, target, parts, tried)


def _sets(sheet: Sheet, target: int, told: bool) -> list[tuple[int, ...]]:
    """The sets of columns that a mean or a sum may be over: those beside it, of its group, all.

    Without a heading that says so, only the last column of a group, or of all, may be one.
    """
    total = len(sheet.columns)
    own = sheet.columns[target].group
    if not told:
        # Only at the end of its group are the others listed, lest long tables take a day.
        last = sheet.groups[own][:-1] if sheet.groups[own][-1] == target else ()
        whole = tuple(range(target)) if target == total - 1 else ()
        return [s for s in dict.fromkeys((last, whole)) if len(s) >= 3]
    same = tuple(i for i in sheet.groups[own] if i != target)
    plain = tuple(
        i
        for i in range(total)
        if i != target and not any(h.search(sheet.columns[i].label) for _, h in OVER_ALL.values())
    )
    sets = [tuple(range(start, target)) for start in range(max(0, target - WIDEST), target)]
    sets += [
        tuple(range(target + 1, end)) for end in range(target + 2, min(total, target + WIDEST) + 1)
    ]
    sets += [same, plain]
    return [s for s in dict.fromkeys(sets) if len(s) >= 2]


def _both(
    values: Mapping[int, Mapping[int, Number]],
    name: str,
    operation: Operation,
    target: int,
    parts: tuple[int, ...],
    tried: int,
) -> Iterator[Relation | None]:
    """The relation within rounding, and exactly where whole numbers may be counts."""
    yield _relation(values, name, operation, target, parts, tried)
    if name in EXACT:
        held = [n for line in (target, *parts) for n in values[line].values()]
        if all(n.mean == n.mean.to_integral_value() for n in held):
            yield _relation(values, name, operation, target, parts, tried, exact=True)


def _relation(
    values: Mapping[int, Mapping[int, Number]],
    name: str,
    operation: Operation,
    target: int,
    parts: tuple[int, ...],
    tried: int,
    exact: bool = False,
) -> Relation | None:
    """How a relation fares over the rows that have all of its numbers."""
    own = values[target]
    rows = [row for row in own if all(row in values[part] for part in parts)]
    if len(rows) < 2:
        return None
    spread = max(own[r].value for r in rows) - min(own[r].value for r in rows)
    fits, misses, chance = [], [], float(tried)
    for row in rows:
        given = [values[part][row] for part in parts]
        bounds = reach(operation, given)
        if bounds is None:
            return None
        low, high = bounds[0] - own[row].slack, bounds[1] + own[row].slack
        if exact:
            low, high = (low + high) / 2 - 0.5, (low + high) / 2 + 0.5
        # Like numbers have like means, so that a mean must be told from the numbers themselves.
        around = [n.value for n in (*given, own[row])] if name in MEANS else []
        room = min(spread, max(around) - min(around)) if around else spread
        if low <= own[row].value <= high:
            if name in UNTOLD and abs(own[row].value) <= FEW * own[row].slack:
                continue  # a number of one digit, such as 0.001, fits by chance
            fits.append(row)
            chance *= min(1.0, (high - low) / room) if room > 0 else 1.0
        else:
            misses.append(row)
        if len(misses) > (max(2, len(rows) // 4) if len(rows) >= 5 else 1):
            return None
    return Relation(
        name, target, parts, tuple(fits), tuple(misses), chance, operation, tried, exact
    )


def reach(operation: Operation, given: Sequence[Number]) -> tuple[float, float] | None:
    """The least and greatest result that rounding of the operands allows."""
    try:
        middle = operation([n.value for n in given])
        if operation in (fmean, math.fsum):  # which move as their operands do
            moved = operation([n.slack for n in given])
            return middle - moved, middle + moved
        moved = 0.0
        for index, number in enumerate(given):
            ends = []
            for sign in (-1, 1):
                shifted = [n.value for n in given]
                shifted[index] += sign * number.slack
                ends.append(abs(operation(shifted) - middle))
            moved += max(ends)
    except ZeroDivisionError:
        return None
    return middle - moved, middle + moved


def _finding(sheet: Sheet, relation: Relation, row: int) -> Finding:
    number = sheet.numbers[row, relation.target]
    given = [sheet.numbers[row, part] for part in relation.parts]
    value = relation.operation([n.value for n in given])
    others = f"{len(relation.fits)} other {'columns' if sheet.turned else 'rows'}"
    parts = listed([sheet.columns[part].label for part in relation.parts])
    return Finding(
        rule="aggregate",
        subject=number.address,
        addresses=(number.address, *(n.address for n in given)),
        printed=str(number),
        expected=f"{value:.6g}, {relation.name} of {', '.join(n.text for n in given)}",
        severity="severe",
        confidence="certain" if len(relation.fits) >= 3 else "likely",
        explanation=(
            f"In {others} of {sheet.label}, {sheet.columns[relation.target].label} is "
            f"{relation.name} of {parts}, to the last digit. Here {number} should be "
            f"{value:.6g}, so it or one of the numbers that it comes from is wrong."
        ),
    )


def shares(sheet: Sheet) -> Iterator[Finding]:
    """Findings on the line of shares that does not sum to the whole when all others do."""
    for way in sheet.both_ways():
        totals = {}
        for column in range(len(way.columns)):
            held = list(way.column(column).values())
            if len(held) >= 3 and all(n.value >= 0 for n in held):
                totals[column] = (math.fsum(n.value for n in held), held)
        for whole in (100.0, 1.0):
            right = [c for c, (t, h) in totals.items() if abs(t - whole) <= sum(n.slack for n in h)]
            if len(right) < 2 or len(right) + 1 != len(totals):
                continue
            (odd,) = totals.keys() - right
            total, held = totals[odd]
            if abs(total / whole - 1) < 0.5 or (len(right) >= 3 and _slipped(held, whole)):
                yield _share_finding(way, odd, total, held, whole, len(right))


def _slipped(held: Sequence[Number], whole: float) -> bool:
    """Whether one number with its digits or its point moved would make the sum the whole."""
    unit = float(2 * min(n.half for n in held))
    most = len(held) + 1
    total = math.fsum(n.value for n in held)
    for number in held if unit > 0 else ():
        needed = round((whole - total + number.value) / unit)
        around = range(max(1, needed - most), needed + most + 1)
        if any(_figures(str(other)) == _figures(str(number.mean)) for other in around):
            return True
    return False


def _figures(text: str) -> list[str]:
    """The digits of a number but zeros, sorted."""
    return sorted(re.sub(r"[^1-9]", "", text))


def _share_finding(
    sheet: Sheet, column: int, total: float, held: Sequence[Number], whole: float, right: int
) -> Finding:
    return Finding(
        rule="shares",
        subject=f"{sheet.id}:{sheet.axis}:{sheet.columns[column].label}",
        addresses=tuple(n.address for n in held),
        printed=f"{' + '.join(n.text for n in held)} = {total:.6g}",
        expected=f"{whole:g}, as in {right} other {sheet.axis}s",
        severity="severe",
        confidence="certain" if right >= 3 else "likely",
        explanation=(
            f"The numbers of {sheet.columns[column].label} in {sheet.label} sum to {total:.6g}; "
            f"those of all other {sheet.axis}s sum to {whole:g} within rounding, so one of them is "
            "wrong."
        ),
    )


def extremes(sheet: Sheet) -> Iterator[Finding]:
    """Findings on a mean or a median outside the minimum and maximum beside it."""
    for way in sheet.both_ways():
        found: dict[tuple[str, str], int] = {}
        for index, line in enumerate(way.columns):
            kind = _extreme(line.label)
            if kind:
                found.setdefault((line.group, kind), index)
        for group in {group for group, _ in found}:
            low, high = found.get((group, "min")), found.get((group, "max"))
            for kind in ("mean", "median"):
                middle = found.get((group, kind))
                for row in range(len(way.rows)) if middle is not None else ():
                    yield from _between(way, row, low, middle, high)


def _extreme(label: str) -> str:
    words = {"min": "min", "minimum": "min", "worst": "", "max": "max", "maximum": "max"}
    words |= {"mean": "mean", "average": "mean", "avg": "mean", "median": "median"}
    return words.get(label.strip(" .").casefold(), "")


def _between(
    sheet: Sheet, row: int, low: int | None, middle: int | None, high: int | None
) -> Iterator[Finding]:
    number = sheet.numbers.get((row, -1 if middle is None else middle))
    for column, side in ((low, 1), (high, -1)):
        end = sheet.numbers.get((row, -1 if column is None else column))
        if number is None or end is None:
            continue
        if side * (number.value - end.value) < -(number.slack + end.slack):
            yield Finding(
                rule="outside-extremes",
                subject=number.address,
                addresses=(number.address, end.address),
                printed=f"{number} and {end}",
                expected=f"a number {'at or above' if side > 0 else 'at or below'} {end.text}",
                severity="severe",
                confidence="certain",
                explanation=(
                    f"{number} lies beyond {end}, which is printed as the "
                    f"{'least' if side > 0 else 'greatest'} value of the same line."
                ),
            )


_WHOLE = re.compile(r"\b[nN]\s*=\s*(\d[\d,]*)")


def counts_of(sheet: Sheet) -> Iterator[Finding]:
    """Findings on `12 (48 %)` and `12/25 (48 %)` where the count is not that share of the whole.

    Where a heading gives the whole, as in `Cases (n = 25)`, three other counts must bear it out.
    """
    for way in sheet.both_ways():
        for column, line in enumerate(way.columns):
            told = _WHOLE.search(line.words)
            whole = Decimal(told[1].replace(",", "")) if told else None
            held = [n for n in way.column(column).values() if n.share is not None and n.of is None]
            wrong = [n for n in held if whole and not _is_share(n, whole)]
            if whole and len(held) - len(wrong) >= 3 * max(1, len(wrong)):
                yield from (_count_finding(n, whole) for n in wrong)
    for number in sheet.numbers.values():
        if number.of and number.share is not None and not _is_share(number, number.of):
            yield _count_finding(number, number.of)


def _is_share(number: Number, whole: Decimal) -> bool:
    """Whether a percentage is that of its count, rounded or cut off."""
    assert number.share is not None
    return may_print(100 * number.mean / whole, number.share)


def _count_finding(number: Number, whole: Decimal) -> Finding:
    share = float(100 * number.mean / whole)
    return number.finding(
        "count-share",
        expected=f"{share:.4g} percent, {number.mean} of {whole}",
        explanation=f"{number} prints {number.share} percent for {number.mean} of {whole}, which "
        f"is {share:.4g} percent.",
    )
