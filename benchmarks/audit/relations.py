"""What could be found, by relations that the unchanged numbers keep.

They are stated anew, without the code and without the thresholds of the rules. A relation has one
instance a line. An error can be found where a relation that all lines kept is broken in some, and
still kept by most, so that a reader of the changed table alone could see it; where the relation
must hold whatever the others do, as that of a mean between its extremes, one break is enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.judge.audit.sheet import Number, Sheet

Check = Callable[[Sheet], bool | None]
"""Whether an instance holds in a table; None where its numbers are not there."""


@dataclass(frozen=True)
class Relation:
    """Instances that hold one and all."""

    name: str
    instances: tuple[Check, ...]
    certain: bool
    """Whether one break shows by itself."""

    def shows(self, sheet: Sheet) -> bool:
        """Whether a changed table breaks it, in a way that can be seen."""
        held = [h for check in self.instances if (h := check(sheet)) is not None]
        broken = held.count(False)
        return bool(broken) and (self.certain or (held.count(True) >= max(3, 2 * broken)))


def relations(sheet: Sheet) -> list[Relation]:
    """All relations that every one of their lines keeps."""
    kept = []
    for name, instances, certain in _candidates(sheet):
        held = [check(sheet) for check in instances]
        enough = 1 if certain else 4
        if len([h for h in held if h is not None]) >= enough and all(h is not False for h in held):
            kept.append(Relation(name, tuple(instances), certain))
    return kept


def _candidates(sheet: Sheet) -> Iterator[tuple[str, list[Check], bool]]:
    for turned in (False, True):
        way = sheet.transposed() if turned else sheet
        for c in range(len(way.columns)):
            rows = range(len(way.rows))
            for name, function in _DERIVED.items():
                if name == "harmonic" and "f" not in way.columns[c].label.casefold():
                    continue
                yield name, [_derived(turned, r, c, function) for r in rows], False
            for name, ordered in _ORDERED.items():
                if name in way.columns[c].label.casefold():
                    yield name, [_derived(turned, r, c, ordered) for r in rows], True
            yield "digits", [_digits(turned, r, c) for r in rows], False
            yield "one size", [_sized(turned, r, c) for r in rows], False
            yield "one sign", [_signed(turned, r, c) for r in rows], False
        lines = range(len(way.columns))
        yield "shares", [_shared(turned, c) for c in lines], False
        yield "bold", [_best(turned, c) for c in lines], False
        yield "stars", [_ordered_stars(turned, c) for c in lines], True
        pairs = [(a, b) for a in lines for b in lines if a < b]
        yield "all differ", [_differ(turned, a, b) for a, b in pairs], True
    for name, check in _ALONE.items():
        instances: list[Check] = [
            lambda s, key=key, check=check: check(s.numbers[key]) if key in s.numbers else None  # type: ignore[misc]
            for key in sheet.numbers
        ]
        yield name, instances, True
    lines = range(len(sheet.rows))
    labels = [line.label for line in sheet.columns]
    if {"Estimate", "SE", "Lower", "Upper"} <= set(labels):
        yield "interval", [_interval(r, labels) for r in lines], False
    if {"z", "p"} <= set(labels):
        yield "test", [_test(r, labels) for r in lines], False


def _way(sheet: Sheet, turned: bool) -> Sheet:
    return sheet.transposed() if turned else sheet


Function = Callable[[Number, Sequence[Number], Sequence[Number]], bool | None]
"""(a number, those before it in its line, those after it) -> whether it follows from them."""


def _derived(turned: bool, row: int, column: int, function: Function) -> Check:
    def check(sheet: Sheet) -> bool | None:
        way = _way(sheet, turned)
        x = way.numbers.get((row, column))
        line = [(c, n) for (r, c), n in sorted(way.numbers.items()) if r == row]
        if x is None:
            return None
        before = [n for c, n in line if c < column]
        values = [n.value for n in (*before, x)]
        if max(values) - min(values) <= 6 * x.slack:
            return None  # like numbers have like means, whatever they are
        return function(x, before, [n for c, n in line if c > column])

    return check


def _near(x: Number, value: float, given: Sequence[Number]) -> bool:
    return abs(x.value - value) <= x.slack + max((n.slack for n in given), default=0.0)


def _is_mean(x: Number, before: Sequence[Number], after: Sequence[Number]) -> bool | None:
    if len(before) < 2 or after:
        return None
    return _near(x, math.fsum(n.value for n in before) / len(before), before)


def _is_sum(x: Number, before: Sequence[Number], after: Sequence[Number]) -> bool | None:
    if len(before) < 2 or after:
        return None
    slack = math.fsum(n.slack for n in before) if "." in x.text else 0.5
    return abs(x.value - math.fsum(n.value for n in before)) <= slack + x.slack


def _is_difference(x: Number, before: Sequence[Number], _: Sequence[Number]) -> bool | None:
    if len(before) < 2:
        return None
    a, b = before[-2:]
    return min(abs(x.value - (a.value - b.value)), abs(x.value - (b.value - a.value))) <= (
        x.slack + a.slack + b.slack
    )


def _is_harmonic(x: Number, before: Sequence[Number], _: Sequence[Number]) -> bool | None:
    if len(before) < 2 or before[-1].value + before[-2].value == 0:
        return None
    a, b = (n.value for n in before[-2:])
    return abs(x.value - 2 * a * b / (a + b)) <= 3 * x.slack


def _is_between(x: Number, before: Sequence[Number], after: Sequence[Number]) -> bool | None:
    if len(before) != 1 or len(after) != 1:
        return None
    return before[0].value - x.slack <= x.value <= after[0].value + x.slack


_DERIVED: dict[str, Function] = {
    "mean": _is_mean, "sum": _is_sum, "difference": _is_difference, "harmonic": _is_harmonic,
}  # fmt: skip
_ORDERED: dict[str, Function] = {"mean": _is_between}


def _others(sheet: Sheet, turned: bool, row: int, column: int) -> tuple[Number | None, list[float]]:
    held = _way(sheet, turned).column(column)
    return held.get(row), [n.value for r, n in held.items() if r != row]


def _sized(turned: bool, row: int, column: int) -> Check:
    """Others within a factor of two; this one within five of them."""

    def check(sheet: Sheet) -> bool | None:
        x, others = _others(sheet, turned, row, column)
        sizes = [abs(v) for v in others]
        if x is None or len(sizes) < 4 or min(sizes) == 0 or max(sizes) > 2 * min(sizes):
            return None
        return min(sizes) / 5 < abs(x.value) < max(sizes) * 5

    return check


def _signed(turned: bool, row: int, column: int) -> Check:
    """Others of one sign and within a factor of three; this one of their sign."""

    def check(sheet: Sheet) -> bool | None:
        x, others = _others(sheet, turned, row, column)
        if x is None or len(others) < 4 or min(others) * max(others) <= 0:
            return None
        if max(map(abs, others)) > 3 * min(map(abs, others)):
            return None
        return x.value * others[0] >= 0

    return check


def _digits(turned: bool, row: int, column: int) -> Check:
    def check(sheet: Sheet) -> bool | None:
        held = _way(sheet, turned).column(column)
        places = {r: len(f"{n.mean:f}".partition(".")[2]) for r, n in held.items()}
        others = {p for r, p in places.items() if r != row}
        return places[row] in others if row in places and len(others) == 1 else None

    return check


def _shared(turned: bool, column: int) -> Check:
    def check(sheet: Sheet) -> bool | None:
        held = list(_way(sheet, turned).column(column).values())
        total = math.fsum(n.value for n in held)
        if len(held) < 3:
            return None
        return abs(total - 100) <= math.fsum(n.slack for n in held)

    return check


def _best(turned: bool, column: int) -> Check:
    def check(sheet: Sheet) -> bool | None:
        held = list(_way(sheet, turned).column(column).values())
        bold = [n for n in held if n.bold]
        if not sheet.better or len(bold) != 1 or len(held) < 2:
            return None
        best = (max if sheet.better == "higher" else min)(n.value for n in held)
        return abs(bold[0].value - best) <= bold[0].slack

    return check


def _ordered_stars(turned: bool, column: int) -> Check:
    """The more stars, the further from 0 in errors."""

    def check(sheet: Sheet) -> bool | None:
        held = [n for n in _way(sheet, turned).column(column).values() if n.error and n.value]
        if len(held) < 5 or len({n.stars for n in held}) < 2:
            return None
        by = sorted(held, key=lambda n: abs(n.value) / float(n.error or 1))
        return [n.stars for n in by] == sorted(n.stars for n in held)

    return check


def _differ(turned: bool, a: int, b: int) -> Check:
    def check(sheet: Sheet) -> bool | None:
        way = _way(sheet, turned)
        one, two = way.column(a), way.column(b)
        telling = {n.mean for n in one.values() if len(n.mean.as_tuple().digits) >= 3}
        if len(telling) < 3 or set(one) != set(two):
            return None
        return any(one[r].text != two[r].text for r in one)

    return check


def _interval(row: int, labels: Sequence[str]) -> Check:
    def check(sheet: Sheet) -> bool | None:
        at = [
            sheet.numbers.get((row, labels.index(name)))
            for name in ("Estimate", "SE", "Lower", "Upper")
        ]
        x, error, low, high = at
        if x is None or error is None or low is None or high is None:
            return None
        centred = abs((low.value + high.value) / 2 - x.value) <= 2 * x.slack
        wide = abs((high.value - low.value) / 2 - 1.96 * error.value) <= 4 * x.slack
        return centred and wide

    return check


def _test(row: int, labels: Sequence[str]) -> Check:
    def check(sheet: Sheet) -> bool | None:
        z, p = (sheet.numbers.get((row, labels.index(name))) for name in ("z", "p"))
        if z is None or p is None:
            return None
        ends = [math.erfc((abs(z.value) + s * z.slack) / math.sqrt(2)) for s in (1, -1)]
        return ends[0] - p.slack <= p.value <= ends[1] + p.slack

    return check


def _whole(x: Number) -> bool | None:
    if x.items is None or x.runs is None or not x.percent:
        return None
    count = x.value * x.items * x.runs / 100
    return abs(count - round(count)) <= x.slack * x.items * x.runs / 100


_ALONE: dict[str, Callable[[Number], bool | None]] = {
    "percentage": lambda x: 0 <= x.value <= 100 if x.percent else None,
    "spread": lambda x: float(x.error) <= 75 if x.percent and x.error is not None else None,
    "counts": _whole,
    "inside": lambda x: None if x.low is None or x.high is None else x.low <= x.mean <= x.high,
}
