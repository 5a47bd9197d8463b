"""`repro compare`: what changed between two stores, exports or profiles, or by an alternative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

from harness.cli.exhibits import Request, named, plan_of
from harness.cli.output import console, print_grid, print_json
from harness.cli.project import Project
from harness.errors import UserError, nearest
from harness.judge.changes import Change, changes
from harness.judge.model import Amount
from harness.judge.results import ItemResult, collect
from harness.plan.exhibit import ExhibitPlan
from harness.store.published import MANIFEST
from harness.store.store import Store

Side = tuple[Store, Request]


def compare(
    project: Project,
    sides: tuple[str, str],
    exhibits: list[str],
    asked: Request,
    as_json: bool,
) -> None:
    """Print every number that is in either of two places, and whether it changed.

    Args:
        sides: folders of stores or exports, or names of profiles.
        exhibits: all if empty.
        asked: how both are wanted; its variation is of the second alone.

    Raises:
        UserError: a side is neither a folder nor a profile.
    """
    a = _side(project, sides[0], replace(asked, variation=None))
    b = _side(project, sides[1], asked)
    found: list[Change] = []
    for name in named(project, exhibits or ["all"]):
        found += changes(_values(project, name, a), _values(project, name, b))
    if as_json:
        print_json({"a": sides[0], "b": sides[1], "changes": [asdict(item) for item in found]})
        return
    _print(found)


def _side(project: Project, name: str, asked: Request) -> Side:
    if name in project.paper.profiles:
        return project.store, replace(asked, profile=name)
    folder = Path(name)
    if not folder.is_dir():
        known = nearest(name, project.paper.profiles)
        raise UserError(f"'{name}': no folder, and no profile; {known}")
    if (folder / MANIFEST).is_file():  # an export: nothing but published records
        return Store(folder / "records-of-nobody", folder), asked
    return Store(folder, folder / "published"), asked


def _values(project: Project, exhibit: str, side: Side) -> dict[str, tuple[float, ...]]:
    """Address -> the values that came back, in its unit; of points, of each of their quantities."""
    store, request = side
    planned = plan_of(project, exhibit, request)
    return {
        f"{result.item.address}{name}": amount.values
        for result in collect(planned, store)
        for name, amount in _named(planned, result)
    }


def _named(planned: ExhibitPlan, result: ItemResult) -> Iterator[tuple[str, Amount]]:
    """The amounts of an item, with what they add to its address: nothing, if there is but one."""
    has_one = planned.exhibit.readings(result.item.address.row).reporting is not None
    for name, amount in result.amounts.items():
        yield "" if has_one else f" {name}", amount


def _print(found: Sequence[Change]) -> None:
    rows = [
        (
            item.name,
            _mean(item.a),
            _mean(item.b),
            "–" if item.difference is None else f"{item.difference:+.4g}",
            "–" if item.interval is None else f"{item.interval[0]:+.4g} to {item.interval[1]:+.4g}",
            item.kind,
        )
        for item in found
        if item.kind != "equal"
    ]
    if rows:
        print_grid(("Number", "A", "B", "B - A", "95 % interval", ""), rows)
    counts = Counter(item.kind for item in found)
    console().print(
        ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing in either"
    )


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.4g} (n={len(values)})" if values else "–"
