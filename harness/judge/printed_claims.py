"""Claims about what the paper prints: one number in two places, multiples, differences, counts.

What rounding of printed numbers can explain is not held against a claim.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from harness.judge.comparison import Comparison, Numbers, in_units, itself, not_run
from harness.judge.model import OutcomeName
from harness.spec import claims as spec
from harness.spec.operands import Operand, Pair, printed_count, printed_step
from harness.spec.printed import Printed
from harness.spec.units import Unit, are_one


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

    def has(self, value: int) -> bool:
        return self.low <= value <= self.high

    def __sub__(self, other: Reach) -> Reach:
        return Reach(self.low - other.high, self.value - other.value, self.high - other.low)

    def __mul__(self, other: Reach) -> Reach:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Reach(min(ends), self.value * other.value, max(ends))


def equal(claim: spec.Equal, numbers: Numbers) -> list[Comparison]:
    return [numbers.in_one_unit((a, b), partial(_same, numbers, a, b)) for a, b in claim.pairs()]


def _same(printed: Numbers, a: Operand, b: Operand, numbers: Numbers) -> Comparison:
    """As printed; of numbers that are printed in two units, as far as their rounding tells."""
    what, converted = f"{a} and {b}", numbers is not printed
    first, second = numbers.read(a), numbers.read(b)
    if first is None or second is None:
        return not_run(what, numbers.missing(a, b))
    if a == b and isinstance(a, str):
        return itself(what)
    gap = first.mean - second.mean
    exactly = math.isclose(first.mean, second.mean)
    if not (_gap(a, b, numbers).has(0) if converted else exactly):
        why = f"{a} is {first.mean:g} but {b} is {second.mean:g}"
        return Comparison(what, "fails", why, gap)
    # A constant (n = 1) prints no ±, so it has none to differ.
    spreads = [side.std for side in (first, second) if side.n > 1 and side.std is not None]
    if len(spreads) == 2 and not math.isclose(*spreads):
        outcome: OutcomeName = "undecided" if converted else "fails"
        return Comparison(what, outcome, f"{what} have different ± about {first.mean:g}", gap)
    rounding = "" if exactly else " within rounding"
    return Comparison(what, "holds", f"{what} are both {first.mean:g}{rounding}", gap)


def times(claim: spec.Times, numbers: Numbers) -> list[Comparison]:
    """One of the two that are multiplied may have a unit, which is then that of the product."""
    sides = (claim.of, claim.factor)
    units = numbers.units_of(sides)
    measured: list[Operand] = [o for o, unit in units.items() if unit.name]
    if len(measured) > 1:
        return [in_units(f"{claim.factor} × {claim.of}", units.values())]
    with_unit = (claim.number, *(measured or [claim.of]))
    return [numbers.in_one_unit(with_unit, partial(_product, claim))]


def _product(claim: spec.Times, numbers: Numbers) -> Comparison:
    """What rounding of the three can explain is not held against them."""
    operands = (claim.number, claim.of, claim.factor)
    what = f"{claim.number} against {claim.factor} × {claim.of}"
    number, of, factor = (Reach.of(operand, numbers) for operand in operands)
    if number is None or of is None or factor is None:
        return not_run(what, numbers.missing(*operands))
    apart = number - factor * of
    outcome: OutcomeName = "holds" if apart.has(0) else "fails"
    verb = "is" if outcome == "holds" else "is not"
    product = f"{_short(factor)} × {_short(of)}"
    rounding = " within rounding" if outcome == "holds" and apart.value else ""
    why = f"{claim.number} is {_short(number)}, which {verb} {product}{rounding}"
    return Comparison(what, outcome, why, float(apart.value))


def arithmetic(claim: spec.Arithmetic, numbers: Numbers) -> list[Comparison]:
    pairs = claim.pairs()
    names = [f"{a} - {b}" for a, b in pairs]
    absent = [numbers.missing(a, b) for a, b in pairs]
    if claim.printed:
        return [
            not_run(name, missing) if missing else _comes_to(name, min, [pair], printed, numbers)
            for name, missing, pair, printed in zip(
                names, absent, pairs, claim.printed, strict=True
            )
        ]
    if any(absent):
        return [not_run(n, missing) for n, missing in zip(names, absent, strict=True) if missing]
    assert claim.smallest is not None
    assert claim.largest is not None
    return [
        _comes_to("the smallest difference", min, pairs, claim.smallest, numbers),
        _comes_to("the largest difference", max, pairs, claim.largest, numbers),
    ]


def _comes_to(
    what: str,
    end: Callable[[Iterable[Decimal]], Decimal],
    pairs: Sequence[Pair],
    printed: Printed,
    numbers: Numbers,
) -> Comparison:
    """Whether the least or the largest difference rounds to the printed one, in the unit of that.

    Where only one side has a unit, digits that come out count, and others leave it open.
    """
    operands = [operand for pair in pairs for operand in pair]
    units, unit = list(numbers.units_of(operands).values()), Unit.of(printed)
    view = numbers.in_unit(unit, operands)
    unknown = bool(units) and view is None
    named = [bool(unit.name), any(each.name for each in units)]
    if unknown and (all(named) or not are_one(units)):
        return in_units(what, [*units, unit])
    gaps = [_gap(a, b, view or numbers) for a, b in pairs]
    reach = Reach(end(g.low for g in gaps), end(g.value for g in gaps), end(g.high for g in gaps))
    step = None if view is None else (printed.number, printed.rounding)
    made = _rounded(what, reach, printed, step)
    unsure = unknown and any(named) and made.outcome == "fails"
    return in_units(what, [*units, unit]) if unsure else made


def _gap(a: Operand, b: Operand, numbers: Numbers) -> Reach:
    first, second = Reach.of(a, numbers), Reach.of(b, numbers)
    assert first is not None  # nothing is missing
    assert second is not None
    return first - second


def parameter_count(claim: spec.ParameterCount, numbers: Numbers) -> list[Comparison]:
    ones = numbers.in_unit(Unit("ones"), [claim.count]) or numbers
    number, what = Reach.of(claim.count, ones), "the count"
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
