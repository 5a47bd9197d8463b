"""The command that begins a project for another paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import console
from harness.media import say

app = typer.Typer()


@app.command("new-paper", epilog="Such as: repro new-paper ../another-paper --from main.tex")
def new_paper(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", metavar="FILE", help="LaTeX, Markdown, HTML or CSV with tables; repeatable."
        ),
    ] = None,
) -> None:
    """Begin a project for another paper: with an example that runs, or with the paper's tables."""
    from harness.study.new_paper import new_paper

    begun = new_paper(folder, sources or ())
    for line in begun.unread:
        say(f"not read: {line}")
    wrote = f"wrote {folder}"
    if begun.tables:
        wrote += (
            f" (tables: {len(begun.tables)}; sentences in specs/coverage.toml that wait for their "
            f"claims: {begun.sentences}; not read, and not guessed: {len(begun.unread)})"
        )
    then = "repro list, repro audit, repro evidence add table1 FILE"
    if not begun.tables:
        then = "repro make table1, repro verify, repro report"
    console().print(f"{wrote}; go there, then: {then}", soft_wrap=True)
