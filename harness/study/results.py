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
from harness.store.published import ANSWERS
from harness.study.evidence import no_results, read_evidence
from harness.study.project import Project

_MADE, _PUBLISHED, _FILES = "answers", "published-counts", "answers-files"


def has_results(judgement: Judgement) -> bool:
    """Whether any of its numbers has a result."""
    return any(result.complete or result.amounts for result in judgement.results)


def remember(project: Project, judgement: Judgement) -> None:
    """Keep which records an exhibit is read from, where any of its numbers has a result, or had
    one by other specs."""
    plan, memo = judgement.plan, project.store.memo
    if not has_results(judgement) and not (
        project.executes and plan.profile.id in _unknown(project, plan.exhibit.id)
    ):
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
    found = {name: _of_exhibit(project, name, digests.of(name), held.get(name)) for name in names}
    return {name: {p: n for p, n in under.items() if n} for name, under in found.items()}


def remarks(project: Project, held: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Exhibit -> why its results, as `results` found them, do not stand or are not all."""
    digests, told = SpecsDigests(project.paper), dict[str, str]()
    for exhibit, under in held.items():
        changed: set[str] = set()
        for profile in under:
            files = project.store.memo.get(_FILES, answer_key(exhibit, profile))
            before = {f: str(made) for f, made in files.items()} if isinstance(files, dict) else {}
            changed |= set(differing(before, digests_now(project.home, before)))
        shown = project.paper.exhibits[exhibit]
        unknown = [p for p in _unknown(project, exhibit, digests) if p not in under]
        said = [f"outdated: {in_words(changed)} since"] if changed else []
        if unknown:
            see = f"`repro show {exhibit} --profile {unknown[0]}`"
            said += [f"not counted since the specs changed: {', '.join(unknown)}; see {see}"]
        if said:
            told[exhibit] = "; ".join(said)
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
    """The profile under which results of exhibits are read, where nothing is run."""
    return project.paper.profile(profiles_to_read(project, named, exhibits)[0])


def profiles_to_read(project: Project, named: str | None, exhibits: Iterable[str]) -> list[str]:
    """The profiles under which results of exhibits may be read, the first before all others.

    It is the one that was named. Else those with a result of any of the exhibits, or that had one
    before the specs changed: the default, the paper's, and others. Else the paper's where files of
    results are declared, so that these are looked at, or the default, as for what runs.
    """
    paper, about, there = project.paper, project.paper.about, dict[str, int | None]()
    if named:
        return [paper.profile(named).id]
    digests, meant = SpecsDigests(paper), [name for name in exhibits if name in paper.runnable]
    for name in meant:
        there |= _count(project, name, digests)
    declared = any(isinstance(e := paper.exhibits[name], Table) and e.evidence for name in meant)
    first = (about.default_profile, about.paper_profile, *there)
    without = about.paper_profile if declared else about.default_profile
    return [*dict.fromkeys(p for p in first if p in there)] or [without]


def _unknown(project: Project, exhibit: str, digests: SpecsDigests | None = None) -> list[str]:
    """The profiles under which it had results by other specs, and may have some now."""
    specs = (digests or SpecsDigests(project.paper)).of(exhibit)
    found = _of_exhibit(project, exhibit, specs, None)
    return [profile for profile, count in found.items() if count is None]


def _count(project: Project, exhibit: str, digests: SpecsDigests) -> dict[str, int | None]:
    """As `_of_exhibit`, of one exhibit whose files have not been read yet."""
    held = None
    shown = project.paper.exhibits[exhibit]
    if isinstance(shown, Table) and shown.evidence:
        with suppress(UserError):  # told by what reads the exhibit
            held = find(project.paper, shown)
    return _of_exhibit(project, exhibit, digests.of(exhibit), held)


def _of_exhibit(
    project: Project, exhibit: str, specs: str, held: Found | None
) -> dict[str, int | None]:
    """Profile -> how many numbers of an exhibit have a result, where any has; None if not known.

    Args:
        specs: the digest of the specs that it follows from.
        held: what its files hold, where it has files that can be read.
    """
    paper, store = project.paper, project.store
    found = dict(_published(project, exhibit, specs))
    for profile in paper.profiles:
        own = store.memo.get(_MADE, answer_key(exhibit, profile))
        if own:
            counts = (found.get(profile), count_answered(specs, own, store.has))
            found[profile] = max((count for count in counts if count is not None), default=None)
    if held:
        stated = paper.about.paper_profile
        found[stated] = max(found.get(stated) or 0, len(held.cells))
    return {profile: count for profile, count in found.items() if count != 0}


def _published(project: Project, exhibit: str, specs: str) -> Mapping[str, int | None]:
    """Counted once and kept, since reading Parquet takes a library."""
    published, memo = project.store.published, project.store.memo
    if not published or ANSWERS not in published.digests:
        return {}
    key: Json = [dict(published.digests), exhibit, specs]
    held = memo.get(_PUBLISHED, key)
    if held is None:
        answers, there = published.answers, published.identities.__contains__
        counts = {
            profile: count_answered(specs, answers.get(answer_key(exhibit, profile)), there)
            for profile in project.paper.profiles
        }
        held = {profile: count for profile, count in counts.items() if count != 0}
        memo.put(_PUBLISHED, key, held)
    return cast(Mapping[str, int | None], held)
