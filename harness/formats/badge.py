"""Badges: JSON that shields.io turns into a picture (its endpoint schema, version 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.judge.audit.finding import SEVERITIES, Finding

if TYPE_CHECKING:
    from harness.judge.outcomes import Judged

Badge = Mapping[str, Any]


def badge(label: str, message: str, colour: str) -> Badge:
    """One badge; the keys are those that the endpoint asks for."""
    return {"schemaVersion": 1, "label": label, "message": message, "color": colour}


def audit_badge(findings: Iterable[Finding]) -> Badge:
    """How many findings there are, in the colour of the gravest."""
    counts = Counter(finding.severity for finding in findings)
    told = [f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity]]
    colours = {"severe": "red", "notable": "orange", "minor": "yellow"}
    gravest = next((severity for severity in SEVERITIES if counts[severity]), None)
    colour = colours[gravest] if gravest else "brightgreen"
    return badge("audit", ", ".join(told) or "no findings", colour)


def claims_badge(label: str, judged: Iterable[Judged]) -> Badge:
    """How many claims hold on the paper's own numbers, in green where all are as expected."""
    held = list(judged)
    holding = sum(item.reported.outcome in ("holds", "restated") for item in held)
    colour = "brightgreen" if all(item.as_expected for item in held) else "red"
    return badge(label, f"{holding} of {len(held)} claims hold", colour)


def verdict_badge(label: str, verdicts: Iterable[str]) -> Badge:
    """How many cells of an exhibit came back, of those that were judged."""
    decided = [verdict for verdict in verdicts if verdict not in ("not run", "not comparable")]
    right = sum(verdict.startswith("reproduced") for verdict in decided)
    if not decided:
        return badge(label, "nothing comparable was run", "lightgrey")
    whole = "brightgreen" if right == len(decided) else "yellow"
    colour = "red" if "deviates" in decided else whole
    return badge(label, f"{right} of {len(decided)} reproduced", colour)
