"""The command that audits: what in the paper does not go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.cli.output import console, print_json
from harness.cli.project import Project
from harness.judge.audit.audit import audit
from harness.judge.audit.finding import SEVERITIES, Finding


def show_audit(project: Project, as_json: bool) -> None:
    """Print every finding, the gravest first."""
    findings = audit(project.paper)
    if as_json:
        print_json({"findings": [_fields(finding) for finding in findings]})
        return
    _print(findings)


def _fields(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "where": finding.where,
        "addresses": list(finding.addresses),
        "printed": finding.printed,
        "expected": finding.expected,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "explanation": finding.explanation,
    }


def _print(findings: Sequence[Finding]) -> None:
    out = console()
    for finding in findings:
        out.print(
            f"{finding.severity.upper()} {finding.id}\n"
            f"  printed:  {finding.printed}\n"
            f"  expected: {finding.expected}\n"
            f"  {finding.confidence}: {finding.explanation}\n",
        )
    counts = Counter(finding.severity for finding in findings)
    summary = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES)
    out.print(f"{len(findings)} findings: {summary}")
