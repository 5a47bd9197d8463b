"""The commands about records: runs, store, probe."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from harness.cli.exhibits import Request, named, plan_of
from harness.cli.output import console, hours, print_grid, print_json
from harness.cli.project import Project
from harness.errors import EvidenceError, UserError, one_line
from harness.plan.library import step_types
from harness.plan.parts import exhibit_of, steps_below


def list_runs(project: Project, step: str | None, as_json: bool) -> None:
    from harness.store.index import Index

    records = Index(project.store).records(step) if project.root.is_dir() else []
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


def rebuild(project: Project) -> None:
    import duckdb

    from harness.store.index import Index

    try:
        count = Index(project.store).rebuild()
    except duckdb.Error as error:
        raise EvidenceError(
            f"{project.root}: the index cannot be built ({one_line(str(error))}); the records are "
            "whole without it"
        ) from None
    console().print(f"{count} records in the index")


def verify_store(project: Project, set_aside: bool, as_json: bool) -> bool:
    """Print every damaged record, and set it aside if asked for; whether there is none."""
    from harness.store.verify import verify

    problems = verify(project.store)
    for problem in problems if set_aside else ():
        project.store.set_aside(problem.identity)
    if as_json:
        print_json({"problems": [{"identity": p.identity, "message": p.message} for p in problems]})
        return not problems
    for problem in problems:
        console().print(f"{problem.identity[:12]}: {problem.message}")
    if problems and not set_aside:
        console().print("`repro store verify --set-aside` lets the next make do them anew")
    if not problems:
        console().print("every record agrees with its digests")
    return not problems


def export(
    project: Project, folder: Path, names: list[str], request: Request, as_json: bool
) -> None:
    """Write the records of exhibits or parts to a folder, beside what was published there."""
    from harness.store.exchange import export_records

    identities = {
        i
        for name in named(project, names)
        for i in steps_below(plan_of(project, exhibit_of(name), request), [name])
    }
    records = [record for i in sorted(identities) if (record := project.store.get(i))]
    written, held = export_records(records, folder)
    if as_json:
        print_json({"written": written, "held": held})
        return
    console().print(f"{written} records written to {folder}, which holds {held}")


def import_published(project: Project, folder: Path, as_json: bool) -> None:
    """Place published records in the store."""
    from harness.store.exchange import import_records

    placed, partial = import_records(project.store, folder)
    if as_json:
        print_json({"placed": placed, "partial": partial})
        return
    console().print(
        f"{placed} records placed; {partial} more were published without all of their arrays and "
        "are left out",
    )


def probe(project: Project, update: bool) -> None:
    """Compare every step's probe with the committed numbers, beside the step library.

    With `update`, numbers of new steps and revisions are written first, and it is said which.

    Raises:
        UserError: numbers changed while the revision did not.
    """
    from harness.run.probe import check
    from harness.run.probe import update as write

    types = step_types(project.paper)
    path = probe_file(project.paper.about.steps)
    if update:
        for line in write(types.values(), path):
            console().print(line)
    problems = check(types.values(), path)
    if problems:
        raise UserError("\n  ".join(problems))
    console().print(f"{len(types)} steps make the numbers of their revisions")


def probe_file(steps: str) -> Path:
    """`probes.json` beside the module that lists the steps."""
    spec = find_spec(steps)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("probes.json")
