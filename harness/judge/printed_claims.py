"""Claims about what the paper prints: one number in two places, multiples, differences, counts.

What rounding of printed numbers can explain is not held against a claim.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from decimal import Decimal

from harness.judge.comparison import Comparison, Numbers, itself, not_run
from harness.judge.model import OutcomeName
from harness.spec import claims as spec
from harness.spec.operands import Operand, printed_count, printed_step
from harness.spec.printed import Printed


@dataclass(frozen=True, slots=True)
class Reach:
    """A number to its digits, between the least and the most that they may have been rounded from.

    Printed numbers are decimals, and so is what is computed from them.
    """

    low: Decimal
    value: Decimal
    high: Decimal

    @classmethod
    def of(cls, operand: Operand, numbers: Numbers) -> Reach | None:
        """That of an operand; None where there is no number. One of the spec itself is exact."""
        number = numbers.read(operand)
        if number is None:
            return None
        half_unit = numbers.half_units.get(operand, 0.0) if isinstance(operand, str) else 0.0
        value, half = Decimal(_digits(number.mean)), Decimal(_digits(half_unit))
        return cls(value - half, value, value + half)

    def __sub__(self, other: Reach) -> Reach:
        return Reach(self.low - other.high, self.value - other.value, self.high - other.low)

    def __mul__(self, other: Reach) -> Reach:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Reach(min(ends), self.value * other.value, max(ends))


def equal(claim: spec.Equal, numbers: Numbers) -> list[Comparison]:
    return [_same(a, b, numbers) for a, b in claim.pairs()]


def _same(a: Operand, b: Operand, numbers: Numbers) -> Comparison:
    what = f"{a} and {b}"
    first, second = numbers.read(a), numbers.read(b)
    if first is None or second is None:
        return not_run(what, numbers.missing(a, b))
    if a == b and isinstance(a, str):
        return itself(what)
    gap = first.mean - second.mean
    if not math.isclose(first.mean, second.mean):
        why = f"{a} is {first.mean:g} but {b} is {second.mean:g}"
        return Comparison(what, "fails", why, gap)
    # A constant (n = 1) prints no ±, so it has none to differ.
    spreads = [side.std for side in (first, second) if side.n > 1 and side.std is not None]
    if len(spreads) == 2 and not math.isclose(*spreads):
        return Comparison(what, "fails", f"{what} have different ± about {first.mean:g}", gap)
    return Comparison(what, "holds", f"{what} are both {first.mean:g}", gap)


def times(claim: spec.Times, numbers: Numbers) -> list[Comparison]:
    """What rounding of the three can explain is not held against them."""
    operands = (claim.number, claim.of, claim.factor)
    what = f"{claim.number} against {claim.factor} × {claim.of}"
    number, of, factor = (Reach.of(operand, numbers) for operand in operands)
    if number is None or of is None or factor is None:
        return [not_run(what, numbers.missing(*operands))]
    apart = number - factor * of
    outcome: OutcomeName = "holds" if apart.low <= 0 <= apart.high else "fails"
    verb = "is" if outcome == "holds" else "is not"
    product = f"{_short(factor)} × {_short(of)}"
    rounding = " within rounding" if outcome == "holds" and apart.value else ""
    why = f"{claim.number} is {_short(number)}, which {verb} {product}{rounding}"
    return [Comparison(what, outcome, why, float(apart.value))]


def arithmetic(claim: spec.Arithmetic, numbers: Numbers) -> list[Comparison]:
    pairs = claim.pairs()
    gaps = [_gap(a, b, numbers) for a, b in pairs]
    names = [f"{a} - {b}" for a, b in pairs]
    absent = [numbers.missing(a, b) for a, b in pairs]
    if claim.printed:
        return [
            not_run(name, missing) if gap is None else _rounded(name, gap, printed)
            for name, missing, gap, printed in zip(names, absent, gaps, claim.printed, strict=True)
        ]
    known = [gap for gap in gaps if gap is not None]
    if len(known) < len(gaps):
        return [not_run(n, missing) for n, missing in zip(names, absent, strict=True) if missing]
    assert claim.smallest is not None
    assert claim.largest is not None
    smallest, largest = (
        Reach(end(g.low for g in known), end(g.value for g in known), end(g.high for g in known))
        for end in (min, max)
    )
    return [
        _rounded("the smallest difference", smallest, claim.smallest),
        _rounded("the largest difference", largest, claim.largest),
    ]


def _gap(a: Operand, b: Operand, numbers: Numbers) -> Reach | None:
    first, second = Reach.of(a, numbers), Reach.of(b, numbers)
    return None if first is None or second is None else first - second


def parameter_count(claim: spec.ParameterCount, numbers: Numbers) -> list[Comparison]:
    number, what = Reach.of(claim.count, numbers), "the count"
    if number is None:
        return [not_run(what, numbers.missing(claim.count))]
    return [_rounded(what, number, claim.printed, printed_count(claim.printed))]


def _rounded(
    what: str, number: Reach, printed: Printed, step: tuple[Decimal, Decimal] | None = None
) -> Comparison:
    """Whether a number rounds to the printed one; halves may go either way."""
    target, half = step or printed_step(printed)
    holds = number.low - half <= target <= number.high + half
    outcome: OutcomeName = "holds" if holds else "fails"
    verb = "rounds" if holds else "does not round"
    matters = number.low < number.high and abs(number.value - target) > half
    before = f" ({number.low:f} to {number.high:f} before rounding)" * matters
    why = f"{what} is {_short(number)}{before}, which {verb} to the printed {printed}"
    return Comparison(what, outcome, why, float(number.value))


def _digits(number: float) -> str:
    """A number to the digits that binary fractions keep of a decimal."""
    return f"{number:.{sys.float_info.dig}g}"


def _short(number: Reach) -> str:
    return f"{float(number.value):.10g}"
