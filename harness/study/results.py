"""Which exhibits have results and under which profiles, known without executing any code."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from harness.errors import UserError
from harness.evidence.found import find
from harness.judge.exhibit import Judgement
from harness.plan.answers import answer_key, answers_of, count_answered, specs_digest
from harness.plan.step import Json
from harness.spec.exhibit import Table
from harness.spec.profile import Profile
from harness.study.project import Project

_MADE, _PUBLISHED = "answers", "published-results"


def remember(project: Project, judgement: Judgement) -> None:
    """Keep which records an exhibit is read from, where any of its numbers has a result."""
    plan, memo = judgement.plan, project.store.memo
    if not any(result.complete or result.amounts for result in judgement.results):
        return
    key, known = answer_key(plan.exhibit.id, plan.profile.id), answers_of(project.paper, plan)
    if memo.get(_MADE, key) != known:
        memo.put(_MADE, key, known)


def results(project: Project, exhibit: str) -> dict[str, int]:
    """Profile -> how many numbers of an exhibit have a result, where any has."""
    paper, store = project.paper, project.store
    specs = specs_digest(paper, exhibit)
    found = dict(_published(project, exhibit, specs))
    for profile in paper.profiles:
        own = store.memo.get(_MADE, answer_key(exhibit, profile))
        count = count_answered(specs, own, store.has) if own else 0
        found[profile] = max(found.get(profile, 0), count)
    shown, stated = paper.exhibits[exhibit], paper.about.paper_profile
    if isinstance(shown, Table) and shown.evidence:
        found[stated] = max(found[stated], len(find(paper, shown).cells))
    return {profile: count for profile, count in found.items() if count}


def chosen_profile(project: Project, exhibit: str, named: str | None) -> str | None:
    """The profile that was named; else one with results: the default, the paper's, or another."""
    if named or exhibit not in project.paper.runnable:
        return named
    about, there = project.paper.about, results(project, exhibit)
    first = (about.default_profile, about.paper_profile, *there)
    return next((profile for profile in first if profile in there), None)


def main_profile(project: Project, named: str | None) -> Profile:
    """The profile that was named; else the first with a result of any exhibit: the default, the
    paper's, or another; else the default.
    """
    paper, there = project.paper, dict[str, int]()
    for exhibit in () if named else paper.runnable:
        with suppress(UserError):  # told by what reads the exhibit
            there |= results(project, exhibit)
    first = (paper.about.default_profile, paper.about.paper_profile, *there)
    return paper.profile(named or next((profile for profile in first if profile in there), None))


def _published(project: Project, exhibit: str, specs: str) -> Mapping[str, int]:
    """Counted once and kept, since reading Parquet takes a library."""
    published, memo = project.store.published, project.store.memo
    digest = published.answers_digest if published else ""
    if not published or not digest:
        return {}
    key: Json = [digest, exhibit, specs]
    held = memo.get(_PUBLISHED, key)
    if held is None:
        answers, there = published.answers, published.identities.__contains__
        counts = {
            profile: count_answered(specs, answers.get(answer_key(exhibit, profile)), there)
            for profile in project.paper.profiles
        }
        held = {profile: count for profile, count in counts.items() if count}
        memo.put(_PUBLISHED, key, held)
    return cast(Mapping[str, int], held)
