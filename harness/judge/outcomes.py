"""The outcomes of the paper's claims, on its own numbers and on the reproduced ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, get_args

from harness.judge.memory import remembered
from harness.judge.model import ClaimOutcome, Interval, OutcomeName, Source, together
from harness.judge.sample import ReportedNumber, Summary
from harness.spec.claims import Claim, addresses
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.spec.printed import Printed
from harness.spec.reporting import Reporting
from harness.spec.units import Unit
from harness.store.store import Store

if TYPE_CHECKING:
    from harness.judge.claims import Evaluation


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """A number that claims are evaluated on."""

    number: Summary | ReportedNumber
    runs: str = ""
    """Tells which runs it is of: a profile may map several cells to the same ones."""
    quote: str = ""
    """The words that state it."""
    searched: Interval | None = None
    """The ends of the search that gave it."""
    by_seed: Mapping[int, float] = field(default_factory=dict)
    """Seed -> its run, where it is a mean over runs."""


@dataclass(frozen=True)
class Judged:
    """One claim with both of its outcomes."""

    claim: Claim
    reported: ClaimOutcome
    reproduced: ClaimOutcome

    @property
    def as_expected(self) -> bool:
        """Whether the paper's own numbers say what the spec expects of them."""
        return self.reported.outcome == self.claim.expect


@dataclass(frozen=True)
class Sentence:
    """A sentence of the paper, which may be several claims."""

    where: str
    text: str
    claims: tuple[Judged, ...]

    @property
    def reported(self) -> OutcomeName:
        """Its outcome on the paper's numbers: it holds if all that is claimed in it does."""
        return together(item.reported.outcome for item in self.claims)

    @property
    def reproduced(self) -> OutcomeName:
        """Its outcome on ours; claims about print count for nothing beside others."""
        return together(item.reproduced.outcome for item in self.claims)

    @property
    def as_expected(self) -> bool:
        """Whether all of it comes out on the paper's numbers as the specs expect."""
        return all(item.as_expected for item in self.claims)


def tally(outcomes: Iterable[OutcomeName]) -> dict[OutcomeName, int]:
    """How many there are of each outcome; those without any included."""
    counted = Counter(outcomes)
    return {name: counted[name] for name in get_args(OutcomeName)}


def by_sentence(judged: Iterable[Judged]) -> list[Sentence]:
    """The claims by the sentence that they quote, in order."""
    found: dict[tuple[str, str], list[Judged]] = {}
    for item in judged:
        found.setdefault((item.claim.where, item.claim.text), []).append(item)
    return [Sentence(*place, tuple(items)) for place, items in found.items()]


@dataclass(frozen=True, slots=True)
class _Question:
    claim: Claim
    source: Source
    numbers: Mapping[str, KnownNumber | None]
    lower: tuple[str, ...]
    """Addresses of numbers of which lower ones are better."""
    without: Mapping[str, Printed]
    """Address -> what the paper prints there that is no number."""
    half_units: Mapping[str, float]
    """Address -> half a unit of the last digit that is printed there."""
    units: Mapping[str, Unit]
    """Address -> the unit of what the paper prints there."""


def exhibits_of(claim: Claim) -> frozenset[str]:
    """The exhibits whose numbers a claim is about."""
    return frozenset(address.split(":")[0] for address in addresses(claim))


def about(paper: Paper, exhibit: str) -> list[Claim]:
    """The claims that are about an exhibit, in the order of the specs."""
    return [claim for claim in paper.claims.values() if exhibit in exhibits_of(claim)]


def judge_claims(
    paper: Paper, claims: Iterable[Claim], ours: Mapping[str, KnownNumber], store: Store
) -> list[Judged]:
    """Evaluate claims on the reported numbers and, separately, on ours.

    Args:
        ours: address -> our number, as `numbers` gives them.
    """
    wanted = list(claims)
    reported = [_question(paper, c, "reported", lambda at: reported_at(paper, at)) for c in wanted]
    reproduced = [_question(paper, c, "reproduced", ours.get) for c in wanted]
    outcomes = (_outcomes(questions, store) for questions in (reported, reproduced))
    return [Judged(*three) for three in zip(wanted, *outcomes, strict=True)]


def reported_at(paper: Paper, address: str) -> KnownNumber | None:
    """The printed number at an address, or None where the paper prints none."""
    name, row, column = address.split(":")
    exhibit, printed = paper.exhibits.get(name), _printed_at(paper, address)
    if exhibit is None or printed is None or not printed.is_number:
        return None
    if (reporting := _reporting_at(paper, address)) is not None:
        return KnownNumber(ReportedNumber.read(printed, reporting))
    quote = exhibit.stated[column].quote if row == "stated" else ""
    return KnownNumber(Summary.stated(printed), quote=quote)


def _reporting_at(paper: Paper, address: str) -> Reporting | None:
    name, row, column = address.split(":")
    return paper.exhibits[name].reporting_of(row, column) if row != "stated" else None


