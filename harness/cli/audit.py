"""The command that says where the paper does not agree with itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import AsJson, in_study
from harness.cli.output import console, print_json
from harness.errors import UserError, nearest
from harness.study import as_json as to_json
from harness.study.study import Study

if TYPE_CHECKING:
    from harness.judge.audit.finding import Finding

app = typer.Typer()
SHOWN = 12
"""Findings that are told in a line each; the rest only with --all."""


@app.command(epilog="Such as: repro audit --json")
@in_study
def audit(
    study: Study,
    as_json: AsJson = False,
    every: Annotated[bool, typer.Option("--all", help="Every finding in full.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="In full what one rule found.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the findings as SARIF.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON of an earlier audit: exit with 1 where something new is found.",
        ),
    ] = None,
) -> None:
    """Say where the paper does not agree with itself. Needs nothing but the specs."""
    findings = study.audit()
    known = None if baseline is None else _read_baseline(baseline)
    new = [f for f in findings if known is not None and not _covered(f, known)]
    if sarif is not None:
        from harness.formats.sarif import sarif as as_sarif
        from harness.formats.sarif import spec_places

        told = as_sarif(findings, spec_places(study.paper, study.paper.root.parent))
        sarif.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(to_json.findings(findings))
    elif explain is not None:
        _print_full([f for f in findings if f.rule == _known_rule(explain, findings)])
    else:
        _print(new if known is not None else findings, every, "new " if known is not None else "")
    if new:
        raise typer.Exit(1)


def _read_baseline(path: Path) -> dict[str, set[str]]:
    """Rule -> the addresses that an earlier audit named."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["findings"]
        pairs = [(finding["rule"], finding["addresses"]) for finding in told]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{path}: expected the output of 'repro audit --json' of an earlier version"
        ) from None
    known: dict[str, set[str]] = {}
    for rule, addresses in pairs:
        known.setdefault(rule, set()).update(addresses)
    return known


def _covered(finding: Finding, known: dict[str, set[str]]) -> bool:
    return set(finding.addresses) <= known.get(finding.rule, set())


def _known_rule(rule: str, findings: Sequence[Finding]) -> str:
    rules = sorted({finding.rule for finding in findings})
    if rule not in rules:
        raise UserError(f"no finding of a rule '{rule}'; {nearest(rule, rules)}")
    return rule


def _print(findings: Sequence[Finding], every: bool, kind: str) -> None:
    """The counts first, then a line for each of the gravest findings."""
    from harness.judge.audit.finding import SEVERITIES

    out = console()
    counts = Counter(finding.severity for finding in findings)
    summary = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES)
    out.print(f"{len(findings)} {kind}findings: {summary}\n")
    if every:
        _print_full(findings)
        return
    for finding in findings[:SHOWN]:
        printed = finding.printed if len(finding.printed) < 70 else f"{finding.printed[:67]}..."
        out.print(f"{finding.severity:8} {finding.id}\n         {printed}")
    if len(findings) > SHOWN:
        out.print(
            f"\n{len(findings) - SHOWN} more with --all; one rule in full with --explain RULE"
        )


def _print_full(findings: Sequence[Finding]) -> None:
    for finding in findings:
        console().print(
            f"{finding.severity.upper()} {finding.id}\n"
            f"  printed:  {finding.printed}\n"
            f"  expected: {finding.expected}\n"
            f"  {finding.confidence}: {finding.explanation}\n",
        )
