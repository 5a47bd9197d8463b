"""Badges: JSON that shields.io turns into a picture (its endpoint schema, version 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.judge.audit.finding import SEVERITIES, Finding

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
