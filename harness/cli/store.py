"""The commands about records: runs, probe, and those of `repro store`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import AsJson, Device, PartNames, in_study
from harness.cli.output import console, print_grid, print_json
from harness.errors import UserError
from harness.media import say
from harness.render.numbers import hours
from harness.study import as_json as to_json
from harness.study.study import How, Study
from harness.words import counted

if TYPE_CHECKING:
    from harness.study.bundle import Audited

app = typer.Typer()
store_app = typer.Typer(help="Look after the store of records.", no_args_is_help=True)
app.add_typer(store_app, name="store")


@app.command(epilog="Such as: repro runs --step student")
@in_study
def runs(
    study: Study,
    step: Annotated[str | None, typer.Option(help="Only records of this step.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the records in the store."""
    from harness.study.records import list_records

    records = list_records(study.project, step)
    if as_json:
        print_json({"runs": records})
        return
    rows = [
        (
            record["identity"][:12],
            record["step"],
            str(record["seed"]),
            hours(record["seconds"]),
            ", ".join(f"{k} {v}" for k, v in sorted(record["values"].items())),
        )
        for record in records
    ]
    print_grid(("Record", "Step", "Seed", "Took", "Values"), rows)


@app.command(epilog="Such as: repro probe --update")
@in_study
def probe(
    study: Study,
    update: Annotated[
        bool, typer.Option("--update", help="Write the numbers of steps with a new revision.")
    ] = False,
) -> None:
    """Check that no step makes other numbers than its revision did."""
    from harness.study.records import probe

    probed = probe(study.project, update)
    for line in probed.written:
        console().print(line)
    for name in probed.bare:
        console().print(f"step {name} has no probe")
    if probed.problems:
        raise UserError("\n  ".join(probed.problems))
    one, many = "step makes the numbers of its", "steps make the numbers of their"
    console().print(counted(probed.steps, f"{one} revision", f"{many} revisions"))


@store_app.command("rebuild", epilog="Such as: repro store rebuild")
@in_study
def rebuild(study: Study) -> None:
    """Build the index anew from the records."""
    from harness.study.records import rebuild

    console().print(f"{counted(rebuild(study.project), 'record')} in the index")


