"""`repro verify`: the paper's claims on its own numbers and on ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from harness.cli.exhibits import claim_json
from harness.cli.output import print_json
from harness.cli.project import Project
from harness.cli.verified import Verified, judge_all_claims
from harness.errors import EvidenceError, UserError
from harness.spec.claims import about_print


def verify(
    project: Project,
    profile: str | None,
    require: bool,
    as_json: bool,
    junit: Path | None,
    github: bool,
) -> bool:
    """Print every claim; whether all come out as expected on the reported numbers.

    Args:
        junit: file for the outcomes as JUnit XML.
        github: also print workflow annotations, to standard error beside JSON, and append the
            table to the file that `GITHUB_STEP_SUMMARY` names.

    Raises:
        EvidenceError: `require`, and a claim about results has none of ours.
        UserError: a file that was asked for cannot be written.
    """
    found = judge_all_claims(project, profile)
    claims = [claim_json(item, found.profile) for item in found.judged]
    if as_json:
        print_json({"claims": claims, "problems": list(found.problems)})
    else:
        from harness.cli.rendering import print_claims

        print_claims(claims)
    for problem in found.problems:
        print(f"repro: {problem}", file=sys.stderr)
    _write_reports(found, junit, github, sys.stderr if as_json else sys.stdout)
    if require:
        _require_results(found)
    return not found.unexpected


def _write_reports(found: Verified, junit: Path | None, github: bool, stream: TextIO) -> None:
    if junit is None and not github:
        return
    from harness.cli import ci

    if junit is not None:
        _write(junit, ci.junit_xml(found), "w")
    if github:
        for line in ci.workflow_commands(found):
            print(line, file=stream)
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            _write(Path(summary), ci.summary(found), "a")


def _require_results(found: Verified) -> None:
    lacking = [
        item.claim.id
        for item in found.judged
        if item.reproduced.outcome == "not run" and not about_print(item.claim)
    ]
    if lacking:
        raise EvidenceError(
            f"{len(lacking)} claims have no results under profile {found.profile}: "
            f"{', '.join(lacking)}; make the exhibits that they are about"
        )


def _write(path: Path, text: str, mode: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); name another file"
        ) from None
