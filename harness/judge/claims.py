"""Claims evaluated on numbers: the paper's own, or ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

from harness.judge.comparison import Comparison, Numbers, Question, in_units, itself, not_run
from harness.judge.decision import Region, alike, between, more, no_less
from harness.judge.model import Interval, OutcomeName, Source, together
from harness.judge.moderated import Difference
from harness.judge.sample import Summary
from harness.spec import claims as spec
from harness.spec.operands import Operand, Pair, printed_count, printed_step
from harness.spec.printed import Printed
from harness.spec.units import Unit


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a claim, in one word and one sentence, with every comparison made for it."""

    outcome: OutcomeName
    why: str
    comparisons: tuple[Comparison, ...] = ()


def evaluate(
    claim: spec.Claim,
    numbers: Callable[[str], Summary | None],
    source: Source = "reported",
    runs: Mapping[str, str] | None = None,
    *,
    quoted: frozenset[str] = frozenset(),
    searched: Mapping[str, Interval] | None = None,
    by_seed: Mapping[str, Mapping[int, float]] | None = None,
    lower: frozenset[str] = frozenset(),
    without: Mapping[str, Printed] | None = None,
    units: Mapping[str, Unit] | None = None,
) -> Evaluation:
    """Evaluate one claim on the numbers that `numbers` gives for addresses (None: there is none).

    `runs` tells which addresses stand for the same runs, `quoted` and `searched` which comparisons
    could not fail, `by_seed` which runs are pairs, and `lower` of which numbers the lower ones are
    better, see `Numbers`. `without` holds what the paper prints at addresses without a number, and
    `units` in which unit it prints one.

    Numbers without uncertainty, such as fitted parameters or counts, are `Summary.exact`. A claim
    holds when every comparison holds and fails when any fails. A missing number makes it
    `not run`, unless it already fails. Comparisons of a number with itself, and such as do not
    apply, count for nothing beside others.
    """
    if source == "reproduced" and spec.about_print(claim):
        return Evaluation("printed only", "it is about what the paper prints, not about results")
    others = without or {}
    bounds = {at: printed for at, printed in others.items() if printed.kind == "number"}
    known = Numbers(
        numbers,
        source,
        runs or {},
        quoted,
        searched or {},
        by_seed or {},
        lower,
        bounds,
        units or {},
    )
    made = _PREDICATES[claim.kind](claim, known)
    return _combined([_without_number(each, others) for each in made])


def _without_number(made: Comparison, printed: Mapping[str, Printed]) -> Comparison:
    """The same, if numbers are missing where the paper prints something else: a bound that does not
    settle it leaves it undecided, and to a word it does not apply.
    """
    others = [printed[address] for address in made.missing if address in printed]
    if made.outcome != "not run" or not others or len(others) < len(made.missing):
        return made
    bounds = all(other.kind == "number" for other in others)
    texts = ", ".join(f"'{other.text}'" for other in others)
    return replace(
        made,
        outcome="undecided" if bounds else "not applicable",
        why=f"{made.what}: the paper prints {texts}, {'a bound' if bounds else 'no number'}",
        missing=(),
    )


def _combined(comparisons: list[Comparison]) -> Evaluation:
    """The comparisons taken together."""
    made = tuple(comparisons)
    outcome = together(c.outcome for c in made)
    missing = dict.fromkeys(address for c in made for address in c.missing)
    decided = [c for c in made if c.outcome == outcome]
    if missing and outcome == "not run":
        return Evaluation(outcome, f"no number for {', '.join(missing)}", made)
    return Evaluation(outcome, _headline(decided, made) if made else "no number for anything", made)


def _headline(chosen: list[Comparison], made: tuple[Comparison, ...]) -> str:
    """The first of the comparisons that decided, and how many they are."""
    if len(made) == 1:
        return chosen[0].why
    return f"{len(chosen)} of {len(made)} comparisons {_VERBS[chosen[0].outcome]}: {chosen[0].why}"


_VERBS: Mapping[OutcomeName, str] = {
    "holds": "hold",
    "fails": "fail",
    "undecided": "are undecided",
    "not applicable": "do not apply",
    "restated": "compare a number with itself",
    "not run": "have no number",
    "printed only": "are about print",
}


def _equal(claim: spec.Equal, numbers: Numbers) -> list[Comparison]:
    return [numbers.in_one_unit((a, b), partial(_same, a, b)) for a, b in claim.pairs()]


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
    if len(spreads) == 2 and not math.isclose(*spreads, abs_tol=1e-9):
        return Comparison(what, "fails", f"{what} have different ± about {first.mean:g}", gap)
    return Comparison(what, "holds", f"{what} are both {first.mean:g}", gap)


