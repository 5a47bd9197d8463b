"""The commands of `repro data`. Each one imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.asked import here
from harness.cli.options import AsJson, DatasetName

data_app = typer.Typer(help="Look after the data sets.", no_args_is_help=True)


@data_app.command("list", epilog="Such as: repro data list")
def list_datasets(as_json: AsJson = False) -> None:
    """Say of every data set whether it is here, and what is missing where."""
    from harness.cli.data import list_datasets

    list_datasets(here(), as_json)


@data_app.command("check", epilog="Such as: repro data check NAME")
def check_data(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All that are here by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare data sets with their specs. Exits with 1 where one is damaged or another."""
    from harness.cli.data import check

    if not check(here(), names or [], as_json):
        raise typer.Exit(1)


@data_app.command("fetch", epilog="Such as: repro data fetch NAME")
def fetch_data(name: DatasetName) -> None:
    """Download a data set's files from its publisher, where that is allowed."""
    from harness.cli.data import fetch

    fetch(here(), name)


@data_app.command("prepare", epilog="Such as: repro data prepare NAME")
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

    prepare(here(), name, skip_damaged)


@data_app.command("import", epilog="Such as: repro data import NAME distilled.pt --as sets")
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

    import_set(here(), name, place, layout, space, number, as_json)


@data_app.command("path", epilog="Such as: repro data path NAME")
def path_of_data(name: DatasetName) -> None:
    """Print where a data set's prepared form is or belongs."""
    from harness.cli.data import path

    path(here(), name)
