"""The commands of `repro`. Each one imports what it needs when it is called, so help is quick."""

from __future__ import annotations

import errno
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import (
    AsJson,
    DatasetName,
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
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.cli.exhibits import Request
    from harness.cli.project import Project

app = typer.Typer(
    help="A paper as data, and a machine that says which of its numbers come back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
store_app = typer.Typer(help="Look after the store of records.", no_args_is_help=True)
app.add_typer(store_app, name="store")
data_app = typer.Typer(help="Look after the data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")

_PLACES = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOSPC)
"""Errors of the file system that concern a place the user chose."""
INTERRUPTED = 130
"""The exit code that Typer makes of Ctrl-C, without a word."""


@app.command("list")
def list_exhibits(as_json: AsJson = False) -> None:
    """List the exhibits of the paper."""
    from harness.cli.looking import list_exhibits

    list_exhibits(_project(), as_json)


@app.command("new-paper")
def new_paper(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
) -> None:
    """Begin a project for another paper, with one table that can be made at once."""
    from harness.cli.starting import new_paper

    new_paper(folder)


@app.command()
def show(
    exhibit: ExhibitName,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Show an exhibit: reported beside reproduced, with verdicts. Runs nothing."""
    from harness.cli.looking import show

    project = _project()
    show(project, exhibit, _request(project, profile, seeds, vary), as_json)


@app.command()
def plan(
    exhibit: PartName,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Say what a make would do, and how long it would take. Changes nothing."""
    from harness.cli.planning import show_plan

    project = _project()
    show_plan(project, exhibit, _request(project, profile, seeds, vary), as_json)


@app.command()
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
    project = _project()
    if source is Source.reported:
        from harness.cli.looking import render_reported

        render_reported(project, exhibits, as_json)
        return
    from harness.cli.making import make

    request = _request(project, profile, seeds, vary)
    if cluster is not None and executor is not Executor.slurm:
        raise UserError("--cluster says what Slurm jobs ask for; add --executor slurm")
    make(project, exhibits, request, executor.value, device.value, cluster, as_json)


@app.command()
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

    project = _project()
    if not show_diff(project, exhibit, _request(project, profile, seeds, vary), as_json):
        raise typer.Exit(1)


@app.command()
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

    if not verify(_project(), profile, require, as_json, junit, github):
        raise typer.Exit(1)


@app.command()
def audit(as_json: AsJson = False) -> None:
    """Say where the paper does not agree with itself. Needs nothing but the specs."""
    from harness.cli.auditing import show_audit

    show_audit(_project(), as_json)


@app.command()
def paper(
    profile: ProfileName = None,
    source: Annotated[
        Source, typer.Option(help="`reported` shows the paper's numbers only.")
    ] = Source.reproduced,
    as_json: AsJson = False,
) -> None:
    """Write the LaTeX document with every exhibit, claim and finding, and build its PDF."""
    from harness.cli.papering import make_paper

    make_paper(_project(), profile, source is Source.reported, as_json)


@app.command()
def report(
    profile: ProfileName = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; in the build folder by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a static site with every exhibit, number, claim and finding. Runs nothing."""
    from harness.cli.report.command import make_report

    make_report(_project(), profile, out, as_json)


@app.command()
def assumptions(exhibit: ExhibitName, profile: ProfileName = None, as_json: AsJson = False) -> None:
    """List the choices that an exhibit rests on and the paper does not state."""
    from harness.cli.looking import show_assumptions

    show_assumptions(_project(), exhibit, profile, as_json)


@app.command()
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

    project = _project()
    explain(project, address, _request(project, profile, seeds, vary), as_json)


@app.command()
def status(profile: ProfileName = None, as_json: AsJson = False) -> None:
    """Say how far every exhibit is, what runs now, and what failed."""
    from harness.cli.looking import show_status

    show_status(_project(), profile, as_json)


@app.command()
def collect(as_json: AsJson = False) -> None:
    """Say what came of queued steps; judge and render the exhibits that are over."""
    from harness.cli.queueing import collect

    collect(_project(), as_json)


@app.command()
def cancel(
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Arrays; all by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel what is queued or runs on a cluster. What is finished is kept."""
    from harness.cli.queueing import cancel

    cancel(_project(), jobs or [], as_json)


@app.command()
def runs(
    step: Annotated[str | None, typer.Option(help="Only records of this step.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the records in the store."""
    from harness.cli.storing import list_runs

    list_runs(_project(), step, as_json)


@app.command()
def probe(
    update: Annotated[
        bool, typer.Option("--update", help="Write the numbers of steps with a new revision.")
    ] = False,
) -> None:
    """Check that no step makes other numbers than its revision did."""
    from harness.cli.storing import probe

    probe(_project(), update)


@store_app.command("rebuild")
def rebuild() -> None:
    """Build the index anew from the records."""
    from harness.cli.storing import rebuild

    rebuild(_project())


@store_app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Such as store/published.")],
    exhibits: PartNames,
    profile: ProfileName = None,
    seeds: Seeds = None,
    vary: Vary = None,
    as_json: AsJson = False,
) -> None:
    """Write the records of exhibits as Parquet, without weights, large arrays and pictures."""
    from harness.cli.storing import export

    project = _project()
    export(project, folder, exhibits, _request(project, profile, seeds, vary), as_json)


@store_app.command("import")
def import_published(
    folder: Annotated[Path, typer.Argument(help="A folder that an export wrote.")],
    as_json: AsJson = False,
) -> None:
    """Place exported records in the store."""
    from harness.cli.storing import import_published

    import_published(_project(), folder, as_json)


@store_app.command("verify")
def verify_store(as_json: AsJson = False) -> None:
    """Recompute every digest. Exits with 1 where a record is damaged."""
    from harness.cli.storing import verify_store

    if not verify_store(_project(), as_json):
        raise typer.Exit(1)


@data_app.command("list")
def list_datasets(as_json: AsJson = False) -> None:
    """Say of every data set whether it is here, and what is missing where."""
    from harness.cli.data import list_datasets

    list_datasets(_project(), as_json)


@data_app.command("check")
def check_data(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All that are here by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare data sets with their specs. Exits with 1 where one is damaged or another."""
    from harness.cli.data import check

    if not check(_project(), names or [], as_json):
        raise typer.Exit(1)


@data_app.command("fetch")
def fetch_data(name: DatasetName) -> None:
    """Download a data set's files from its publisher, where that is allowed."""
    from harness.cli.data import fetch

    fetch(_project(), name)


@data_app.command("prepare")
def prepare_data(
    name: DatasetName,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave out files that cannot be decoded.")
    ] = False,
) -> None:
    """Turn the publisher's files into the arrays that the harness trains from.

    A run that was stopped is gone on with where files are decoded one by one.
    """
    from harness.cli.data import prepare

    prepare(_project(), name, skip_damaged)


@data_app.command("import")
def import_released(
    name: DatasetName,
    place: Annotated[Path, typer.Argument(metavar="PATH", help="The set's file or folder.")],
    layout: Annotated[
        str, typer.Option("--as", help="How it is laid out: sets, pair, folders or list.")
    ],
    space: Annotated[
        str | None, typer.Option(help="How its values are scaled, where that can differ.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--set", min=1, help="Of several in one file; the last if none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read and check a set of images that others released, and print its fingerprint."""
    from harness.cli.data import import_set

    import_set(_project(), name, place, layout, space, number, as_json)


@data_app.command("path")
def path_of_data(name: DatasetName) -> None:
    """Print where a data set's prepared form is or belongs."""
    from harness.cli.data import path

    path(_project(), name)


def _project() -> Project:
    from harness.cli.project import find_project

    return find_project()


def _request(
    project: Project, profile: str | None, seeds: int | None, vary: list[str] | None
) -> Request:
    from harness.cli.exhibits import Request
    from harness.plan.settings import parse_variation

    return Request(profile, seeds, parse_variation(project.paper, vary or []))


def main() -> None:
    """Run a command; user errors are one message and an exit code, bugs keep their traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ± still shows the rest
    try:
        app()
    except UserError as error:
        print(f"repro: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in _PLACES or error.filename is None:
            raise
        print(f"repro: {error.filename}: {error.strerror}; use another place", file=sys.stderr)
        sys.exit(UserError.exit_code)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            print(
                "repro: interrupted; what is finished is kept, and the same command goes on from "
                "there",
                file=sys.stderr,
            )
        raise
