"""The command that lets commands which only read execute a paper's own code."""

from __future__ import annotations

import typer

from harness.cli.options import in_study
from harness.cli.output import console
from harness.study.study import Study

app = typer.Typer()


@app.command(epilog="Such as: repro trust")
@in_study
def trust(study: Study) -> None:
    """Let commands that only read execute this folder's own code, as make, plan and probe do."""
    study.project.trust()
    console().print(f"{study.project.home}: its code may be executed", soft_wrap=True)
