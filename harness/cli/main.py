"""The command `repro`."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from harness.cli import (
    audit,
    compare,
    data,
    evidence,
    make,
    new_paper,
    plan,
    report,
    show,
    store,
    tables,
    trust,
    upgrade,
    verify,
)
from harness.cli.answers import Reading
from harness.cli.ending import told
from harness.cli.streams import prepare, settle
from harness.cli.usage import PlainGroup
from harness.errors import UserError

app = typer.Typer(
    cls=PlainGroup,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for family in (
    show,
    plan,
    make,
    verify,
    audit,
    report,
    compare,
    new_paper,
    upgrade,
    store,
    data,
    evidence,
    tables,
    trust,
):
    app.add_typer(family.app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"repro {version('repro-harness')}")
        raise typer.Exit


@app.callback()
def first_contact(
    context: typer.Context,
    shown: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """A paper as data, and a machine that says which of its numbers come back."""
    if context.invoked_subcommand is None:
        try:
            show.welcome()
        except UserError:  # no project is here, so there is nothing to tell of
            typer.echo(context.get_help())


def main(reading: Reading | None = None) -> None:
    """Run a command; errors are one message and an exit code, bugs keep their traceback.

    `reading` keeps what a command said that ended by itself.
    """
    gc.set_threshold(100_000)  # the models of the specs stay; looking through them again costs 7 %
    prepare(reading.said if reading else None)
    try:
        with told():
            app()
    except SystemExit as stop:
        if reading and stop.code in (0, 1):
            reading.keep(stop.code)
        raise
    finally:
        settle()
