"""The commands of `repro`. Each one imports what it needs when it is called, so help is quick."""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.asked import here, request
from harness.cli.data_commands import data_app
from harness.cli.ending import told
from harness.cli.options import (
    AsJson,
    Device,
    Executor,
    ExhibitName,
    PartName,
    PartNames,
    ProfileName,
    Seeds,
    Source,
    Vary,
)
from harness.cli.store_commands import store_app
from harness.cli.usage import PlainGroup
from harness.errors import UserError

app = typer.Typer(
    cls=PlainGroup,
    help="A paper as data, and a machine that says which of its numbers come back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(store_app, name="store")
app.add_typer(data_app, name="data")


@app.command("list", epilog="Such as: repro list --json")
def list_exhibits(as_json: AsJson = False) -> None:
    """List the exhibits of the paper."""
    from harness.cli.looking import list_exhibits

    list_exhibits(here(), as_json)


@app.command("new-paper", epilog="Such as: repro new-paper ../another-paper")
def new_paper(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
) -> None:
    """Begin a project for another paper, with one table that can be made at once."""
    from harness.cli.starting import new_paper

    new_paper(folder)


@app.command(epilog="Such as: repro upgrade --dry")
def upgrade(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="A folder of specs; the project's by default."),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry", help="Print the changes and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rewrite specs of an older format, and print what changes. Comments and order stay."""
    from harness.cli.upgrading import upgrade

    upgrade(folder or here().specs, dry, as_json)


@app.command(epilog="Such as: repro show table7 --profile paper")
def show(
    exhibit: ExhibitName,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Show an exhibit: reported beside reproduced, with verdicts. Runs nothing."""
    from harness.cli.looking import show

    project = here()
    show(project, exhibit, request(project, profile, seeds, vary), as_json)


@app.command(epilog="Such as: repro plan table7 --profile paper")
def plan(
    exhibit: PartName,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Say what a make would do, and how long it would take. Changes nothing."""
    from harness.cli.planning import show_plan

    project = here()
    show_plan(project, exhibit, request(project, profile, seeds, vary), as_json)


@app.command(epilog="Such as: repro make 'table7:ROW:COLUMN' --vary owner.setting=value")
def make(
    exhibits: PartNames,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    source: Annotated[
        Source, typer.Option(help="`reported` renders the paper's numbers and runs nothing.")
    ] = Source.reproduced,
    executor: Annotated[
        Executor, typer.Option(help="Processes, this one, or jobs that are queued and left.")
    ] = Executor.local,
    device: Annotated[Device, typer.Option(help="Where to run.")] = Device.auto,
    cluster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What Slurm jobs ask for, as TOML.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run what an exhibit needs and has no record yet, then judge and render it."""
    project = here()
    if source is Source.reported:
        from harness.cli.looking import render_reported

        render_reported(project, exhibits, as_json)
        return
    from harness.cli.making import make

    asked = request(project, profile, seeds, vary)
    if cluster is not None and executor is not Executor.slurm:
        raise UserError("--cluster says what Slurm jobs ask for; add --executor slurm")
    make(project, exhibits, asked, executor.value, device.value, cluster, as_json)


@app.command(epilog="Such as: repro diff table8 --profile paper")
def diff(
    exhibit: ExhibitName,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Compare reproduced with reported, cell by cell.

    Exits with 1 where a cell deviates, or where the printed number contradicts another one.
    """
    from harness.cli.looking import show_diff

    project = here()
    if not show_diff(project, exhibit, request(project, profile, seeds, vary), as_json):
        raise typer.Exit(1)


@app.command(epilog="Such as: repro verify --profile paper --junit claims.xml")
def verify(
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
    as_json: AsJson = False,
) -> None:
    """Check the paper's claims on its own numbers and on ours.

    Exits with 1 where a claim comes out otherwise on the reported numbers than the specs expect.
    """
    from harness.cli.verifying import verify

    if not verify(here(), profile, require, as_json, junit, github):
        raise typer.Exit(1)


@app.command(epilog="Such as: repro audit --json")
def audit(as_json: AsJson = False) -> None:
    """Say where the paper does not agree with itself. Needs nothing but the specs."""
    from harness.cli.auditing import show_audit

    show_audit(here(), as_json)


@app.command(epilog="Such as: repro paper --source reported")
def paper(
    profile: ProfileName = None,
    source: Annotated[
        Source, typer.Option(help="`reported` shows the paper's numbers only.")
    ] = Source.reproduced,
    as_json: AsJson = False,
) -> None:
    """Write the LaTeX document with every exhibit, claim and finding, and build its PDF."""
    from harness.cli.papering import make_paper

    make_paper(here(), profile, source is Source.reported, as_json)


@app.command(epilog="Such as: repro report --profile paper --out site")
def report(
    profile: ProfileName = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; in the build folder by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a static site with every exhibit, number, claim and finding. Runs nothing."""
    from harness.cli.report.command import make_report

    make_report(here(), profile, out, as_json)


@app.command(epilog="Such as: repro compare store/published ../theirs/store table7")
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A store, an export, or a profile.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    exhibits: Annotated[
        list[str] | None, typer.Argument(metavar="[EXHIBIT]...", help="All by default.")
    ] = None,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", help="In B, an alternative: owner.setting=value. May be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which numbers changed between two places, or by an alternative, by Welch's test."""
    from harness.cli.comparing import compare

    project = here()
    asked = request(project, profile, seeds, vary)
    compare(project, (a, b), exhibits or [], asked, as_json)


@app.command(epilog="Such as: repro assumptions table7")
def assumptions(exhibit: ExhibitName, profile: ProfileName = None, as_json: AsJson = False) -> None:
    """List the choices that an exhibit rests on and the paper does not state."""
    from harness.cli.looking import show_assumptions

    show_assumptions(here(), exhibit, profile, as_json)


@app.command(epilog="Such as: repro why 'table7:ROW:COLUMN'")
def why(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A cell, such as 'table7:row:column'.")
    ],
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Say why the steps of a cell will run or not."""
    from harness.cli.looking import explain

    project = here()
    explain(project, address, request(project, profile, seeds, vary), as_json)


@app.command(epilog="Such as: repro status --profile paper")
def status(profile: ProfileName = None, as_json: AsJson = False) -> None:
    """Say how far every exhibit is, what runs now, and what failed."""
    from harness.cli.looking import show_status

    show_status(here(), profile, as_json)


@app.command(epilog="Such as: repro collect")
def collect(as_json: AsJson = False) -> None:
    """Say what came of queued steps; judge and render the exhibits that are over."""
    from harness.cli.queueing import collect

    collect(here(), as_json)


@app.command(epilog="Such as: repro cancel 4711")
def cancel(
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Arrays; all by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel what is queued or runs on a cluster. What is finished is kept."""
    from harness.cli.queueing import cancel

    cancel(here(), jobs or [], as_json)


@app.command(epilog="Such as: repro runs --step student")
def runs(
    step: Annotated[str | None, typer.Option(help="Only records of this step.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the records in the store."""
    from harness.cli.storing import list_runs

    list_runs(here(), step, as_json)


@app.command(epilog="Such as: repro probe --update")
def probe(
    update: Annotated[
        bool, typer.Option("--update", help="Write the numbers of steps with a new revision.")
    ] = False,
) -> None:
    """Check that no step makes other numbers than its revision did."""
    from harness.cli.storing import probe

    probe(here(), update)


def main() -> None:
    """Run a command; errors are one message and an exit code, bugs keep their traceback."""
    gc.set_threshold(100_000)  # the models of the specs stay; looking through them again costs 7 %
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ± still shows the rest
    with told():
        app()
