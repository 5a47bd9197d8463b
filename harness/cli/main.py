"""The command `repro`."""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper

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
from harness.cli.ending import told
from harness.cli.usage import PlainGroup

app = typer.Typer(
    cls=PlainGroup,
    help="A paper as data, and a machine that says which of its numbers come back.",
    no_args_is_help=True,
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
    tables,
):
    app.add_typer(family.app)


def main() -> None:
    """Run a command; errors are one message and an exit code, bugs keep their traceback."""
    gc.set_threshold(100_000)  # the models of the specs stay; looking through them again costs 7 %
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ± still shows the rest
    with told():
        app()
