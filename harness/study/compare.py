"""Which numbers changed between two stores, exports or profiles, or by an alternative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import UserError, nearest
from harness.judge.changes import Change, changes
from harness.judge.exhibit import evidence_of
from harness.judge.model import Amount
from harness.judge.results import ItemResult, collect
from harness.plan.exhibit import ExhibitPlan
from harness.store.published import MANIFEST
from harness.store.store import Store
from harness.study.exhibits import Request, named, plan_of
from harness.study.project import Project

Side = tuple[Store, Request]


@dataclass(frozen=True)
class Comparison:
    """Every number that is in either of two places, and whether it changed."""

    a: str
    b: str
    """Folders of stores or exports, or names of profiles."""
    changes: Sequence[Change]


def compare(
    project: Project, sides: tuple[str, str], exhibits: Sequence[str], asked: Request
) -> Comparison:
    """Compare every number of exhibits in two places.

    Args:
        sides: folders of stores or exports, or names of profiles.
        exhibits: all if empty.
        asked: how both are wanted; its variation is of the second alone.

    Raises:
        UserError: a side is neither a folder nor a profile, or files of a table cannot be read.
    """
    a = _side(project, sides[0], replace(asked, variation=None))
    b = _side(project, sides[1], asked)
    found: list[Change] = []
    for name in named(project, exhibits or ["all"]):
        one, other = _amounts(project, name, a), _amounts(project, name, b)
        exact = {
            at for at in one.keys() & other if one[at].deterministic and other[at].deterministic
        }
        runs = [{at: side[at].by_seed for at in side} for side in (one, other)]
        found += changes(runs[0], runs[1], exact)
    return Comparison(*sides, found)


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


def _amounts(project: Project, exhibit: str, side: Side) -> dict[str, Amount]:
    """Address -> what it came to, in the unit; of points, of each of their quantities.

    What files hold of a table is in a profile, as `show` has it, and in no other store or export.
    """
    store, request = side
    planned = plan_of(project, exhibit, request, must_act=False)
    found = evidence_of(project.paper, planned) if store is project.store else None
    if found:
        project.notices.update(dict.fromkeys(found.notices(exhibit)))
    return {
        f"{result.item.address}{name}": amount
        for result in collect(planned, store, found.cells if found else None)
        for name, amount in _named(planned, result)
    }


def _named(planned: ExhibitPlan, result: ItemResult) -> Iterator[tuple[str, Amount]]:
    """The amounts of an item, with what they add to its address: nothing, if there is but one."""
    has_one = planned.exhibit.readings(result.item.address.row).reporting is not None
    for name, amount in result.amounts.items():
        yield "" if has_one else f" {name}", amount
