"""The command that begins a project for another paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import console

app = typer.Typer()


@app.command("new-paper", epilog="Such as: repro new-paper ../another-paper")
def new_paper(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
) -> None:
    """Begin a project for another paper, with one table that can be made at once."""
    from harness.study.new_paper import new_paper

    new_paper(folder)
    console().print(
        f"wrote {folder}; go there, then: repro make table1, repro verify, repro report",
        soft_wrap=True,
    )
