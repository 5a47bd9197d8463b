"""Which exhibits have results and under which profiles, known without executing any code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import cast

from harness.errors import EvidenceError, UserError
from harness.evidence.found import Found, find
from harness.judge.exhibit import Judgement
from harness.plan.answers import SpecsDigests, answer_key, answers_of, count_answered
from harness.plan.inputs import digests_now
from harness.plan.library import step_types
from harness.plan.step import Json
from harness.run.outdated import differing, files_of, in_words
from harness.spec.exhibit import Table
from harness.spec.parts import Profile
from harness.study.evidence import no_results, read_evidence
from harness.study.project import Project

_MADE, _PUBLISHED, _FILES = "answers", "published-results", "answers-files"


def remember(project: Project, judgement: Judgement) -> None:
    """Keep which records an exhibit is read from, where any of its numbers has a result."""
    plan, memo = judgement.plan, project.store.memo
    if not any(result.complete or result.amounts for result in judgement.results):
        return
    key, known = answer_key(plan.exhibit.id, plan.profile.id), answers_of(project.paper, plan)
    if memo.get(_MADE, key) != known:
        memo.put(_MADE, key, known)
    files = files_of(plan.steps, step_types(project.paper)) if project.executes else {}
    if files and memo.get(_FILES, key) != files:
        memo.put(_FILES, key, files)


def results(project: Project, exhibits: Iterable[str]) -> dict[str, dict[str, int]]:
    """Exhibit -> profile -> how many of its numbers have a result, where any has."""
    digests, names = SpecsDigests(project.paper), list(exhibits)
    held, broken = read_evidence(project, names)
    project.notices.update(dict.fromkeys(no_results(broken)))
    return {name: _of_exhibit(project, name, digests.of(name), held.get(name)) for name in names}


def remarks(project: Project, held: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Exhibit -> why its results, as `results` found them, do not stand, where any do not."""
    told: dict[str, str] = {}
    for exhibit, under in held.items():
        changed: set[str] = set()
        for profile in under:
            files = project.store.memo.get(_FILES, answer_key(exhibit, profile))
            before = {f: str(made) for f, made in files.items()} if isinstance(files, dict) else {}
            changed |= set(differing(before, digests_now(project.home, before)))
        shown = project.paper.exhibits[exhibit]
        if changed:
            told[exhibit] = f"outdated: {in_words(changed)} since"
        elif isinstance(shown, Table) and shown.evidence and not under:
            told[exhibit] = f"{_why_none(project, shown)}; see `repro show {exhibit}`"
    return told


def _why_none(project: Project, table: Table) -> str:
    try:
        find(project.paper, table)
    except EvidenceError:
        return "a file of its results is gone"
    except UserError:
        return "its files cannot be read"
    return "no result in its files"


def profile_to_read(project: Project, named: str | None, exhibits: Iterable[str]) -> Profile:
    """The profile under which results of exhibits are read, where nothing is run.

    It is the one that was named. Else the first with a result of any of the exhibits: the default,
    the paper's, or another. Else the paper's where files of results are declared, so that these are
    looked at, or the default, as for what runs.
    """
    paper, about, there = project.paper, project.paper.about, dict[str, int]()
    if named:
        return paper.profile(named)
    digests, meant = SpecsDigests(paper), [name for name in exhibits if name in paper.runnable]
    for name in meant:
        there |= _count(project, name, digests)
    declared = any(isinstance(e := paper.exhibits[name], Table) and e.evidence for name in meant)
    first = (about.default_profile, about.paper_profile, *there)
    without = about.paper_profile if declared else None
    return paper.profile(next((profile for profile in first if profile in there), without))


def _count(project: Project, exhibit: str, digests: SpecsDigests) -> dict[str, int]:
    """As `_of_exhibit`, of one exhibit whose files have not been read yet."""
    held = None
    shown = project.paper.exhibits[exhibit]
    if isinstance(shown, Table) and shown.evidence:
        with suppress(UserError):  # told by what reads the exhibit
            held = find(project.paper, shown)
    return _of_exhibit(project, exhibit, digests.of(exhibit), held)


def _of_exhibit(project: Project, exhibit: str, specs: str, held: Found | None) -> dict[str, int]:
    """Profile -> how many numbers of an exhibit have a result, where any has.

    Args:
        specs: the digest of the specs that it follows from.
        held: what its files hold, where it has files that can be read.
    """
    paper, store = project.paper, project.store
    found = dict(_published(project, exhibit, specs))
    for profile in paper.profiles:
        own = store.memo.get(_MADE, answer_key(exhibit, profile))
        count = count_answered(specs, own, store.has) if own else 0
        found[profile] = max(found.get(profile, 0), count)
    if held:
        stated = paper.about.paper_profile
        found[stated] = max(found[stated], len(held.cells))
    return {profile: count for profile, count in found.items() if count}


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
