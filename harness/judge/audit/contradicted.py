"""Rule: a sentence that the paper's own numbers contradict.

A sentence may be several claims, such as one for each pair of methods that it compares; it gets
one finding, which names those that fail.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import mentions
from harness.judge.outcomes import on_reported
from harness.spec.claims import Claim, ParameterCount, addresses
from harness.spec.paper import Paper
from harness.words import listed


def contradicted_claims(paper: Paper) -> Iterator[Finding]:
    """Findings on sentences with claims that fail, whatever the specs expect of them."""
    sentences: dict[tuple[str, str], list[Claim]] = {}
    for claim in paper.claims.values():
        # The rule for counts reports on these, and knows of what network a wrong one is.
        if not isinstance(claim, ParameterCount):
            sentences.setdefault((claim.where, claim.text), []).append(claim)
    numbers = {mention.address: str(mention) for mention in mentions(paper)}
    for claims in sentences.values():
        outcomes = {claim.id: on_reported(paper, claim) for claim in claims}
        failed = [claim for claim in claims if outcomes[claim.id].outcome == "fails"]
        if failed:
            why = outcomes[failed[0].id].why
            compared = [text for address, text in numbers.items() if address in why]
            yield _finding(claims, failed, why, compared)


def _finding(claims: list[Claim], failed: list[Claim], why: str, compared: list[str]) -> Finding:
    first = failed[0]
    numbers = dict.fromkeys(address for claim in failed for address in addresses(claim))
    many = (
        f"{len(failed)} of the {len(claims)} comparisons in it fail, first " if claims[1:] else ""
    )
    return Finding(
        rule="claim",
        subject=claims[0].id,
        addresses=(*(f"claim:{claim.id}" for claim in failed), *numbers),
        cause=f"claim: {first.text}",
        printed=f"“{first.text}” ({first.where})"
        + (f" and {listed(compared[:4])}" if compared else ""),
        expected="numbers that bear it out",
        severity="notable",
        confidence="likely",
        explanation=(
            f"{first.where} says “{first.text}”. On the paper's own numbers, "
            f"{many}{first.id}: {why}."
        ),
    )
