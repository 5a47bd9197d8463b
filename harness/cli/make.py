"""The commands that run something, here or on a cluster: make, collect, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.flips import show_design, show_flips
from harness.cli.options import (
    MOST,
    AsJson,
    Device,
    Most,
    PartNames,
    Source,
    UntilDecided,
    duration,
    in_study,
)
from harness.cli.output import console, print_json, submission_lines
from harness.cli.until import make_until_decided
from harness.errors import EvidenceError, UserError
from harness.study import as_json as to_json
from harness.study.study import How, Study, Where
from harness.words import counted

if TYPE_CHECKING:
    from harness.run.cluster.submission import QueuedArray
    from harness.study.explore import WrittenDesign
    from harness.study.make import Made

app = typer.Typer()


@app.command(epilog="Such as: repro make 'table7:ROW:COLUMN' --vary owner.setting=value")
@in_study
def make(
    study: Study,
    exhibits: PartNames,
    how: How,
    source: Annotated[
        Source, typer.Option(help="`reported` renders the paper's numbers and runs nothing.")
    ] = "reproduced",
    executor: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="local: processes; inline: this one; slurm, batch: queued jobs.",
        ),
    ] = "local",
    device: Annotated[Device, typer.Option(help="Where to run.")] = "auto",
    cluster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What queued jobs ask for, as TOML.")
    ] = None,
    explore: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Also run alternatives, in N runs by a design that is written down first; "
            "--vary then names those to be explored.",
        ),
    ] = None,
    write_only: Annotated[
        bool, typer.Option("--write-only", help="With --explore: write the design, run nothing.")
    ] = False,
    until_decided: UntilDecided = False,
    most: Most = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --until-decided: end before runs would take more than so much of one "
            "device, such as 8h or 30min.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run what an exhibit needs and has no record yet, then judge and render it."""
    others = {"--explore": explore, "--cluster": cluster}
    reported = {"--source reported": source == "reported"}
    _refuse("--until-decided", until_decided, {**others, "--write-only": write_only, **reported})
    _refuse("--source reported", source == "reported", {**others, **_of_runs(how)})
    if (most or budget) and not until_decided:
        raise UserError("--most and --budget are of --until-decided; add it")
    if write_only and not explore:
        raise UserError("--write-only is of a design; add --explore N")
    if until_decided:
        seconds = None if budget is None else duration("--budget", budget)
        bounds = (most or MOST, seconds, executor, device)
        _raise(make_until_decided(study, exhibits, how, bounds, as_json))
        return
    if source == "reported":
        _render_reported(study, exhibits, as_json)
        return
    from harness.run.executors import executor_entry

    if cluster is not None and not executor_entry(executor).leaves:
        raise UserError("--cluster says what queued jobs ask for; add --executor slurm or batch")
    written = _design(study, exhibits, how, explore, write_only, as_json) if explore else None
    if write_only:
        return
    where: Where = {"executor": executor, "device": device, "cluster": cluster}
    made = study.explore(written, **where) if written else study.make(*exhibits, **where, **how)
    _show(study, made, written, as_json)
    _raise(made.problems)


def _show(study: Study, made: Made, written: WrittenDesign | None, as_json: bool) -> None:
    """What was made or queued, and after a design what turns each verdict."""
    design = written.design if written and made.queued is None else None
    flips = study.flips(design.exhibit, design.profile) if design else None
    if as_json:
        print_json(to_json.made(made) | ({"turned_by": to_json.flips(flips)} if flips else {}))
        return
    if made.queued is not None:
        _print_queued(made.queued)
        return
    for item in made.exhibits:
        item.show(console())
    console().print(f"all of it as pages: repro report --profile {made.exhibits[0].profile}")
    if flips:
        show_flips(flips)


@app.command(epilog="Such as: repro collect")
@in_study
def collect(study: Study, as_json: AsJson = False) -> None:
    """Say what came of queued steps; judge and render the exhibits that are over."""
    found = study.collect()
    if as_json:
        print_json(to_json.collected(found))
    else:
        for line in submission_lines(found.standings) or ["Nothing was submitted."]:
            console().print(line)
        for item in found.exhibits:
            item.show(console())
    _raise(found.problems)


@app.command(epilog="Such as: repro cancel 4711")
@in_study
def cancel(
    study: Study,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Arrays; all by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel what is queued or runs on a cluster. What is finished is kept."""
    arrays = study.cancel(*jobs or ())
    if as_json:
        print_json(to_json.cancelled(arrays))
        return
    for array in arrays:
        console().print(f"cancelled {array.job}: {array.step}, {counted(len(array.jobs), 'job')}")
    if not arrays:
        console().print("Nothing was queued.")


def _refuse(option: str, given: object, others: Mapping[str, object]) -> None:
    """Raise UserError if an option is given together with one with which it does not go."""
    for other in (name for name, also in others.items() if given and also):
        raise UserError(f"{option} does not go with {other}; leave out one of them")


def _of_runs(how: How) -> dict[str, object]:
    return {"--seeds": how.get("seeds"), "--vary": how.get("vary")}


def _design(
    study: Study,
    exhibits: Sequence[str],
    how: How,
    runs: int,
    write_only: bool,
    as_json: bool,
) -> WrittenDesign:
    """The design that is asked for, printed."""
    only = list(how.get("vary") or ())
    profile, seeds = how.get("profile"), how.get("seeds")
    written = study.design(*exhibits, runs=runs, only=only, profile=profile, seeds=seeds)
    if not as_json:
        show_design(written)
    elif write_only:
        print_json(to_json.design(written))
    return written


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise EvidenceError("\n".join(problems))


def _print_queued(arrays: Sequence[QueuedArray]) -> None:
    for array in arrays:
        steps = sum(len(steps) for steps in array.jobs.values())
        console().print(
            f"queued {array.job}: {steps} {array.step} in {counted(len(array.jobs), 'job')}"
        )
    if not arrays:
        console().print("Everything that lacks a record is queued already.")
    console().print("`repro status` tells how far it is, `repro collect` what came of it.")


def _render_reported(study: Study, exhibits: Sequence[str], as_json: bool) -> None:
    from harness.study.renders import write_reported

    files = write_reported(study.project, exhibits)
    if as_json:
        print_json({"files": [str(path) for path in files]})
        return
    for path in files:
        console().print(f"wrote {path}", soft_wrap=True)
