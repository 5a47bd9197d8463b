"""The commands of `repro tables`: specs beside the sources that their tables were read from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson, in_study
from harness.cli.output import console, print_grid, print_json
from harness.media import say
from harness.study import as_json as to_json
from harness.study.study import Study

app = typer.Typer()
tables_app = typer.Typer(
    help="Hold the specs against the paper's own sources.", no_args_is_help=True
)
app.add_typer(tables_app, name="tables")


@tables_app.command("sync", epilog="Such as: repro tables sync main.tex; and then with --write")
@in_study
def sync(
    study: Study,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="LaTeX, Markdown, HTML or CSV of the paper."),
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Bring the specs to it; what is gone stays there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what the sources say now that the specs do not, number by number.

    Also which claims come out otherwise on the numbers of now.
    """
    found = study.sync_tables(*files, write=write)
    if as_json:
        print_json(to_json.synced(found))
        return
    for line in found.unread:
        say(f"not read: {line}")
    if found.changes:
        print_grid(
            ("Where", "What", "Specs", "Sources"),
            [(c.address, c.kind, c.before or "–", c.after or "–") for c in found.changes],
        )
    told = []
    if any(c.kind == "removed" for c in found.changes):
        told.append(
            "What is removed stays in the specs, as claims may be about it; delete its [[rows]] or "
            "[[columns]] entry there, and it is told of no more"
        )
    told += [f"New table: {t.label or t.caption or t.place}, {t.place}" for t in found.new_tables]
    told += [f"Gone: {name}" for name in found.gone]
    told += [f"New sentence, {s.place}: {s.text}" for s in found.new_sentences]
    told += [f"Gone sentence, {e.where}: {e.starts}" for e in found.gone_sentences]
    told += [
        f"Claim {t.claim.id} flips: {t.before.outcome} -> {t.now.outcome}; {t.now.why}"
        for t in found.turned
    ]
    for line in told:
        console().print(line, soft_wrap=True)
    counts = Counter(change.kind for change in found.changes)
    summary = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    if not summary and not told:
        summary = "the specs say what the sources say"
    if found.written:
        summary += f"; wrote {', '.join(map(str, found.written))}"
    if summary:
        console().print(summary.removeprefix("; "), soft_wrap=True)