def on_reported(paper: Paper, claim: Claim) -> ClaimOutcome:
    """The outcome of a claim on the printed numbers, without a store."""
    return _evaluate(
        _question(paper, claim, "reported", lambda address: reported_at(paper, address))
    )


def _question(
    paper: Paper, claim: Claim, source: Source, known: Callable[[str], KnownNumber | None]
) -> _Question:
    numbers = {address: known(address) for address in addresses(claim)}
    printed = {at: text for at in numbers if (text := _printed_at(paper, at)) is not None}
    without = {at: text for at, text in printed.items() if numbers[at] is None}
    return _Question(
        claim,
        source,
        numbers,
        tuple(address for address in numbers if _lower_is_better(paper, address)),
        without if source == "reported" else {},
        # What is counted is not rounded.
        {at: float(t.rounding) for at, t in printed.items() if t.is_number and t.of is None},
        {at: unit for at, text in printed.items() if (unit := _unit(paper, at, text)) is not None},
    )


def _unit(paper: Paper, address: str, printed: Printed) -> Unit | None:
    """The unit of a number; a bare one in a text has that which its exhibit declares, if any."""
    exhibit, reporting = paper.exhibits[address.partition(":")[0]], _reporting_at(paper, address)
    if reporting is None and isinstance(exhibit, Table):
        reporting = exhibit.reporting
    share = "%" if printed.error and printed.error.percent else ""
    unit = Unit.of(printed, (reporting.unit if reporting else "") or share)
    return unit if printed.kind == "number" else None


def _printed_at(paper: Paper, address: str) -> Printed | None:
    name, row, column = address.split(":")
    exhibit = paper.exhibits.get(name)
    return exhibit.printed(row, column) if exhibit else None


def _lower_is_better(paper: Paper, address: str) -> bool:
    name, row, column = address.split(":")
    table = paper.exhibits.get(name)
    if not isinstance(table, Table) or row in ("stated", "unprinted"):
        return False
    return table.measure_of(row, column).better == "lower"


def _outcomes(questions: list[_Question], store: Store) -> list[ClaimOutcome]:
    """One question for all claims: a memo each would cost more than the answers."""
    return remembered(
        store, "claims", questions, ClaimOutcome, lambda: list(map(_evaluate, questions))
    )


def _evaluate(question: _Question) -> ClaimOutcome:
    held = {address: known for address, known in question.numbers.items() if known}
    found = _evaluated(question, {at: known.number.summary() for at, known in held.items()})
    flips = [
        words
        for words, read in _OTHER_READINGS.items()
        if any(read(known.number) for known in held.values())
        and _evaluated(
            question,
            {at: read(known.number) or known.number.summary() for at, known in held.items()},
        ).outcome
        != found.outcome
    ]
    outcomes = tuple(made.outcome for made in found.comparisons)
    return ClaimOutcome(found.outcome, found.why, outcomes, tuple(flips))


def _evaluated(question: _Question, summaries: Mapping[str, Summary]) -> Evaluation:
    from harness.judge.claims import evaluate
    from harness.judge.comparison import Numbers

    held = {address: known for address, known in question.numbers.items() if known}
    sentence = _words(question.claim.text)
    numbers = Numbers(
        summaries.get,
        question.source,
        {address: known.runs for address, known in held.items() if known.runs},
        quoted=frozenset(
            address
            for address, known in held.items()
            if known.quote and (_words(known.quote) in sentence or sentence in _words(known.quote))
        ),
        searched={at: known.searched for at, known in held.items() if known.searched},
        by_seed={at: known.by_seed for at, known in held.items() if known.by_seed},
        lower=frozenset(question.lower),
        without=question.without,
        half_units=question.half_units,
        units=question.units,
    )
    return evaluate(question.claim, numbers)


def _words(text: str) -> str:
    """A quotation as far as it counts: letters and digits."""
    return "".join(filter(str.isalnum, text.lower()))


def _with_runs(n: int) -> _Reading:
    def read(number: Summary | ReportedNumber) -> Summary | None:
        if isinstance(number, ReportedNumber) and number.n == "unknown":
            return number.summary(n)
        return None

    return read


def _with_spread(spread: str) -> _Reading:
    def read(number: Summary | ReportedNumber) -> Summary | None:
        if isinstance(number, ReportedNumber) and number.spread == "unknown":
            return replace(number, spread=spread).summary()
        return None

    return read


_Reading = Callable[["Summary | ReportedNumber"], "Summary | None"]
_OTHER_READINGS: Mapping[str, _Reading] = {
    "n = 1": _with_runs(1),
    "n = 5": _with_runs(5),
    "± is a standard error": _with_spread("sem"),
    "± is a 95 % interval": _with_spread("ci95"),
}
"""Other readings of what the paper does not say about its numbers. None: it does say it."""
