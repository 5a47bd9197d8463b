"""What the paper's claims come to, on its own numbers and on the reproduced ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge.memory import remembered
from harness.judge.results import Result, reported_fields
from harness.plan.identity import digest
from harness.plan.step import Json
from harness.spec.cell import parse_printed
from harness.spec.claims import Claim, addresses
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.store.store import Store

Numbers = Callable[[str], Json]
"""Address -> the fields of a number, or None where there is none."""


@dataclass(frozen=True)
class Judged:
    """One claim with both of its outcomes: `{"outcome", "why"}`."""

    claim: Claim
    reported: Mapping[str, Any]
    reproduced: Mapping[str, Any]

    @property
    def as_expected(self) -> bool:
        """Whether the paper's own numbers say what the spec expects of them."""
        return bool(self.reported["outcome"] == self.claim.expect)


def exhibits_of(claim: Claim) -> frozenset[str]:
    """The exhibits whose numbers a claim is about."""
    return frozenset(address.split(":")[0] for address in addresses(claim))


def about(paper: Paper, exhibit: str) -> list[Claim]:
    """The claims that are about an exhibit, in the order of the specs."""
    return [claim for claim in paper.claims.values() if exhibit in exhibits_of(claim)]


def judge_claims(
    paper: Paper, claims: Iterable[Claim], ours: Mapping[str, Json], store: Store
) -> list[Judged]:
    """Evaluate claims on the reported numbers and, separately, on ours.

    Args:
        ours: address -> the fields of our number, as `numbers_of` and `stated_numbers` give them.
    """
    wanted = list(claims)
    reported = _outcomes(wanted, "reported", lambda address: reported_number(paper, address), store)
    of_ours = _outcomes(wanted, "reproduced", ours.get, store)
    return [Judged(*three) for three in zip(wanted, reported, of_ours, strict=True)]


def numbers_of(results: Iterable[Result]) -> dict[str, Json]:
    """Address of each cell with a run -> the fields of its number.

    `runs` tells of what runs it is: a profile may map several cells to the same ones.
    """
    return {
        str(result.cell.address): {
            "values": list(result.values),
            "runs": digest("runs", [list(terms) for terms in result.cell.terms]),
        }
        for result in results
        if result.values
    }


def reported_number(paper: Paper, address: str) -> Json:
    """The printed number at an address, or None where the paper prints none."""
    name, row, column = address.split(":")
    exhibit = paper.exhibits.get(name)
    if exhibit is None:
        return None
    if row == "stated":
        stated = exhibit.stated.get(column)
        return None if stated is None else {"exact": float(parse_printed(stated.text).mean)}
    if isinstance(exhibit, Table):
        for candidate in exhibit.rows:
            if candidate.name == row:
                fields = reported_fields(candidate.cells.get(column), exhibit.reporting)
                return None if fields is None else dict(fields)
    return None


def on_reported(paper: Paper, claim: Claim) -> Mapping[str, Any]:
    """The outcome of a claim on the printed numbers, without a store."""
    known = {address: reported_number(paper, address) for address in addresses(claim)}
    return _evaluate(claim, "reported", known)


def _outcomes(
    claims: Sequence[Claim], source: str, numbers: Numbers, store: Store
) -> Sequence[Mapping[str, Any]]:
    """One question for all claims: a memo each would cost more than the answers."""
    known = [{address: numbers(address) for address in addresses(claim)} for claim in claims]
    asked: list[Json] = [
        {"claim": claim.model_dump(mode="json"), "numbers": numbers_of}
        for claim, numbers_of in zip(claims, known, strict=True)
    ]

    def answer() -> Json:
        return [
            _evaluate(claim, source, numbers_of)
            for claim, numbers_of in zip(claims, known, strict=True)
        ]

    answers = remembered(store, "claims", {"source": source, "claims": asked}, answer)
    assert isinstance(answers, list)
    return [dict(each) for each in answers if isinstance(each, dict)]


def _evaluate(claim: Claim, source: Any, known: Mapping[str, Any]) -> dict[str, Json]:
    from harness.judge.claims import evaluate
    from harness.judge.sample import ReportedNumber, Summary

    def summary(address: str) -> Summary | None:
        number = known[address]
        if number is None:
            return None
        if "exact" in number:
            return Summary.exact(number["exact"])
        if "values" in number:
            return Summary.of(number["values"])
        if "df" in number:
            return Summary.estimated(number["mean"], number["error"], number["df"])
        fields = {key: number[key] for key in ("mean", "error", "spread", "n")}
        return ReportedNumber(**fields).summary()

    runs = {name: number["runs"] for name, number in known.items() if number and "runs" in number}
    outcome = evaluate(claim, summary, source, runs)
    return {"outcome": outcome.outcome, "why": outcome.why}
