"""What an alternative to what the paper leaves open does to the numbers of an exhibit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.errors import UserError
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.item import Item
from harness.plan.settings import Shared, open_choices, written
from harness.spec.paper import Paper


class Change(BaseModel):
    """What one alternative does to the numbers of an exhibit."""

    model_config = ConfigDict(frozen=True)

    why: str = ""
    """Why it cannot be taken, or changes nothing; empty where it changes something."""
    taken: bool = True
    """Whether it can be taken, if without effect."""
    touches: tuple[str, ...] = ()
    """Addresses of the numbers that it changes; all where it changes how they are read."""
    steps: Mapping[str, tuple[str, ...]] = {}
    """Address of a number that is read from other steps then -> these."""


def assumptions_of(items: Iterable[Item]) -> tuple[Shared, ...]:
    """Every setting that is used and not the paper's, once for each of its values, by name."""
    return tuple(open_choices(used for item in items for used in item.settings))


def variations_of(items: Iterable[Item]) -> dict[str, dict[str, Any]]:
    """`owner.setting=value` -> the same as a variation, for each alternative that items have."""
    shared = assumptions_of(items)
    named = {
        (each.used.origin, json.dumps(value))
        for each in shared
        for value in each.used.stated.alternatives
    }
    variations = ({name: json.loads(text)} for name, text in sorted(named))
    return {written(each): each for each in variations}


def change_of(
    paper: Paper, default: ExhibitPlan, variation: Mapping[str, Any], seeds: int | None = None
) -> Change:
    """What a variation does to an exhibit.

    Args:
        default: the exhibit as it is usually planned, with so many seeds.
    """
    exhibit, profile, taken = default.exhibit.id, default.profile.id, False
    try:
        varied = plan_exhibit(paper, exhibit, profile, seeds, variation, must_act=False)
        taken = True
        if varied.shown == default.shown:  # planned once more for the reason
            plan_exhibit(paper, exhibit, profile, seeds, variation)
    except UserError as error:
        return Change(why=str(error).partition(": ")[2], taken=taken)
    before = {str(item.address): item for item in default.items}
    after = {str(item.address): item for item in varied.items}
    touched = [a for a, item in before.items() if a not in after or not _alike(item, after[a])]
    moved = {
        a: item.identities
        for a, item in after.items()
        if a not in before or item.identities != before[a].identities
    }
    return Change(touches=tuple(touched or before), steps=moved)


def _alike(one: Item, other: Item) -> bool:
    return (one.sources, one.comparable) == (other.sources, other.comparable)
