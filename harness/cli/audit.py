"""The command that says where the paper does not agree with itself."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from harness.cli.options import AsJson
from harness.cli.output import console, print_json, write
from harness.errors import UserError, nearest
from harness.judge.audit.finding import OF_SPECS, RULES, SEVERITIES, Severity
from harness.media import json_text, say
from harness.render.formula import as_signs
from harness.study import as_json as to_json
from harness.study.study import Study
from harness.words import counted

if TYPE_CHECKING:
    from harness.judge.audit.finding import Finding, Source
    from harness.study.audit import Audited

app = typer.Typer()

SHOWN = 16
"""Findings that are told in a line each, so that they fit a screen; the rest only with --all."""
UNREAD = 3
"""What was not read that is told without --all."""
_PLACE = re.compile(r"\S+, line \d+")


@app.command(epilog="Such as: repro audit --json; or: repro audit paper.tex")
def audit(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="LaTeX, Markdown, HTML or CSV to audit without specs; the specs if none.",
        ),
    ] = None,
    as_json: AsJson = False,
    every: Annotated[bool, typer.Option("--all", help="Every finding in full.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="What a rule compares, and what it found.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the findings as SARIF.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the findings as JUnit XML.")
    ] = None,
    badge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a badge for shields.io.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Also write annotations and a job summary for GitHub.")
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON of an earlier audit: exit with 1 where something new is found.",
        ),
    ] = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option(help="Exit with 1 where a finding is as grave; with a baseline, a new one."),
    ] = None,
) -> None:
    """Say where the paper does not agree with itself. Needs nothing but the specs or the sources.

    Exits with 0 whatever is found, unless --baseline or --fail-on asks for more.
    """
    from harness.study.audit import audit_files, audit_specs

    found = audit_files(files, Path.cwd()) if files else audit_specs(Study.open().project)
    known = None if baseline is None else _read_baseline(baseline)
    new = _unknown(found.findings, known)
    _write_reports(found, sarif, junit, badge, github, sys.stderr if as_json else sys.stdout)
    if as_json:
        print_json(to_json.findings(found.findings))
    elif explain is not None:
        _explain(explain, found.findings, bool(files))
    else:
        _print(new, every, "" if known is None else "new ", found.place_of if files else None)
    _tell_unread(found.unread, every)
    if found.empty and (fail_on or known is not None):
        raise UserError(f"{found.about}: nothing was audited, so that the policy cannot be kept")
    if _fails(new, fail_on, known is not None):
        raise typer.Exit(1)


def _fails(new: Sequence[Finding], fail_on: Severity | None, beside_baseline: bool) -> bool:
    """Whether the policy is broken; beside a baseline anything new breaks it by default."""
    least = fail_on or ("minor" if beside_baseline else None)
    grave = () if least is None else SEVERITIES[: SEVERITIES.index(least) + 1]
    return any(finding.severity in grave for finding in new)


def _write_reports(
    found: Audited,
    sarif: Path | None,
    junit: Path | None,
    badge: Path | None,
    github: bool,
    stream: TextIO,
) -> None:
    """Write what other tools read, each where it is asked for."""
    if sarif is not None:
        from harness.formats.sarif import sarif as as_sarif

        write(sarif, _json(as_sarif(found.findings, found.place)))
    if badge is not None:
        from harness.formats.badge import audit_badge

        write(badge, _json(audit_badge(found.findings, len(found.unread))))
    if junit is None and not github:
        return
    from harness.study import ci

    if junit is not None:
        write(junit, ci.findings_junit(found))
    if github:
        for line in ci.finding_commands(found):
            print(line, file=stream)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            write(Path(summary), ci.findings_summary(found), "a")


def _json(told: Mapping[str, Any]) -> str:
    return json_text(told) + "\n"


def _read_baseline(path: Path) -> Counter[tuple[str, str]]:
    """How often an earlier audit found each thing."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["findings"]
        return Counter(_print_of(finding["rule"], finding["printed"]) for finding in told)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{path}: expected the output of 'repro audit --json' of an earlier version"
        ) from None


def _print_of(rule: str, printed: str) -> tuple[str, str]:
    """The rule and the digits that it speaks of, which last when lines and files move."""
    return rule, _PLACE.sub("", printed)


def _unknown(
    findings: Sequence[Finding], known: Counter[tuple[str, str]] | None
) -> Sequence[Finding]:
    """The findings that an earlier audit does not have; each old one covers one."""
    if known is None:
        return findings
    left, new = Counter(known), []
    for finding in findings:
        found = _print_of(finding.rule, finding.printed)
        if left[found]:
            left[found] -= 1
        else:
            new.append(finding)
    return new


def _explain(rule: str, findings: Sequence[Finding], of_files: bool) -> None:
    """Print what a rule compares, and all that it found, which may be nothing."""
    if rule not in RULES:
        raise UserError(f"unknown rule '{rule}'; {nearest(rule, RULES)}")
    own = [finding for finding in findings if finding.rule == rule]
    here = f"Here it finds {len(own) or 'nothing'}."
    if of_files and rule in OF_SPECS:
        here = "It compares what only specs tell, so it was not run on files."
    console().print(f"{rule}: {RULES[rule]} {here}\n")
    _print_full(own)


def _print(
    findings: Sequence[Finding],
    every: bool,
    kind: str,
    place: Callable[[Finding], Source | None] | None,
) -> None:
    """The counts first, then a line for each of the gravest findings.

    Args:
        place: where findings stand, where that is to be told.
    """
    out = console()
    counts = Counter(finding.severity for finding in findings)
    summary = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES)
    out.print(f"{counted(len(findings), f'{kind}finding')}: {summary}\n")
    if every:
        _print_full(findings)
        return
    for finding in findings[:SHOWN]:
        at = place(finding) if place else None
        # Where nothing tells the place, the subject of the rule says what it is about.
        where = f"{at[0]}:{at[1]} {finding.rule}" if at else finding.id
        line = f"{finding.severity:8} {where}: {' '.join(as_signs(finding.printed).split())}"
        out.print(line, no_wrap=True, overflow="ellipsis")
    if len(findings) > SHOWN:
        out.print(
            f"\n{len(findings) - SHOWN} more with --all; one rule in full with --explain RULE"
        )


def _tell_unread(unread: Sequence[str], every: bool) -> None:
    """What could not be read, of which nothing is said; only the first few, unless all is asked."""
    shown = unread if every else unread[:UNREAD]
    for line in shown:
        say(f"not read: {line}")
    if len(unread) > len(shown):
        say(f"{len(unread) - len(shown)} more not read: --all")


def _print_full(findings: Sequence[Finding]) -> None:
    for finding in findings:
        console().print(
            f"{finding.severity.upper()} {finding.id}\n"
            f"  printed:  {as_signs(finding.printed)}\n"
            f"  expected: {as_signs(finding.expected)}\n"
            f"  {finding.confidence}: {as_signs(finding.explanation)}\n",
        )
