"""What the alternatives of an exhibit change. It follows from specs and code alone, and is kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import UserError
from harness.plan.changes import Change, change_of, variations_of
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.identity import source_digest
from harness.plan.inputs import reads_files
from harness.plan.library import step_types
from harness.plan.step import Json
from harness.run.stale import sources_of
from harness.spec.paper import Paper
from harness.spec.parts import Method, Recipe
from harness.study.project import Project

_KIND = "changes"
_ENGINE = Path(__file__).parents[1]


def changes_of(project: Project, plan: ExhibitPlan) -> dict[str, Change]:
    """`owner.setting=value` -> what it changes, for each alternative to what the paper leaves open.

    Args:
        plan: of the exhibit with its usual settings.
    """
    memo, key = project.store.memo, _key(project.paper, plan)
    answers, variations = TypeAdapter(dict[str, Change]), variations_of(plan.items)
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


def _found(
    paper: Paper, plan: ExhibitPlan, variations: Mapping[str, Mapping[str, Any]]
) -> dict[str, Change]:
    if not variations:
        return {}
    try:  # not `plan` itself, which may have more runs of a number until it was decided
        default = plan_exhibit(paper, plan.exhibit.id, plan.profile.id)
    except UserError as error:  # a file is gone that its steps read
        return {text: Change(why=str(error), taken=False) for text in variations}
    return {text: change_of(paper, default, each) for text, each in variations.items()}
