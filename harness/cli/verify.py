"""The command that checks the paper's claims, on its own numbers and on ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from harness.cli.options import AsJson, ProfileName, in_study
from harness.cli.output import console, print_json, write
from harness.errors import EvidenceError
from harness.media import json_text, say
from harness.study import as_json as to_json
from harness.study.study import Study
from harness.words import counted

if TYPE_CHECKING:
    from harness.study.verify import Verified

app = typer.Typer()


@app.command(epilog="Such as: repro verify --profile paper --junit claims.xml")
@in_study
def verify(
    study: Study,
    profile: ProfileName = None,
    require: Annotated[
        bool, typer.Option("--require", help="Exit with 3 where a claim has no results of ours.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the outcomes as JUnit XML.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Also write annotations and a job summary for GitHub.")
    ] = False,
    badge: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write badges for shields.io, one an exhibit: claims that hold on the "
            "paper's numbers, and any that fail on ours.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List every claim, not only what fails or surprises.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the paper's claims on its own numbers and on ours.

    A sentence may be several claims, and a claim several comparisons: it holds if all of them do.

    Exits with 1 where a claim comes out otherwise on the reported numbers than the specs expect,
    and with 3 where files that a table names as evidence are missing or cannot be read.
    """
    found = study.verify(profile)
    if as_json:
        print_json(to_json.verified(found))
    else:
        from harness.render.claims import gravest, overview, show

        overview(found.sentences, found.profile, console())
        if everything:
            show(found.judged, found.profile, console())
        else:
            gravest(found.sentences, console())
        if found.open_sentences:
            waiting = "sentences in specs/coverage.toml that wait for their claims"
            console().print(f"{waiting}: {found.open_sentences}", soft_wrap=True)
    for problem in found.problems:
        say(problem)
    _write_reports(found, junit, github, sys.stderr if as_json else sys.stdout)
    if badge is not None:
        from harness.study.ci import claim_badges

        for name, told in claim_badges(found).items():
            write(badge / f"{name}.json", json_text(told, None) + "\n")
    if require and found.lacking:
        raise EvidenceError(
            f"no results under profile {found.profile} for {counted(len(found.lacking), 'claim')}: "
            f"{', '.join(item.claim.id for item in found.lacking)}; make the exhibits that they "
            "are about"
        )
    if found.broken:
        raise typer.Exit(EvidenceError.exit_code)
    if found.unexpected:
        raise typer.Exit(1)


def _write_reports(found: Verified, junit: Path | None, github: bool, stream: TextIO) -> None:
    """Write what continuous integration reads.

    Args:
        junit: file for the outcomes as JUnit XML.
        github: print workflow annotations, and append the claims to the file that
            `GITHUB_STEP_SUMMARY` names.
        stream: takes the annotations; standard error beside JSON.
    """
    if junit is None and not github:
        return
    from harness.study import ci

    if junit is not None:
        write(junit, ci.junit_xml(found))
    if github:
        for line in ci.workflow_commands(found):
            print(line, file=stream)
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            write(Path(summary), ci.summary(found), "a")
