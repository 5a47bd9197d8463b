"""The commands that look and change nothing: list, show, diff, assumptions, why, status."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, ExhibitName, ProfileName, in_study
from harness.cli.output import console, print_grid, print_json
from harness.cli.printing import print_claims, print_judgement, print_not_run, submission_lines
from harness.study import as_json as to_json
from harness.study.study import How, Study

if TYPE_CHECKING:
    from harness.spec.exhibit import Exhibit
    from harness.spec.others import SettingsTable

app = typer.Typer()


@app.command("list", epilog="Such as: repro list --json")
@in_study
def list_exhibits(study: Study, as_json: AsJson = False) -> None:
    """List the exhibits of the paper."""
    if as_json:
        print_json(to_json.exhibits(study.paper))
        return
    exhibits = study.paper.exhibits.values()
    print_grid(("Exhibit", "Kind", "Title"), [(e.id, e.kind, e.title) for e in exhibits])


@app.command(epilog="Such as: repro show table7 --profile paper")
@in_study
def show(study: Study, exhibit: ExhibitName, how: How, as_json: AsJson = False) -> None:
    """Show an exhibit: reported beside reproduced, with verdicts. Runs nothing."""
    from harness.spec.others import SettingsTable

    named = study.paper.exhibit(exhibit)
    if isinstance(named, SettingsTable):
        _show_settings(study, named, as_json)
    elif exhibit not in study.paper.runnable:
        _show_stated(named, as_json)
    else:
        shown = study.judge(exhibit, **how)
        if as_json:
            print_json(to_json.judged(shown))
            return
        print_judgement(shown.judgement)
        print_not_run(shown.not_run)
        print_claims(shown.claims, shown.profile)


def _show_settings(study: Study, exhibit: SettingsTable, as_json: bool) -> None:
    from harness.render import terminal
    from harness.study.renders import printed

    model = printed(study.paper, exhibit)
    if as_json:
        cells = [
            {"row": row.name, "column": column.name, "printed": cell.reported}
            for row in model.rows
            for column, cell in zip(model.columns, row.cells, strict=True)
        ]
        print_json({"exhibit": exhibit.id, "cells": cells})
        return
    terminal.show(model, "reported", console())


def _show_stated(exhibit: Exhibit, as_json: bool) -> None:
    if as_json:
        print_json(to_json.stated(exhibit))
        return
    console().print(f"{exhibit.label}: {exhibit.title}\n{exhibit.caption}")
    if exhibit.stated:
        rows = [(key, item.text, item.where) for key, item in exhibit.stated.items()]
        print_grid(("Stated", "Number", "Where"), rows)


@app.command(epilog="Such as: repro diff table8 --profile paper")
@in_study
def diff(study: Study, exhibit: ExhibitName, how: How, as_json: AsJson = False) -> None:
    """Compare reproduced with reported, cell by cell.

    Exits with 1 where a cell deviates, or where the printed number contradicts another one.
    """
    judgement = study.diff(exhibit, **how)
    if as_json:
        print_json(to_json.difference(judgement))
    elif "cells" in judgement.fields:
        _print_diff(judgement.fields["cells"])
    else:
        from harness.cli.points import print_stated
        from harness.study.points import PointsJudgement

        assert isinstance(judgement, PointsJudgement)
        print_stated(judgement)
    if {"deviates", "paper-inconsistent"} & set(judgement.verdict_names.values()):
        raise typer.Exit(1)


def _print_diff(cells: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for cell in cells:
        ours = cell["reproduced"]
        interval = cell["interval"]
        rows.append(
            (
                f"{cell['row']} / {cell['column']}",
                cell["reported"]["text"] if cell["reported"] else "–",
                f"{ours['mean']:.2f} (n={ours['n']})" if ours else "–",
                "–" if cell["difference"] is None else f"{cell['difference']:+.2f}",
                "–" if interval is None else f"{interval[0]:+.2f} to {interval[1]:+.2f}",
                cell["verdict"],
            )
        )
    print_grid(("Cell", "Reported", "Reproduced", "Difference", "95 % interval", "Verdict"), rows)
    for reason in sorted({cell["why"] for cell in cells if cell["verdict"] == "not comparable"}):
        console().print(reason)


@app.command(epilog="Such as: repro assumptions table7")
@in_study
def assumptions(
    study: Study, exhibit: ExhibitName, profile: ProfileName = None, as_json: AsJson = False
) -> None:
    """List the choices that an exhibit rests on and the paper does not state."""
    found = study.assumptions(exhibit, profile)
    if as_json:
        print_json(to_json.assumptions(exhibit, study.paper.profile(profile), found))
        return
    rows = [
        (
            setting.name,
            str(setting.value),
            ", ".join(str(value) for value in setting.choice.alternatives) or "–",
            f"{setting.choice.source}: {setting.choice.why or setting.choice.place}",
        )
        for setting in found
    ]
    print_grid(("Choice", "Value", "Alternatives", "Where from"), rows)


@app.command(epilog="Such as: repro why 'table7:ROW:COLUMN'")
@in_study
def why(
    study: Study,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A cell, such as 'table7:row:column'.")
    ],
    how: How,
    as_json: AsJson = False,
) -> None:
    """Say why the steps of a cell will run or not."""
    lines = study.why(address, **how)
    if as_json:
        print_json({"address": address, "why": lines})
        return
    for line in lines:
        console().print(line, soft_wrap=True)


@app.command(epilog="Such as: repro status --profile paper")
@in_study
def status(study: Study, profile: ProfileName = None, as_json: AsJson = False) -> None:
    """Say how far every exhibit is, what runs now, and what failed."""
    found = study.status(profile)
    for problem in found.problems:
        print(f"repro: {problem}", file=sys.stderr)
    fields = to_json.status(found)
    if as_json:
        print_json(fields)
        return
    headings = ("exhibit", "profile", "steps", "current", "running", "queued", "failed")
    print_grid(headings, [[str(row[key]) for key in headings] for row in fields["exhibits"]])
    for line in submission_lines(found.submissions):
        console().print(line)
