"""The records of a project: listed, checked, published; and the probes that guard their steps."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import EvidenceError, UserError, nearest, one_line
from harness.formats.exported import (
    Exported,
    check_formats,
    describing,
    format_named,
    write_formats,
)
from harness.judge.exhibit import Judgement
from harness.plan.answers import answer_key, answers_of
from harness.plan.library import check_installed, own_step_types, step_types
from harness.plan.parts import exhibit_of, part_of, steps_below
from harness.plan.program import PROGRAM
from harness.plan.step import Json, StepType
from harness.store.digest import digest_file
from harness.store.published import MANIFEST, Published
from harness.store.record import Record
from harness.store.verify import Problem, misnamed, verify
from harness.study.exhibits import Request, claims_about, judge, named, plan_of
from harness.study.project import Project


def list_records(project: Project, step: str | None) -> list[dict[str, Any]]:
    """The fields of each record, links included, by identity.

    Args:
        step: only records of the step of this name.
    """
    from harness.store.index import Index

    return Index(project.store).records(step) if project.root.is_dir() else []


def rebuild(project: Project) -> int:
    """Build the index anew from the records; how many there are.

    Raises:
        EvidenceError: the database cannot be written.
    """
    import duckdb

    from harness.store.index import Index

    try:
        return Index(project.store).rebuild()
    except duckdb.Error as error:
        raise EvidenceError(
            f"{project.root}: the index cannot be built ({one_line(str(error))}); the records are "
            "whole without it"
        ) from None


def damaged(project: Project, set_aside: bool, sha256: bool = False) -> tuple[list[Problem], int]:
    """Recompute digests and identities; what is wrong with records, which may be set aside.

    Args:
        sha256: see `verify`.

    Returns:
        The problems, and the number of records whose identity could not be recomputed.
    """
    types: Mapping[str, StepType] = {}
    with suppress(UserError):  # records are checked even where specs cannot be read
        types = step_types(project.paper) if project.executes else {PROGRAM.name: PROGRAM}
    forged, untold = misnamed(project.store, types)
    problems = verify(project.store, sha256) + forged
    for problem in problems if set_aside else ():
        project.store.set_aside(problem.identity)
    return problems, untold


def drop(project: Project, name: str, request: Request, really: bool) -> list[Record]:
    """Forget records, so that the next make does their steps anew. Records made from them stay.

    Args:
        name: the address of a number, for the records that it is read from, or the identity of a
            record, or enough of its beginning.
        really: whether to delete them, or only to say which they are.

    Raises:
        UserError: it is no number of an exhibit and no record of this store.
    """
    store = project.store
    own = sorted(store.identities())
    if ":" in name:
        planned = plan_of(project, exhibit_of(name), request)
        items = {str(item.address): item for item in planned.items}
        if name not in items:
            raise UserError(f"unknown number '{name}'; {nearest(name, items)}")
        chosen = [identity for identity in items[name].identities if identity in set(own)]
    else:
        chosen = [identity for identity in own if len(name) >= 8 and identity.startswith(name)]
        if len(chosen) > 1:
            raise UserError(f"{len(chosen)} records begin with '{name}'; give more of it")
    if not chosen:
        raise UserError(
            f"'{name}': no record of this store; expected the address of a number, or eight "
            "letters or more of an identity, as `repro runs` lists them"
        )
    records = [record for identity in chosen if (record := store.get(identity))]
    for identity in chosen if really else ():
        store.drop(identity)
    return records


class Written(NamedTuple):
    """What an export wrote."""

    records: int
    held: int
    """How many records the folder holds now."""
    empty: Sequence[str]
    """Formats that were asked for and had nothing to write."""


def export(
    project: Project,
    folder: Path,
    names: Sequence[str],
    request: Request,
    formats: Sequence[str] = (),
) -> Written:
    """Write the records of exhibits or parts to a folder, beside what was published there.

    Args:
        formats: names of formats for other tools that are written beside them.
    """
    from harness.store.exchange import export_records, list_written

    project.trust()
    check_formats(formats)
    _check_folder(folder, formats)
    store, identities = project.store, set[str]()
    looks: dict[str, tuple[int, ...]] = {}
    answers: dict[str, Json] = {}
    plans = {}
    for name in named(project, names):
        planned = plan_of(project, exhibit_of(name), request)
        plans[planned.exhibit.id] = planned
        identities.update(steps_below(planned, [name]))
        looks |= {item.key: at for item in planned.items if (at := store.looks.of(item.key))}
        if not request.variation and not request.seeds:
            answers[answer_key(planned.exhibit.id, planned.profile.id)] = answers_of(
                project.paper, planned
            )
    records = [record for i in sorted(identities) if (record := store.get(i))]
    written, held = export_records(records, folder, looks, answers)
    empty: list[str] = []
    if formats:
        judged = [judge(project, plan) for plan in plans.values()]
        made = Exported(
            paper=project.paper,
            folder=folder,
            judgements=[_part(each, names) for each in judged],
            records=records,
            claims=lambda: claims_about(project, judged, request),
            commits=lambda: published_in(project),
            written=int(time.time()) if project.written is None else project.written,
            settled=project.written is not None,
        )
        others = [name for name in formats if name != "crate"]
        empty = write_formats(others, made)
        if others:
            list_written(
                folder, {name: digest_file(folder / name) for name in _made(folder, others)}
            )
        if "crate" in formats:  # it lists the digests of all files, so that it is the last
            empty += write_formats(["crate"], made)
    return Written(written, held, empty)


def _check_folder(folder: Path, formats: Sequence[str]) -> None:
    """UserError where an export would make what lies in a folder untrue, or write over it."""
    manifest = folder / MANIFEST
    if manifest.is_file() and not _of_export(manifest):
        raise UserError(f"{manifest}: it is not of an export; give another folder")
    exported = manifest.is_file()
    for each in describing():
        path = folder / each.place
        if exported and path.exists() and each.name not in formats:
            raise UserError(
                f"{path}: it would not be true any more; give --format {each.name} too, or another "
                "folder"
            )
    published = Published(folder)
    for name in _made(folder, formats):
        path = folder / name
        listed = published.written.get(name)
        if digest_file(path) != listed if listed else not _says_ours(path, exported):
            raise UserError(
                f"{path}: it is not of an export, or was changed since; give another folder"
            )


def _made(folder: Path, formats: Sequence[str]) -> list[str]:
    """Files that lie where formats are written."""
    places = [folder / format_named(name).place for name in formats]
    found = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _of_export(manifest: Path) -> bool:
    try:
        found = json.loads(manifest.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"files", "identities"} <= found.keys()


def _says_ours(path: Path, exported: bool) -> bool:
    """Whether metadata, which older exports did not list, names the records of this folder."""
    return (
        exported
        and path.name in {each.place for each in describing()}
        and any(
            each.name in path.read_text("utf-8", "replace")
            for each in path.parent.glob("records-*.parquet")
        )
    )


def _part(judged: Judgement, names: Sequence[str]) -> Judgement:
    """What was asked for of an exhibit, each number judged with all others of the exhibit."""
    items = {item.address for item in part_of(judged.plan, names).items}
    kept = tuple(result for result in judged.results if result.item.address in items)
    return replace(judged, results=kept)


def published_in(project: Project) -> dict[str, str]:
    """Identity of a published record -> the commit that first published it.

    Empty where the repository is not whole, or where there is none.
    """
    published = project.store.published
    if (
        published is None
        or _git(published.folder, "rev-parse", "--is-shallow-repository") != "false"
    ):
        return {}
    found: dict[str, str] = {}
    for commit in _git(published.folder, "log", "--format=%H", "--", MANIFEST).split():
        held = json.loads(_git(published.folder, "show", f"{commit}:./{MANIFEST}") or "{}")
        found |= dict.fromkeys(held.get("identities", ()), commit)  # the newest comes first
    return found


def _git(folder: Path, *words: str) -> str:
    """What git says in a folder; nothing where it fails."""
    try:
        told = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
    except OSError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def import_published(project: Project, folder: Path) -> tuple[int, int]:
    """Place published records in the store.

    Returns:
        How many were placed, and how many were left out, as they lack some of their arrays.
    """
    from harness.store.exchange import import_records

    return import_records(project.store, folder)


@dataclass(frozen=True)
class Probed:
    """Every step's probe against the committed numbers."""

    steps: int
    bare: Sequence[str]
    """Steps that have no probe."""
    written: Sequence[str]
    """Lines on what was written anew, of steps that are new or have a new revision."""
    problems: Sequence[str]
    """Steps whose numbers changed while their revision did not."""


def probe(project: Project, update: bool) -> Probed:
    """Compare every step's probe with the committed numbers, beside the step library.

    Args:
        update: write the numbers of new steps and revisions first.

    Raises:
        EvidenceError: a library is missing that the steps need.
    """
    from harness.run.probe import check
    from harness.run.probe import update as write
    from harness.run.stale import Codes, probe_file

    project.trust()
    check_installed(project.paper)
    types = own_step_types(project.paper)
    path = probe_file(project.paper.about.steps)
    if path is None:
        return Probed(0, [], [], [])
    written = write(types.values(), path) if update else []
    problems = Codes(types, path, project.store).check(types.values())
    problems += check([], path, known=types)
    bare = [name for name, kind in types.items() if not kind.probe]
    return Probed(len(types), bare, written, problems)
