"""The command that says where the paper does not agree with itself."""

from __future__ import annotations

from collections import Counter

import typer

from harness.cli.options import AsJson, in_study
from harness.cli.output import console, print_json
from harness.study import as_json as to_json
from harness.study.study import Study

app = typer.Typer()


@app.command(epilog="Such as: repro audit --json")
@in_study
def audit(study: Study, as_json: AsJson = False) -> None:
    """Say where the paper does not agree with itself. Needs nothing but the specs."""
    from harness.judge.audit.finding import SEVERITIES

    findings = study.audit()
    if as_json:
        print_json(to_json.findings(findings))
        return
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