@store_app.command(
    "export", epilog="Such as: repro store export store/published table8 --profile paper"
)
@in_study
def export(
    study: Study,
    folder: Annotated[Path, typer.Argument(help="Such as store/published.")],
    exhibits: PartNames,
    how: How,
    crate: Annotated[
        bool, typer.Option("--crate", help="Describe them as a Workflow Run RO-Crate too.")
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="Write for other tools too: every-eval-ever, model-card, croissant, made-sets, "
            "logbook, or crate; repeatable.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the records of exhibits as Parquet, without weights, large arrays and pictures."""
    from harness.formats.exported import format_named
    from harness.study.records import export

    asked = sorted({*(formats or ()), *(["crate"] if crate else ())})
    written, held, empty = export(study.project, folder, exhibits, study.request(**how), asked)
    for name in empty:
        what = f" ({needed})" if (needed := format_named(name).shows) else ""
        say(f"{name}: nothing was written, since none of these records has what it shows{what}")
    if as_json:
        print_json({"written": written, "held": held, "empty": list(empty)})
        return
    console().print(f"{counted(written, 'record')} written to {folder}, which holds {held}")


@store_app.command("audit", epilog="Such as: repro store audit bundle --draw 7f3a --cells 29")
@in_study
def audit_bundle(
    study: Study,
    bundle: Annotated[Path, typer.Argument(help="A folder that an export wrote.")],
    nonce: Annotated[
        str, typer.Option("--draw", metavar="NONCE", help="Chosen after the bundle was closed.")
    ],
    cells: Annotated[int, typer.Option(min=1, help="How many records are drawn.")] = 29,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="By how much a value may differ on another processor.")
    ] = 0.1,
    executor: Annotated[str, typer.Option(help="`inline` or `local`.")] = "local",
    device: Annotated[Device, typer.Option(help="Where to run.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Run records of a bundle again, drawn by a nonce, and say what that proves."""
    found = study.audit_bundle(bundle, nonce, cells, tolerance, executor, device)
    if as_json:
        print_json(to_json.audited(found))
    else:
        _show_audited(found)
    if not found.passed:
        raise typer.Exit(1)


def _show_audited(found: Audited) -> None:
    rows = [
        (
            each.record.identity[:12],
            each.record.work,
            ", ".join(f"{k} {v}" for k, v in sorted(each.record.values.items())),
            ", ".join(f"{k} {v}" for k, v in sorted(each.again.items())),
            each.found,
        )
        for each in found.checked
    ]
    print_grid(("Record", "Step", "In the bundle", "Run here", "Found"), rows)
    for problem in found.problems:
        console().print(problem)
    told = f"{len(found.checked)} of {counted(found.population, 'record')} drawn by '{found.nonce}'"
    if not found.passed:
        bad = sum(each.found in ("differs", "failed") for each in found.checked)
        console().print(f"{told}: {bad} did not come back within {found.tolerance:g}")
    elif found.bound > found.population:
        console().print(f"{told}, all came back; too few to bound how many are forged")
    else:
        console().print(
            f"{told}, all came back within {found.tolerance:g}. Had {found.bound} or more of them "
            "been forged, one would have been drawn with 95 % (hypergeometric)"
        )


@store_app.command("import", epilog="Such as: repro store import ../theirs/store/published")
@in_study
def import_published(
    study: Study,
    folder: Annotated[Path, typer.Argument(help="A folder that an export wrote.")],
    as_json: AsJson = False,
) -> None:
    """Place exported records in the store."""
    from harness.study.records import import_published

    placed, partial = import_published(study.project, folder)
    if as_json:
        print_json({"placed": placed, "partial": partial})
        return
    console().print(
        f"{counted(placed, 'record')} placed, and {partial} more left out, published without all "
        "arrays",
    )


@store_app.command("drop", epilog="Such as: repro store drop 'table7:ROW:COLUMN' --yes")
@in_study
def drop(
    study: Study,
    name: Annotated[
        str, typer.Argument(metavar="ADDRESS|IDENTITY", help="A number, or one record.")
    ],
    *,
    how: How,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; else they are listed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget the records that a number is read from, so that the next make runs them anew."""
    from harness.study.records import drop

    records = drop(study.project, name, study.request(**how), yes)
    if as_json:
        found = [{"identity": r.identity, "step": r.step, "seed": r.seed} for r in records]
        print_json({"records": found, "dropped": yes})
        return
    for record in records:
        values = ", ".join(f"{key} {value}" for key, value in sorted(record.values.items()))
        console().print(f"{record.identity[:12]} {record.work}: {values}")
    end = "dropped" if yes else "would be dropped; --yes drops them"
    console().print(f"{counted(len(records), 'record')} {end}")


def _after_damage(set_aside: bool, store: Path) -> str:
    anew = "the next make does those anew that it needs; what was made from them stays"
    if set_aside:
        return f"moved to {store / 'damaged'}; {anew}"
    return f"`repro store verify --set-aside` moves them out of the way; {anew}"


@store_app.command("verify", epilog="Such as: repro store verify --set-aside")
@in_study
def verify_store(
    study: Study,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move damaged records out of the way.")
    ] = False,
    sha256: Annotated[
        bool,
        typer.Option(
            "--sha256", help="Recompute SHA-256 too, of files and of what they hold; far slower."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check digests and identities. Exits with 1 where a record is not what it says."""
    from harness.store.verify import PUBLISHED
    from harness.study.records import damaged

    problems, untold = damaged(study.project, set_aside, sha256)
    if as_json:
        found = [asdict(problem) for problem in problems]
        print_json({"problems": found, "not_identified": untold})
    else:
        for problem in problems:
            work = f" {problem.work}" if problem.work else ""
            console().print(f"{problem.identity[:12]}{work}: {problem.message}")
        if any(problem.identity != PUBLISHED for problem in problems):
            console().print(_after_damage(set_aside, study.project.store.root))
        if not problems:
            console().print("every record agrees with its digests")
        if untold:
            console().print(
                f"not recomputed: the identities of {counted(untold, 'record')}, of steps or "
                "revisions that are not known here, or only in a folder that is trusted"
            )
    if problems:
        raise typer.Exit(1)
