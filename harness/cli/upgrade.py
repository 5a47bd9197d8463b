"""The command that rewrites specs of an older format."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson
from harness.cli.output import console, print_json

app = typer.Typer()


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
    from harness.spec.paper import FORMAT, format_of
    from harness.spec.upgrade import upgraded
    from harness.study.project import find_project

    specs = folder or find_project().specs
    if (specs / "specs" / "paper.toml").is_file():
        specs = specs / "specs"
    before = format_of(specs)
    changed = upgraded(specs)
    if not dry:
        for path, (_, text) in changed.items():
            (specs / path).write_text(text, encoding="utf-8")
    if as_json:
        files = [str(path) for path in changed]
        print_json({"from": before, "to": FORMAT, "files": files, "written": not dry})
        return
    for path, texts in changed.items():
        old, new = (text.splitlines() for text in texts)
        for line in difflib.unified_diff(old, new, str(path), str(path), n=1, lineterm=""):
            console().print(line, soft_wrap=True)
    if not changed:
        console().print(f"The specs are of format {FORMAT} already.")
        return
    done = "would be rewritten" if dry else "rewritten"
    console().print(f"Format {before} to {FORMAT}; specs {done}: {len(changed)}")
