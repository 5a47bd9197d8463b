"""The commands of `repro evidence`: results that exist already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, ExhibitName, in_study
from harness.cli.output import console, print_json
from harness.errors import UserError
from harness.study.study import Study
from harness.words import counted

if TYPE_CHECKING:
    from harness.study.evidence import Accepted

app = typer.Typer()
evidence_app = typer.Typer(help="Judge results that exist already.", no_args_is_help=True)
app.add_typer(evidence_app, name="evidence")


@evidence_app.command("add", epilog="Such as: repro evidence add table2 runs.csv --seed iteration")
@in_study
def add(
    study: Study,
    exhibit: ExhibitName,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, quoted patterns, or a folder.")
    ],
    reader: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the files are; else by their names.")
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="It names the row; repeated, joined with /."),
    ] = None,
    column: Annotated[
        str | None, typer.Option(metavar="FIELD", help="It names the column.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="FIELD", help="It tells the runs of a cell apart.")
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="It has the number; or COLUMN=FIELD, repeated."),
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="The table's number is this times the one in the files.")
    ] = None,
    inside: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where results lie: results.{method}, for one."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="What counts; repeated. * is any text."),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="TEXT=NAME", help="A text is this row or column; repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write into a table's spec which files hold its numbers. What is clear may be left out."""
    rows = row[0] if row and len(row) == 1 else row or None
    stated = {"reader": reader, "row": rows, "column": column, "seed": seed, "scale": scale}
    given: dict[str, Any] = {
        key: held for key, held in {**stated, "inside": inside}.items() if held is not None
    }
    given |= _value(value or [])
    for key, texts in (("where", where), ("names", names)):
        given |= {key: _pairs(key.removesuffix("s"), texts)} if texts else {}
    done = study.add_evidence(exhibit, *files, **given)
    _tell([done], as_json)


@evidence_app.command("accept", epilog="Such as: repro evidence accept table2")
@in_study
def accept(
    study: Study,
    exhibits: Annotated[
        list[str] | None, typer.Argument(metavar="[EXHIBIT]...", help="All by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Accept files of results as they are now, after they changed."""
    _tell(study.accept_evidence(*exhibits or ()), as_json)


def _value(texts: Sequence[str]) -> dict[str, Any]:
    if not texts:
        return {}
    pairs = dict(text.split("=", 1) for text in texts if "=" in text)
    if len(pairs) == len(texts):
        return {"value": pairs}
    if len(texts) > 1:
        raise UserError("--value: expected one field, or COLUMN=FIELD for each column")
    return {"value": texts[0]}


def _pairs(key: str, texts: Sequence[str]) -> dict[str, Any]:
    """Each text before `=` -> the text after it, or several."""
    held: dict[str, list[str]] = {}
    for text in texts:
        one, sign, other = text.partition("=")
        if not (one and sign):
            raise UserError(f"--{key}: found '{text}', expected two texts with = between them")
        held.setdefault(one, []).append(other)
    return {one: other[0] if len(other) == 1 else other for one, other in held.items()}


def _tell(done: Sequence[Accepted], as_json: bool) -> None:
    if as_json:
        print_json({"accepted": [{**asdict(each), "lock": str(each.lock)} for each in done]})
        return
    from harness.evidence.found import passed_over

    for each in done:
        if each.written:
            console().print(each.written, soft_wrap=True)
        console().print(
            f"{each.exhibit}: {each.cells} of {counted(each.of, 'printed number')} have results, "
            f"from {counted(len(each.files), 'file')}, whose digests are in {each.lock}",
            soft_wrap=True,
        )
        for line in (*passed_over(each.unknown), *each.notes):
            console().print(line, soft_wrap=True)