def _greater(claim: spec.Greater, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([numbers.beyond(more(claim.margin), a, b) for a, b in claim.pairs()])


def _on_par(claim: spec.OnPar, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([Question(alike(claim.margin), a, b) for a, b in claim.pairs()])


def _on_par_or_better(claim: spec.OnParOrBetter, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([numbers.beyond(no_less(claim.margin), a, b) for a, b in claim.pairs()])


def _gap_closes(claim: spec.GapCloses, numbers: Numbers) -> list[Comparison]:
    """Where no wide gap is there to close, the claim does not apply."""
    columns = numbers.distinct_gaps(_leads(claim, numbers))
    unproven: list[Comparison] = []
    closing: list[Question] = []
    for wide, narrow in columns:
        found = numbers.answer(Question(more(claim.margin), *wide))
        if found.outcome == "holds":
            closing.append(Question(alike(claim.margin), *narrow))
        elif found.interval and found.difference is not None and found.difference <= claim.margin:
            why = f"{found.why}, so there is no gap to close"
            unproven.append(replace(found, outcome="not applicable", why=why))
        else:
            unproven.append(found)
    return unproven + numbers.ask(closing)


def _gap_shrinks(claim: spec.GapShrinks, numbers: Numbers) -> list[Comparison]:
    return numbers.ask_gaps(more(claim.margin), _leads(claim, numbers))


def _leads(claim: spec.GapCloses | spec.GapShrinks, numbers: Numbers) -> list[tuple[Pair, Pair]]:
    """The wide and the narrow gap of each column: how much better left is than right."""
    gaps = ([numbers.lead(*pair) for pair in claim.gaps(c)] for c in (claim.wide, claim.narrow))
    return list(zip(*gaps, strict=True))


def _increasing(claim: spec.Increasing, numbers: Numbers) -> list[Comparison]:
    steps = [step for sequence in claim.sequences() for step in pairwise(sequence)]
    return numbers.ask([Question(more(claim.margin), later, earlier) for earlier, later in steps])


def _saturates(claim: spec.Saturates, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([Question(alike(claim.margin), s[-1], s[-2]) for s in claim.sequences()])


def _within(claim: spec.Within, numbers: Numbers) -> list[Comparison]:
    region, cells = between(claim.low, claim.high), tuple(claim.operands())
    return numbers.ask([Question(region, cell, beside=cells) for cell in cells])


def _slower(claim: spec.Slower, numbers: Numbers) -> list[Comparison]:
    """slow - factor * fast, which unlike the ratio has a test with small samples."""
    return numbers.ask([Question(no_less(0.0), claim.slow, claim.fast, claim.factor)])


def _correlation(claim: spec.Correlation, numbers: Numbers) -> list[Comparison]:
    """A coefficient without a spread over runs gets its sampling error from the points.

    On Fisher's scale the error is sqrt((1 + rho^2 / 2) / (points - 3)) for Spearman's coefficient
    (Bonett and Wright, 2000), a little more than Pearson's.
    """
    number, what = numbers.read(claim.value), str(claim.value)
    region = between(claim.low, claim.high)
    if number is not None and abs(number.mean) > 1:
        why = f"{what} is {number.mean:.4g}, and a correlation lies in [-1, 1]"
        return [Comparison(what, "not run", why)]
    if number is None or claim.points is None or number.std or abs(number.mean) >= 1:
        return numbers.ask([Question(region, claim.value)])
    # Ours may be of other points than the paper's.
    if numbers.source == "reproduced" or number.obstacle:
        return numbers.ask([Question(region, claim.value)])
    error = math.sqrt((1 + number.mean**2 / 2) / (claim.points - 3))
    on_scale = Difference(math.atanh(number.mean), error, math.inf)
    outcome = between(_fisher(claim.low), _fisher(claim.high)).place(on_scale)
    low, high = (math.tanh(end) for end in on_scale.interval())
    verb = {"holds": "is", "fails": "is not", "undecided": "is not surely"}[outcome]
    why = (
        f"{what} is {number.mean:+.4g} over {claim.points} points "
        f"(95 % interval {low:+.4g} to {high:+.4g}) and {verb} {region.words}"
    )
    return [Comparison(what, outcome, why, number.mean, (low, high))]


def _fisher(bound: float | None) -> float | None:
    return None if bound is None or abs(bound) == 1 else math.atanh(bound)


def _parameter_domain(claim: spec.ParameterDomain, numbers: Numbers) -> list[Comparison]:
    if numbers.source == "reproduced":
        return numbers.ask([Question(_inside(claim), claim.value)])
    number, what = numbers.read(claim.value), str(claim.value)
    if number is None:
        return [not_run(what, numbers.missing(claim.value))]
    low = -math.inf if claim.low is None else claim.low
    high = math.inf if claim.high is None else claim.high
    above = number.mean > low if claim.low_open else number.mean >= low
    below = number.mean < high if claim.high_open else number.mean <= high
    ends = f"{'(' if claim.low_open else '['}{low:g}, {high:g}{')' if claim.high_open else ']'}"
    outcome: OutcomeName = "holds" if above and below else "fails"
    where = "in" if outcome == "holds" else "outside"
    return [Comparison(what, outcome, f"{what} is {number.mean:g}, {where} its domain {ends}")]


def _inside(claim: spec.ParameterDomain) -> Region:
    """The domain without its open ends."""
    low, high = between(claim.low, claim.high).low, between(claim.low, claim.high).high
    return Region(
        "in the domain",
        math.nextafter(low, math.inf) if claim.low_open else low,
        math.nextafter(high, -math.inf) if claim.high_open else high,
    )


def _times(claim: spec.Times, numbers: Numbers) -> list[Comparison]:
    """One of the two that are multiplied may have a unit, which is then that of the product."""
    sides = (claim.of, claim.factor)
    units = {o: numbers.units[o] for o in sides if isinstance(o, str) and o in numbers.units}
    measured: list[Operand] = [o for o, unit in units.items() if unit.name]
    if len(measured) > 1:
        return [in_units(f"{claim.factor} × {claim.of}", units.values())]
    with_unit = (claim.number, *(measured or [claim.of]))
    return [numbers.in_one_unit(with_unit, partial(_product, claim))]


def _product(claim: spec.Times, numbers: Numbers) -> Comparison:
    operands = (claim.number, claim.of, claim.factor)
    what = f"{claim.number} against {claim.factor} × {claim.of}"
    number, of, factor = (numbers.read(operand) for operand in operands)
    if number is None or of is None or factor is None:
        return not_run(what, numbers.missing(*operands))
    product = factor.mean * of.mean
    outcome: OutcomeName = "holds" if math.isclose(number.mean, product) else "fails"
    verb = "is" if outcome == "holds" else "is not"
    why = f"{claim.number} is {number.mean:g}, which {verb} {factor.mean:g} × {of.mean:g}"
    return Comparison(what, outcome, why, number.mean - product)


def _arithmetic(claim: spec.Arithmetic, numbers: Numbers) -> list[Comparison]:
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
    chosen: Callable[[Iterable[float]], float],
    pairs: Sequence[Pair],
    printed: Printed,
    numbers: Numbers,
) -> Comparison:
    """Whether the chosen difference rounds to the printed one, in the unit of that.

    Where numbers are printed without a unit, digits that come out are taken to be in one.
    """
    operands = [operand for pair in pairs for operand in pair]
    view = numbers.in_unit(Unit.of(printed), operands)
    gap = chosen(_gap(a, b, view or numbers) for a, b in pairs)
    step = None if view is None else (printed.number, printed.rounding)
    made = _rounded(what, gap, printed, step)
    units = [numbers.units[o] for o in operands if isinstance(o, str) and o in numbers.units]
    every = [*units, Unit.of(printed)]
    if view or not units or (made.outcome == "holds" and Unit() in every):
        return made
    return in_units(what, every)


def _gap(a: Operand, b: Operand, numbers: Numbers) -> float:
    first, second = numbers.read(a), numbers.read(b)
    assert first is not None  # nothing is missing
    assert second is not None
    return first.mean - second.mean


def _parameter_count(claim: spec.ParameterCount, numbers: Numbers) -> list[Comparison]:
    ones = numbers.in_unit(Unit("ones"), [claim.count]) or numbers
    number, what = ones.read(claim.count), "the count"
    if number is None:
        return [not_run(what, numbers.missing(claim.count))]
    return [_rounded(what, number.mean, claim.printed, printed_count(claim.printed))]


def _rounded(
    what: str, value: float, printed: Printed, step: tuple[Decimal, Decimal] | None = None
) -> Comparison:
    """Whether a number rounds to the printed one; halves may go either way."""
    target, half = step or printed_step(printed)
    off = abs(Decimal(repr(round(value, 9))) - target)
    outcome: OutcomeName = "holds" if off <= half else "fails"
    verb = "rounds" if outcome == "holds" else "does not round"
    why = f"{what} is {value:.10g}, which {verb} to the printed {printed}"
    return Comparison(what, outcome, why, value)


_PREDICATES: Mapping[str, Callable[[Any, Numbers], list[Comparison]]] = {
    "equal": _equal,
    "on_par": _on_par,
    "greater": _greater,
    "on_par_or_better": _on_par_or_better,
    "gap_closes": _gap_closes,
    "gap_shrinks": _gap_shrinks,
    "increasing": _increasing,
    "saturates": _saturates,
    "within": _within,
    "correlation": _correlation,
    "parameter_domain": _parameter_domain,
    "slower": _slower,
    "times": _times,
    "arithmetic": _arithmetic,
    "parameter_count": _parameter_count,
}
