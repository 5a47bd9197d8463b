"""Claims evaluated on numbers: the paper's own, or ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from harness.judge.comparison import Comparison, Numbers, Question, not_run
from harness.judge.decision import Region, alike, between, more, no_less
from harness.judge.gaps import ask_gaps, distinct_gaps
from harness.judge.model import OutcomeName, together
from harness.judge.moderated import Difference
from harness.judge.printed_claims import arithmetic, equal, parameter_count, times
from harness.spec import claims as spec
from harness.spec.operands import Pair
from harness.spec.printed import Printed


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a claim, in one word and one sentence, with every comparison made for it."""

    outcome: OutcomeName
    why: str
    comparisons: tuple[Comparison, ...] = ()


def evaluate(claim: spec.Claim, numbers: Numbers) -> Evaluation:
    """Evaluate one claim.

    A claim holds when every comparison holds and fails when any fails. A missing number makes it
    `not run`, unless it already fails. Comparisons of a number with itself, and such as do not
    apply, count for nothing beside others.
    """
    if numbers.source == "reproduced" and spec.about_print(claim):
        return Evaluation("printed only", "it is about what the paper prints, not about results")
    made = _PREDICATES[claim.kind](claim, numbers)
    return _combined([_without_number(each, numbers.without) for each in made])


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


def _greater(claim: spec.Greater, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([numbers.beyond(more(claim.margin), a, b) for a, b in claim.pairs()])


def _on_par(claim: spec.OnPar, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([Question(alike(claim.margin), a, b) for a, b in claim.pairs()])


def _on_par_or_better(claim: spec.OnParOrBetter, numbers: Numbers) -> list[Comparison]:
    return numbers.ask([numbers.beyond(no_less(claim.margin), a, b) for a, b in claim.pairs()])


def _gap_closes(claim: spec.GapCloses, numbers: Numbers) -> list[Comparison]:
    """Where no wide gap is there to close, the claim does not apply."""
    columns = distinct_gaps(numbers, _leads(claim, numbers))
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
    return ask_gaps(numbers, claim.margin, _leads(claim, numbers), size=claim.size)


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
    region = between(claim.low, claim.high)
    return numbers.ask([Question(region, cell) for cell in claim.operands()])


def _slower(claim: spec.Slower, numbers: Numbers) -> list[Comparison]:
    """slow - factor * fast, which unlike the ratio has a test with small samples."""
    return numbers.ask([Question(no_less(0.0), claim.slow, claim.fast, claim.factor)])


def _correlation(claim: spec.Correlation, numbers: Numbers) -> list[Comparison]:
    """A coefficient without a spread over runs gets its sampling error from the points.

    On Fisher's scale the error is sqrt((1 + rho^2 / 2) / (points - 3)) for Spearman's coefficient
    (Bonett and Wright, 2000), a little more than Pearson's.
    """
    number, what = numbers.read(claim.value), str(claim.value)
    region = _of_coefficients(between(claim.low, claim.high))
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
    outcome = replace(region, low=_fisher(region.low), high=_fisher(region.high)).place(on_scale)
    low, high = (math.tanh(end) for end in on_scale.interval())
    verb = {"holds": "is", "fails": "is not", "undecided": "is not surely"}[outcome]
    why = (
        f"{what} is {number.mean:+.4g} over {claim.points} points "
        f"(95 % interval {low:+.4g} to {high:+.4g}) and {verb} {region.words}"
    )
    return [Comparison(what, outcome, why, number.mean, (low, high))]


def _of_coefficients(region: Region) -> Region:
    """The same without an end that no coefficient can pass: a low of -1 or a high of 1."""
    low = -math.inf if region.low == -1 else region.low
    return replace(region, low=low, high=math.inf if region.high == 1 else region.high)


def _fisher(bound: float) -> float:
    return math.copysign(math.inf, bound) if abs(bound) >= 1 else math.atanh(bound)


def _parameter_domain(claim: spec.ParameterDomain, numbers: Numbers) -> list[Comparison]:
    """A printed number is held against it as it is, whatever its ±."""
    domain = _domain(claim)
    if numbers.source == "reproduced":
        return numbers.ask([Question(domain, claim.value)])
    number, what = numbers.read(claim.value), str(claim.value)
    if number is None:
        return [not_run(what, numbers.missing(claim.value))]
    outcome = domain.place(Difference.exact(number.mean))
    verb = "is" if outcome == "holds" else "is not"
    return [Comparison(what, outcome, f"{what} is {number.mean:g} and {verb} {domain.words}")]


def _domain(claim: spec.ParameterDomain) -> Region:
    ends = between(claim.low, claim.high)
    first, last = "[("[claim.low_open], "])"[claim.high_open]
    return replace(
        ends,
        words=f"in its domain {first}{ends.low:g}, {ends.high:g}{last}",
        low_open=claim.low_open,
        high_open=claim.high_open,
    )


_PREDICATES: Mapping[str, Callable[[Any, Numbers], list[Comparison]]] = {
    "equal": equal,
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
    "times": times,
    "arithmetic": arithmetic,
    "parameter_count": parameter_count,
}
