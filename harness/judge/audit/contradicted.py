"""Rule: a sentence that the paper's own numbers contradict.

A sentence may be several claims, such as one for each pair of methods that it compares; it gets
one finding, which names those that fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.judge.audit.finding import Finding
from harness.judge.model import ClaimOutcome
from harness.judge.outcomes import on_reported
from harness.spec.claims import (
    Arithmetic,
    Claim,
    Equal,
    ParameterCount,
    ParameterDomain,
    addresses,
)
from harness.spec.paper import Paper

_READ_ELSEWHERE = (Equal, Arithmetic, ParameterCount, ParameterDomain)
"""Claims about print, on which the rules for quantities, differences, counts and domains report."""


def contradicted_claims(paper: Paper) -> Iterator[Finding]:
    """Findings on sentences with claims that fail, whatever the specs expect of them."""
    sentences: dict[tuple[str, str], list[Claim]] = {}
    for claim in paper.claims.values():
        if isinstance(claim, _READ_ELSEWHERE):
            continue
        sentences.setdefault((claim.where, claim.text), []).append(claim)
    for claims in sentences.values():
        outcomes = {claim.id: on_reported(paper, claim) for claim in claims}
        failed = [claim for claim in claims if outcomes[claim.id].outcome == "fails"]
        if failed:
            yield _finding(claims, failed, outcomes)


def _finding(
    claims: list[Claim], failed: list[Claim], outcomes: Mapping[str, ClaimOutcome]
) -> Finding:
    first = failed[0]
    numbers = dict.fromkeys(address for claim in failed for address in addresses(claim))
    many = (
        f"{len(failed)} of the {len(claims)} comparisons in it fail, first " if claims[1:] else ""
    )
    return Finding(
        rule="claim",
        subject=claims[0].id,
        addresses=(*(f"claim:{claim.id}" for claim in failed), *numbers),
        printed=f"“{first.text}” ({first.where})",
        expected="numbers that bear it out",
        severity="notable",
        confidence="likely",
        explanation=(
            f"{first.where} says “{first.text}”. On the paper's own numbers, "
            f"{many}{first.id}: {outcomes[first.id].why}."
        ),
    )
