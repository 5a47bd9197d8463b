"""The outcomes of the paper's claims, on its own numbers and on the reproduced ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from harness.judge.memory import remembered
from harness.judge.model import ClaimOutcome, Source
from harness.judge.sample import ReportedNumber, Summary
from harness.spec.claims import Claim, addresses
from harness.spec.paper import Paper
from harness.store.store import Store


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """A number that claims are evaluated on."""

    number: Summary | ReportedNumber
    runs: str = ""
    """Tells which runs it is of: a profile may map several cells to the same ones."""


Numbers = Callable[[str], KnownNumber | None]
"""Address -> the number there, or None where there is none."""


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


@dataclass(frozen=True, slots=True)
class _Question:
    claim: Claim
    source: Source
    numbers: Mapping[str, KnownNumber | None]


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
    reported = [_question(c, "reported", lambda at: reported_at(paper, at)) for c in wanted]
    reproduced = [_question(c, "reproduced", ours.get) for c in wanted]
    outcomes = (_outcomes(questions, store) for questions in (reported, reproduced))
    return [Judged(*three) for three in zip(wanted, *outcomes, strict=True)]


def reported_at(paper: Paper, address: str) -> KnownNumber | None:
    """The printed number at an address, or None where the paper prints none."""
    name, row, column = address.split(":")
    exhibit = paper.exhibits.get(name)
    printed = exhibit.printed(row, column) if exhibit else None
    if exhibit is None or printed is None:
        return None
    reporting = exhibit.reporting_of(row, column) if row != "stated" else None
    if reporting is None:
        return KnownNumber(Summary.exact(float(printed.mean)))
    return KnownNumber(ReportedNumber.read(printed, reporting))


def on_reported(paper: Paper, claim: Claim) -> ClaimOutcome:
    """The outcome of a claim on the printed numbers, without a store."""
    return _evaluate(_question(claim, "reported", lambda address: reported_at(paper, address)))


def _question(claim: Claim, source: Source, known: Numbers) -> _Question:
    return _Question(claim, source, {address: known(address) for address in addresses(claim)})


def _outcomes(questions: list[_Question], store: Store) -> list[ClaimOutcome]:
    """One question for all claims: a memo each would cost more than the answers."""
    return remembered(
        store, "claims", questions, ClaimOutcome, lambda: list(map(_evaluate, questions))
    )


def _evaluate(question: _Question) -> ClaimOutcome:
    from harness.judge.claims import evaluate

    held = {address: known for address, known in question.numbers.items() if known}
    summaries = {address: known.number.summary() for address, known in held.items()}
    runs = {address: known.runs for address, known in held.items() if known.runs}
    found = evaluate(question.claim, summaries.get, question.source, runs)
    return ClaimOutcome(found.outcome, found.why)
