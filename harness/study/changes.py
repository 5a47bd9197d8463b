"""What the alternatives of an exhibit change. It follows from specs and code alone, and is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from harness.errors import UserError
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.identity import source_digest
from harness.plan.inputs import reads_files
from harness.plan.item import Item
from harness.plan.library import step_types
from harness.plan.settings import open_choices, written
from harness.plan.step import Json
from harness.run.stale import sources_of
from harness.spec.paper import Paper
from harness.spec.parts import Method, Recipe
from harness.study.project import Project

_KIND = "changes"
_ENGINE = Path(__file__).parents[1]


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


def changes_of(project: Project, plan: ExhibitPlan) -> dict[str, Change]:
    """`owner.setting=value` -> what it changes, for each alternative to what the paper leaves open.

    Args:
        plan: of the exhibit with its usual settings.
    """
    memo, key = project.store.memo, _key(project.paper, plan)
    answers, variations = TypeAdapter(dict[str, Change]), _variations(plan)
    with suppress(ValidationError):
        held = answers.validate_python(memo.get(_KIND, key) if key else None)
        if held.keys() == variations.keys():
            return held
    found = _found(project.paper, plan, variations)
    if key:
        memo.put(_KIND, key, answers.dump_python(found, mode="json"))
    return found


def _key(paper: Paper, plan: ExhibitPlan) -> Json:
    """All that the answer follows from; None where that is not known, as where steps read files."""
    if not paper.digest:
        return None
    types = step_types(paper)
    owners: list[Method | Recipe] = [*paper.methods.values(), *paper.recipes.values()]
    named = {template.step for owner in owners for template in owner.steps}
    named |= {step.name for step in plan.steps.values()}
    if any(reads_files(types[name].params) for name in named & types.keys()):
        return None
    return [
        plan.exhibit.id,
        plan.profile.id,
        paper.digest,
        source_digest(_ENGINE / "plan", _ENGINE / "spec"),
        sources_of(paper.about.steps.partition(".")[0]) if paper.about.steps else "",
    ]


def _variations(plan: ExhibitPlan) -> dict[str, dict[str, Any]]:
    """`owner.setting=value` -> the same as a variation, for each alternative."""
    choices = open_choices(used for item in plan.items for used in item.settings)
    named = {(c.used.origin, json.dumps(v)) for c in choices for v in c.used.stated.alternatives}
    variations = ({name: json.loads(text)} for name, text in sorted(named))
    return {written(each): each for each in variations}


def _found(
    paper: Paper, plan: ExhibitPlan, variations: Mapping[str, Mapping[str, Any]]
) -> dict[str, Change]:
    if not variations:
        return {}
    try:  # not `plan` itself, which may have more runs of a number until it was decided
        default = plan_exhibit(paper, plan.exhibit.id, plan.profile.id)
    except UserError as error:  # a file is gone that its steps read
        return {text: Change(why=str(error), taken=False) for text in variations}
    return {text: _change(paper, default, each) for text, each in variations.items()}


def _change(paper: Paper, default: ExhibitPlan, variation: Mapping[str, Any]) -> Change:
    exhibit, profile, taken = default.exhibit.id, default.profile.id, False
    try:
        varied = plan_exhibit(paper, exhibit, profile, None, variation, must_act=False)
        taken = True
        if varied.shown == default.shown:  # planned once more for the reason
            plan_exhibit(paper, exhibit, profile, None, variation)
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
