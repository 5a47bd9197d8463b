"""The commands that look and change nothing: list, show, diff, assumptions, why, status."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.flips import show_flips
from harness.cli.options import AsJson, ExhibitName, OnlyKind, ProfileName, in_study
from harness.cli.output import console, print_grid, print_json, submission_lines
from harness.cli.watching import Watch, rounds
from harness.media import say
from harness.study import as_json as to_json
from harness.study.study import How, Study
from harness.words import counted

if TYPE_CHECKING:
    from harness.study.status import Status

app = typer.Typer()


def welcome() -> None:
    """What is here, and what to do next, in a few lines.

    Raises:
        UserError: the working directory is in no project, or its specs are wrong.
    """
    study = Study.open()
    results, stated = study.results(), study.paper.about.paper_profile
    held = [f"{name} ({', '.join(under)})" for name, under in results.items() if under]
    none = "not known, see repro list" if study.remarks(results) else "none"
    first = max(results, key=lambda name: results[name].get(stated, 0), default="EXHIBIT")
    exhibits = counted(len(study.paper.exhibits), "exhibit")
    lines = (
        study.paper.about.title,
        f"{exhibits}; results are here of: {', '.join(held) or none}",
        "",
        ("repro list", "all exhibits, and which have results"),
        (f"repro show {first}", "reported beside reproduced, with verdicts"),
        ("repro verify", "the paper's sentences, on its numbers and on ours"),
        (f"repro plan {first}", "what a run would take; repro make runs it"),
        ("repro --help", "all commands"),
    )
    for line in lines:
        text = line if isinstance(line, str) else f"{line[0]:24}{line[1]}"
        console().print(text, soft_wrap=True)


@app.command("list", epilog="Such as: repro list --json")
@in_study
def list_exhibits(study: Study, as_json: AsJson = False) -> None:
    """List the exhibits of the paper, and how many numbers have results under which profile."""
    results = study.results()
    remarks = study.remarks(results)
    if as_json:
        print_json(to_json.exhibits(study.paper, results, remarks))
        return
    from harness.render.terminal import show_list

    rows = []
    for e in study.paper.exhibits.values():
        told = [f"{n} {profile}" for profile, n in results.get(e.id, {}).items()]
        told += [remarks[e.id]] if e.id in remarks else []
        rows.append((e.id, ", ".join(told) or "–", e.title))
    show_list(("Exhibit", "Numbers with results", "Title"), rows, console())
    first = next((name for name, under in results.items() if under), "EXHIBIT")
    console().print(f"Of an exhibit: repro show {first}; what a run takes: repro plan {first}")


@app.command(epilog="Such as: repro show table7 --profile paper")
@in_study
def show(
    study: Study, exhibit: ExhibitName, how: How, only: OnlyKind = None, as_json: AsJson = False
) -> None:
    """Show an exhibit: reported beside reproduced, with verdicts. Runs nothing."""
    from harness.render.views import view_of

    if exhibit not in study.paper.runnable:
        view = view_of(study.paper, study.paper.exhibit(exhibit))
        if as_json:
            print_json(to_json.reported(view))
        else:
            view.show(None, console())
        return
    shown = study.judge(exhibit, only, **how)
    if as_json:
        print_json(to_json.judged(shown))
        return
    shown.show(console())
    plan = shown.judgement.plan
    usual = study.paper.about.default_profile
    words = _words(exhibit, how, "" if plan.profile.id == usual else plan.profile.id)
    told = f"repro plan {words} says what a run takes; repro make {words} runs what is missing"
    if any(result.amounts for result in shown.judgement.results):
        told = f"repro diff {words} says by how much; repro make {words} runs what is missing"
    elif not any(item.sources for item in plan.items):
        told = f"repro evidence add {exhibit} FILE names results that exist already"
    console().print(f"Next: {told}", soft_wrap=True, markup=False, highlight=False)


def _words(exhibit: str, how: How, profile: str) -> str:
    """The exhibit, and how it is shown here, as they are given to a command."""
    words = [exhibit]
    words += ["--profile", profile] if profile else []
    words += ["--seeds", str(how["seeds"])] if how.get("seeds") else []
    words += [word for each in how.get("vary") or () for word in ("--vary", each)]
    return shlex.join(words)


@app.command(epilog="Such as: repro diff table8 --profile paper")
@in_study
def diff(
    study: Study, exhibit: ExhibitName, how: How, only: OnlyKind = None, as_json: AsJson = False
) -> None:
    """Compare reproduced with reported, cell by cell.

    Exits with 1 where a cell deviates, or where the printed number contradicts another one.
    """
    from harness.render.views import view_of

    judgement = study.diff(exhibit, only, **how)
    view = view_of(study.paper, judgement.plan.exhibit)
    if as_json:
        print_json(to_json.difference(judgement, view))
    else:
        view.show_diff(judgement, console())
    against = {"deviates", "paper-inconsistent"} & set(judgement.verdict_names.values())
    if against or judgement.wrong_differences:
        raise typer.Exit(1)


@app.command(epilog="Such as: repro assumptions table7")
@in_study
def assumptions(
    study: Study,
    exhibit: ExhibitName,
    profile: ProfileName = None,
    flips: Annotated[
        bool,
        typer.Option("--flips", help="Say which of those that were run turn a verdict."),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="List every choice, with its reason in full.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the choices that an exhibit rests on and the paper does not state."""
    if flips:
        turned = study.flips(exhibit, profile)
        if as_json:
            print_json(to_json.flips(turned))
        else:
            show_flips(turned)
        return
    found = study.assumptions(exhibit, profile)
    if as_json:
        print_json(to_json.assumptions(exhibit, study.paper.profile(profile), found))
        return
    from harness.render.assumptions import overview
    from harness.render.assumptions import show as show_all

    if everything:
        show_all(found, console())
    else:
        overview(found, exhibit, console())


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


@app.command(epilog="Such as: repro status --watch")
@in_study
def status(
    study: Study, profile: ProfileName = None, watch: Watch = False, as_json: AsJson = False
) -> None:
    """Say how far every exhibit is, what runs now and where, and what failed."""
    for now in rounds(study, watch):
        found = now.status(profile)
        if watch and console().is_terminal:
            console().clear()
        for problem in found.problems:
            say(problem)
        if as_json:
            print_json(to_json.status(found))
        else:
            _print_status(found)


def _print_status(found: Status) -> None:
    from harness.run.progress import held_by

    headings = ("exhibit", "profile", "steps", "current", "running", "queued", "failed")
    rows = to_json.status(found)["exhibits"]
    print_grid(headings, [[str(row[key]) for key in headings] for row in rows])
    for one in found.at_work:
        told = held_by(one.step, one.numbers, 0, one.holder)
        console().print(f"{one.holder.condition}: {told}", soft_wrap=True)
    for line in submission_lines(found.submissions):
        console().print(line)
