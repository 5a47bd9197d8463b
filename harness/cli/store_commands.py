"""The commands of `repro store`. Each one imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.asked import here, request
from harness.cli.options import AsJson, PartNames, ProfileName, Seeds, Vary

store_app = typer.Typer(help="Look after the store of records.", no_args_is_help=True)


@store_app.command("rebuild", epilog="Such as: repro store rebuild")
def rebuild() -> None:
    """Build the index anew from the records."""
    from harness.cli.storing import rebuild

    rebuild(here())


@store_app.command(
    "export", epilog="Such as: repro store export store/published table8 --profile paper"
)
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

    project = here()
    export(project, folder, exhibits, request(project, profile, seeds, vary), as_json)


@store_app.command("import", epilog="Such as: repro store import ../theirs/store/published")
def import_published(
    folder: Annotated[Path, typer.Argument(help="A folder that an export wrote.")],
    as_json: AsJson = False,
) -> None:
    """Place exported records in the store."""
    from harness.cli.storing import import_published

    import_published(here(), folder, as_json)


@store_app.command("verify", epilog="Such as: repro store verify --set-aside")
def verify_store(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move damaged records out of the way.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute every digest. Exits with 1 where a record is damaged."""
    from harness.cli.storing import verify_store

    if not verify_store(here(), set_aside, as_json):
        raise typer.Exit(1)
