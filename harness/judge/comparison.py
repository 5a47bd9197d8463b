"""One comparison of two numbers, or of a number with an interval, with three honest answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeVar

from harness.judge.decision import ALPHA, Region
from harness.judge.model import Interval, OutcomeName, Source
from harness.judge.moderated import Difference, difference
from harness.judge.sample import Summary, paired
from harness.spec.operands import Operand, Pair
from harness.spec.printed import Printed
from harness.spec.units import Unit, are_one

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison, its outcome, and why; `interval` is the 95 % one."""

    what: str
    outcome: OutcomeName
    why: str
    difference: float | None = None
    interval: tuple[float, float] | None = None
    missing: tuple[str, ...] = ()


class Question(NamedTuple):
    """Does first - factor * second lie in the region? Without a second number: does the first?"""

    region: Region
    first: Operand
    second: Operand | None = None
    factor: float = 1.0

    def __str__(self) -> str:
        times = "" if self.factor == 1 else f"{self.factor:g} × "
        return str(self.first) if self.second is None else f"{self.first} - {times}{self.second}"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that a claim is evaluated on.

    Reported numbers without any ± are compared as printed. Reproduced ones without a spread are
    single runs, and leave a comparison undecided.
    """

    lookup: Callable[[str], Summary | None]
    source: Source = "reported"
    runs: Mapping[str, str] = field(default_factory=dict)
    """Address -> the first address that stands for the same runs, where a profile maps several
    cells to one. Such cells are one piece of evidence and are compared once."""
    quoted: frozenset[str] = frozenset()
    """Addresses of numbers that were copied from the very sentence of the claim."""
    searched: Mapping[str, Interval] = field(default_factory=dict)
    """Address -> the ends of the search that gave the number, which it cannot pass."""
    by_seed: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """Address -> its runs by seed. Runs of one seed have their initial networks and the order of
    their data in common, so that they are compared as pairs."""
    lower: frozenset[str] = frozenset()
    """Addresses of numbers of which lower ones are better."""
    without: Mapping[str, Printed] = field(default_factory=dict)
    """Address without a number -> what the paper prints there: a word, or a bound as `< 0.001`."""
    half_units: Mapping[str, float] = field(default_factory=dict)
    """Address -> half a unit of the last printed digit."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    """Address -> the unit that is printed there, in which ours is too. A number that the claim
    itself gives has none, and is in the unit of those that it stands beside."""

    def beyond(self, region: Region, better: Operand, worse: Operand) -> Question:
        """Does a number lie in the region above another one; or below it, where lower is better?"""
        return Question(region, *self.lead(better, worse))

    def lead(self, better: Operand, worse: Operand) -> Pair:
        """The two in the order in which their difference is how much the first is better."""
        if self.lower.intersection(o for o in (better, worse) if isinstance(o, str)):
            return worse, better
        return better, worse

    def read(self, operand: Operand) -> Summary | None:
        """The number, or None where there is none."""
        return self.lookup(operand) if isinstance(operand, str) else Summary.exact(operand)

    def units_of(self, operands: Iterable[Operand]) -> dict[str, Unit]:
        """The units that are known of some of them."""
        return {o: self.units[o] for o in operands if isinstance(o, str) and o in self.units}

    def in_unit(self, unit: Unit, operands: Sequence[Operand]) -> Numbers | None:
        """The same, with these numbers in another unit; None where it is not known how."""
        units = self.units_of(operands)
        sizes = {at: size for at, u in units.items() if (size := u.per(unit)) is not None}
        # One without a unit stays as it is, so those that it stands beside have to.
        whole = len(units) == len(set(operands)) or set(sizes.values()) == {1.0}
        return self._scaled(sizes) if whole and len(sizes) == len(units) else None

    def _scaled(self, sizes: Mapping[str, float]) -> Numbers:
        """The same in units that are so many times smaller, none of which counts as printed."""

        def size(address: str) -> float:
            return sizes.get(address, 1.0)

        def lookup(address: str) -> Summary | None:
            number = self.lookup(address)
            return None if number is None else number.scaled(size(address))

        return replace(
            self,
            lookup=lookup,
            searched={at: (a * size(at), b * size(at)) for at, (a, b) in self.searched.items()},
            half_units={at: half * size(at) for at, half in self.half_units.items()},
            by_seed={
                at: {seed: value * size(at) for seed, value in runs.items()}
                for at, runs in self.by_seed.items()
            },
            without={
                at: replace(text, value=text.value and text.value * Decimal(repr(size(at))))
                for at, text in self.without.items()
            },
            units={},
        )

    def in_one_unit(
        self, operands: Sequence[Operand], made: Callable[[Numbers], Comparison], *ends: float
    ) -> Comparison:
        """The comparison made of numbers in one unit.

        Args:
            ends: margins and bounds that the claim gives. Nothing says in which of several units
                one other than 0 is, so that all numbers of the claim have to be in one.
        """
        sized = any(end and math.isfinite(end) for end in ends)
        units = list(self.units_of(self.units if sized else operands).values())
        if are_one(units):
            return made(self)
        view = None if sized else self.in_unit(units[0], operands)
        found = made(view or self)
        if found.outcome == "not run":
            return found
        if view is not None:
            return replace(found, why=f"{found.why} (in {units[0]})")
        return in_units(found.what, units, sized)

    def unusable(self, what: str, operands: Sequence[Operand]) -> Comparison | None:
        """The comparison where nothing can be held against one of the numbers; else None."""
        numbers = ((operand, self.read(operand)) for operand in operands)
        why = [f"{at}: {number.obstacle}" for at, number in numbers if number and number.obstacle]
        return Comparison(what, "undecided", f"nothing to compare: {why[0]}") if why else None

    def missing(self, *operands: Operand) -> tuple[str, ...]:
        """The operands that have no number."""
        return tuple(o for o in operands if isinstance(o, str) and self.lookup(o) is None)

    def ask(self, questions: Sequence[Question]) -> list[Comparison]:
        """Answer the questions of one claim.

        A claim holds only if every comparison does, so each may be tested at 5 %; it fails if any
        one fails, so failing is tested at 5 % over their number (Bonferroni).
        """
        distinct = self.distinct(questions, questions)
        return [self.answer(question, ALPHA / len(distinct)) for question in distinct]

    def answer(self, question: Question, alpha: float = ALPHA) -> Comparison:
        """Answer one question; failing is tested at `alpha`."""
        named = [o for o in (question.first, question.second) if o is not None]
        asked = partial(Numbers._answered, question=question, alpha=alpha)
        return self.in_one_unit(named, asked, question.region.low, question.region.high)

    def _answered(self, question: Question, alpha: float) -> Comparison:
        """The same, of numbers in one unit."""
        found = self._tested(question, alpha)
        if found.outcome == "not run":
            return self._at_bounds(question, alpha) or found
        same = isinstance(question.first, str) and question.first == question.second
        if same and question.factor == 1:
            return itself(found.what)
        if self.source == "reported" and self._copied(question, found):
            why = f"{found.what}: the number is copied from this sentence, and equals it"
            return replace(found, outcome="restated", why=why)
        if self.source == "reproduced" and self.cannot_fail(question):
            why = f"{found.what} is so by construction: the search goes no further"
            return replace(found, outcome="restated", why=why)
        return found

    def _at_bounds(self, question: Question, alpha: float) -> Comparison | None:
        """The answer at the ends of bounds, where no number beyond them has another one.

        `< 0.001` is below 0.05 whatever it is. None where numbers are missing or it is open.
        """
        towards = {question.first: 1, question.second: -1}
        printed = {o: self.without[o] for o in towards if isinstance(o, str) and o in self.without}
        held = {at: text for at, text in printed.items() if text.kind == "number"}
        sides = {towards[o] * (-1 if b.relation in "<≤" else 1) for o, b in held.items()}
        if len(sides) != 1:
            return None
        ends = {at: Summary.exact(float(bound.number)) for at, bound in held.items()}
        at_ends = replace(self, lookup=lambda at: ends.get(at) or self.lookup(at), without={})
        found = at_ends.answer(question, alpha)
        if found.difference is None:
            return None
        upwards, region = sides == {1}, question.region
        open_ended = math.isinf(region.high if upwards else region.low)
        outside = found.difference >= region.high if upwards else found.difference <= region.low
        if not {"holds": open_ended, "fails": outside}.get(found.outcome, False):
            return None
        texts = ", ".join(f"'{bound.text}'" for bound in held.values())
        return replace(found, why=f"the paper prints {texts}, and at that bound {found.why}")

    def _copied(self, question: Question, found: Comparison) -> bool:
        """Whether printed numbers of one sentence are held against each other, or against a bound
        that is the number itself.
        """
        named = [o for o in (question.first, question.second) if isinstance(o, str)]
        if not named or not self.quoted.issuperset(named) or found.difference is None:
            return False
        region, alike = question.region, question.second is not None
        ends = [0.0] * alike + [end for end in (region.low, region.high) if len(named) == 1]
        size = max(abs(number.mean) for o in named if (number := self.read(o)))
        return any(Difference.exact(found.difference, size).at(end) for end in ends)

    def cannot_fail(self, question: Question) -> bool:
        """Whether every number that the searches could have given lies in the region."""
        second = 0.0 if question.second is None else question.second
        first_ends, second_ends = self._ends(question.first), self._ends(second)
        if first_ends is None or second_ends is None:
            return False
        ends = [a - question.factor * b for a in first_ends for b in second_ends]
        return question.region.covers(min(ends), max(ends))

    def _ends(self, operand: Operand) -> Interval | None:
        return self.searched.get(operand) if isinstance(operand, str) else (operand, operand)

    def _tested(self, question: Question, alpha: float) -> Comparison:
        what = str(question)
        second_operand = 0.0 if question.second is None else question.second
        first, second = self.read(question.first), self.read(second_operand)
        if first is None or second is None:
            return not_run(what, self.missing(question.first, second_operand))
        if unusable := self.unusable(what, (question.first, second_operand)):
            return unusable
        if self.same_runs(question.first) == self.same_runs(second_operand):
            return Comparison(what, "undecided", f"{what}: both are the same runs here")
        second = second.scaled(question.factor)
        pairs, over = self.pairs((question.first, second_operand), (1.0, -question.factor))
        d = pairs or difference(first, second)
        return self.placed(what + over, (first.mean, -second.mean), d, question.region, alpha)

    def distinct(self, items: Sequence[T], operands: Sequence[Sequence[Hashable]]) -> list[T]:
        """Those that are of other runs than the ones before."""
        first: dict[Hashable, T] = {}
        for item, each in zip(items, operands, strict=True):
            first.setdefault(self.same_runs(*each), item)
        return list(first.values())

    def same_runs(self, *parts: Hashable) -> tuple[Hashable, ...]:
        """The parts with every address replaced by the one that stands for its runs."""
        return tuple(self.runs.get(p, p) if isinstance(p, str) else p for p in parts)

    def settled(self, terms: Sequence[float], d: Difference | None) -> Difference | None:
        """Printed numbers without any ± are as printed; runs of ours without a scatter are not."""
        if d is None and self.source == "reported":
            return Difference.exact(math.fsum(terms), *terms)
        return d

    def pairs(
        self, operands: Sequence[Operand], weights: Sequence[float]
    ) -> tuple[Difference | None, str]:
        """The weighted sum over the seeds that all share, None where samples are to be compared;
        and, where that leaves runs out, over how many.
        """
        runs = [self.by_seed.get(o, {}) if isinstance(o, str) else {} for o in operands]
        pairs = paired(runs, weights)
        if pairs is None:
            return None, ""
        fewer = pairs.n < max(map(len, runs))
        return difference(pairs, Summary.exact(0)), f" over {pairs.n} shared seeds" * fewer

    def placed(
        self,
        what: str,
        terms: tuple[float, ...],
        d: Difference | None,
        region: Region,
        alpha: float,
    ) -> Comparison:
        """The comparison that a difference of such terms comes to; None is one without a spread."""
        if (d := self.settled(terms, d)) is None:
            estimate = math.fsum(terms)
            why = f"{what} is {estimate:+.4g} in runs that show no scatter, which decides nothing"
            return Comparison(what, "undecided", why, estimate)
        outcome = region.place(d, alpha)
        why = _sentence(what, d, outcome, region)
        return Comparison(what, outcome, why, d.estimate, d.interval())


def not_run(what: str, missing: tuple[str, ...]) -> Comparison:
    """A comparison for which numbers are missing."""
    return Comparison(what, "not run", f"no number for {', '.join(missing)}", missing=missing)


def itself(what: str) -> Comparison:
    """A comparison of a number with itself, which says nothing."""
    return Comparison(what, "restated", f"{what}: the number is compared with itself")


def in_units(what: str, units: Iterable[Unit], sized: bool = False) -> Comparison:
    """A comparison that numbers of different units leave open; `sized`: since a claim has a margin
    or a bound, which may be in any of them."""
    names = ", ".join(map(str, dict.fromkeys(units)))
    why = f"{what}: printed in different units: {names}"
    if sized:
        why = (
            f"{what}: numbers of the claim are printed in different units, {names}, and nothing "
            "says in which of them the claim is"
        )
    return Comparison(what, "undecided", why)


def _sentence(what: str, d: Difference, outcome: OutcomeName, region: Region) -> str:
    low, high = d.interval()
    how = "no spread given" if d.error == 0 else f"95 % interval {low:+.4g} to {high:+.4g}"
    verb = {"holds": "is", "fails": "is not", "undecided": "is not surely"}[outcome]
    between = ""
    if outcome == "undecided" and region.is_short(d):
        verb, between = "is not", f", nor surely less than {region.below:g}"
    return f"{what} is {d.estimate:+.4g} ({how}) and {verb} {region.words}{between}"
