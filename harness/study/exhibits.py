"""An exhibit planned, collected and judged, with its claims and what was not run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from harness import media
from harness.errors import UserError
from harness.judge.company import OneKind
from harness.judge.exhibit import Judgement, judge_exhibit, numbers
from harness.judge.outcomes import Judged, about, exhibits_of, judge_claims
from harness.plan.answers import answer_key, plan_answered
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.library import step_types
from harness.plan.settings import Variation
from harness.render.views import view_of
from harness.render.views.base import ExhibitView
from harness.run.outdated import outdated, outdated_notice
from harness.run.state import failures_behind
from harness.spec.claims import Claim
from harness.spec.exhibit import Table
from harness.study.project import Project
from harness.study.results import has_results, profiles_to_read, remember
from harness.study.trust import NEEDS_CODE
from harness.words import counted, listed

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """How an exhibit is asked for."""

    profile: str | None = None
    seeds: int | None = None
    variation: Variation | None = None
    only: OneKind | None = None
    """The kind of runs that count; all if none. What is asked for is only read then."""


@dataclass(frozen=True, kw_only=True)
class JudgedExhibit:
    """A judged exhibit with all that is said beside it."""

    judgement: Judgement
    view: ExhibitView[Any]
    """How exhibits of its kind are shown."""
    claims: Sequence[Judged]
    """The paper's claims about it."""
    not_run: Mapping[str, Sequence[str]]
    """Reason -> the addresses of the numbers that are not there and will not come by themselves."""

    @property
    def exhibit(self) -> str:
        """Its id."""
        return self.judgement.plan.exhibit.id

    @property
    def profile(self) -> str:
        """The id of the profile under which it was run."""
        return self.judgement.plan.profile.id

    def show(self, console: Console) -> None:
        """Print it as `repro show` does; the console decides on colour and width."""
        from harness.render.claims import brief

        self.view.show(self.judgement, console)
        for reason, addresses in self.not_run.items():
            console.print(f"Not run: {', '.join(addresses)}. {reason}", soft_wrap=True)
        if self.claims:
            brief(self.claims, console)

    def __str__(self) -> str:
        """The text that `show` prints, without colours and 100 characters wide."""
        return self._recorded().export_text().rstrip()

    def _repr_html_(self) -> str:
        """The same with colours, for a notebook."""
        frame = "<pre style='line-height:1.3;overflow-x:auto'>{code}</pre>"
        return self._recorded().export_html(inline_styles=True, code_format=frame)

    def _recorded(self) -> Console:
        from io import StringIO

        console = media.console(file=StringIO(), width=100, record=True)
        self.show(console)
        return console


def named(project: Project, names: Sequence[str]) -> list[str]:
    """The exhibits or parts that were asked for; `all` is each for which something is run."""
    return project.paper.runnable if "all" in names else list(names)


def plan_of(
    project: Project,
    exhibit: str,
    request: Request,
    must_act: bool = True,
    least: int = 0,
    gone: bool = False,
) -> ExhibitPlan:
    """The plan of an exhibit.

    A number to which runs were added until it was decided has those that it was looked at after.

    Args:
        must_act: whether a variation that changes nothing in it is refused.
        least: how many seeds each number has at least, where the request says nothing of seeds.
        gone: whether files may be missing that steps read; it cannot be run then.

    Where code of the paper may not be executed, it is planned as far as published results say what
    they are of.

    Raises:
        UserError: nothing is run for it, or its specs cannot be resolved.
    """
    if not project.executes:
        if request.variation or request.seeds:
            raise UserError(f"--vary and --seeds: {NEEDS_CODE}")
        profile = project.paper.profile(request.profile).id
        published = project.store.published
        held = published.answers.get(answer_key(exhibit, profile)) if published else None
        return plan_answered(project.paper, exhibit, profile, held)
    return plan_exhibit(
        project.paper,
        exhibit,
        request.profile,
        request.seeds,
        request.variation,
        must_act,
        lambda key: max(least, project.store.looks.last(key)),
        gone,
    )


def plan_to_read(
    project: Project, exhibit: str, request: Request, must_act: bool = True
) -> ExhibitPlan:
    """`plan_of` for what runs nothing: where a file is gone that results were made with, they are
    outdated, and the exhibit is planned all the same.
    """
    try:
        return plan_of(project, exhibit, request, must_act)
    except UserError as error:
        planned = plan_of(project, exhibit, request, must_act, gone=True)
        if outdated(planned.steps, project.store, step_types(project.paper)):
            return planned
        raise error from None


def seeds_notice(project: Project, planned: ExhibitPlan, request: Request) -> None:
    """Note that the paper states more runs than there are, where nobody chose how many, and where
    `seeds_of` did so for single cells."""
    profile, table = planned.profile, planned.exhibit
    if request.seeds or not isinstance(table, Table):
        return
    usual, own = dict[int, int](), dict[str, int]()
    for item in planned.items:
        how, address = table.reporting_of(*item.address[1:]), str(item.address)
        if not item.sources or how.n_of != "seed" or how.n == "unknown" or how.n <= len(item.seeds):
            continue
        if address in profile.seeds_of:
            own[address] = how.n
        elif "seeds" not in profile.model_fields_set:
            usual[how.n] = len(item.seeds)
    if usual:
        runs = counted(min(usual.values()), "run is", "runs are")
        other = f", or `seeds` in the profile {profile.id} sets another count"
        _note_fewer(project, table, usual, f"{runs} made of a number", other)
    if own:
        why = f"`seeds_of` in the profile {profile.id} gives fewer runs to {listed([*own])}"
        _note_fewer(project, table, own.values(), why)


def _note_fewer(
    project: Project, table: Table, stated: Iterable[int], why: str, other: str = ""
) -> None:
    counts = sorted(set(stated))
    project.notices[
        f"{table.id}: the paper states n = {', '.join(map(str, counts))}, and {why}; "
        f"--seeds {counts[-1]} makes as many as it has{other}"
    ] = None


def judge(project: Project, planned: ExhibitPlan, only: OneKind | None = None) -> Judgement:
    """Read what is in the store, and give the verdicts on it."""
    if not project.executes:  # nothing is known of the code that records were or would be made by
        judgement = judge_exhibit(project.paper, planned, project.store, only)
    else:
        confirmed = project.codes.confirmed
        judgement = judge_exhibit(project.paper, planned, project.store, only, confirmed)
        code = project.codes.notices(planned.exhibit.id, judgement.records)
        files = outdated_notice(planned, project.store, step_types(project.paper))
        judgement = replace(judgement, notices=(*judgement.notices, *code, *files))
    project.notices.update(dict.fromkeys(judgement.notices))
    return judgement


def judged_exhibit(project: Project, name: str, request: Request) -> JudgedExhibit:
    """An exhibit judged on what is in the store. Runs nothing."""

    def judged(profile: str) -> Judgement:
        asked = replace(request, profile=profile)
        judgement = judge(project, plan_to_read(project, name, asked), request.only)
        if not (request.variation or request.seeds or request.only):
            remember(project, judgement)
        return judgement

    profiles = profiles_to_read(project, request.profile, [name])
    judgement = _first(project, map(judged, profiles), has_results)
    request = replace(request, profile=judgement.plan.profile.id)
    return JudgedExhibit(
        judgement=judgement,
        view=view_of(project.paper, judgement.plan.exhibit),
        claims=claims_about(project, [judgement], request),
        not_run=reasons_not_run(project, judgement),
    )


def judge_each(
    project: Project, names: Sequence[str], profile: str | None
) -> tuple[str, dict[str, Judgement], dict[str, str]]:
    """Judge exhibits under a profile, each as far as it has records.

    Where none is named, it is the first of `profiles_to_read` with a number of ours that stands
    beside one of the paper's, or that claims may be about; without any, the first.

    Returns:
        The profile; those that could be planned, by name; and for each of the others, the mistake
        in a spec that is in the way.
    """
    profiles = profiles_to_read(project, profile, project.paper.runnable)
    tries = ((each, *_judge_under(project, names, each)) for each in profiles)
    return _first(project, tries, lambda found: any(map(numbers, found[1].values())))


def _first(project: Project, tries: Iterable[T], there: Callable[[T], bool]) -> T:
    """The first in which there is something, or else the first. Of those that are passed over, no
    notices are kept."""
    notices, before = project.notices, dict(project.notices)
    first: tuple[T, dict[str, None]] | None = None
    for found in tries:
        if there(found):
            return found
        first = first or (found, dict(notices))
        notices.clear()
        notices.update(before)
    assert first is not None, "there is always a profile"
    notices.update(first[1])
    return first[0]


def _judge_under(
    project: Project, names: Iterable[str], profile: str
) -> tuple[dict[str, Judgement], dict[str, str]]:
    judged: dict[str, Judgement] = {}
    problems: dict[str, str] = {}
    for name in names:
        try:
            judged[name] = judge(project, plan_to_read(project, name, Request(profile)))
        except UserError as error:
            problems[name] = str(error)
    return judged, problems


def exhibits_behind(project: Project, claims: Iterable[Claim]) -> list[str]:
    """The exhibits that claims are about and for which something is run."""
    meant = {name for claim in claims for name in exhibits_of(claim)}
    return sorted(meant & set(project.paper.runnable))


def claims_on(
    project: Project, claims: Iterable[Claim], judgements: Iterable[Judgement]
) -> list[Judged]:
    """Claims on reported numbers, and on those of ours that the judgements have."""
    ours = {address: number for each in judgements for address, number in numbers(each).items()}
    return judge_claims(project.paper, claims, ours, project.store)


def claims_about(project: Project, judged: Sequence[Judgement], request: Request) -> list[Judged]:
    """The claims about exhibits, on their results and on those of others that they are about."""
    own = {each.plan.exhibit.id for each in judged}
    claims = {claim.id: claim for name in sorted(own) for claim in about(project.paper, name)}
    others = (name for name in exhibits_behind(project, claims.values()) if name not in own)
    plans = (plan_to_read(project, name, request, must_act=False) for name in others)
    return claims_on(
        project,
        claims.values(),
        (*judged, *(judge(project, each, request.only) for each in plans)),
    )


def reasons_not_run(project: Project, judgement: Judgement) -> dict[str, list[str]]:
    """Reason -> the addresses of the numbers: what their specs say, the failure of a step, or a
    run that came to no finite number.
    """
    planned = judgement.plan
    failed = failures_behind(planned.steps, project.store)
    there = {result.item.address for result in judgement.results if result.evidence}
    if isinstance(planned.exhibit, Table):  # a cell that was not read is told of as that
        there |= planned.exhibit.unread_cells().keys()
    found: dict[str, list[str]] = {}
    for item in planned.items:
        if item.address in there:
            continue
        behind = [failed[identity] for identity in item.identities if identity in failed]
        reasons = {f"Step {failure.step} failed: {failure.message}" for failure in behind}
        for reason in sorted(reasons) if item.identities else [item.reason]:
            found.setdefault(reason, []).append(str(item.address))
    for result in judgement.results:
        for seed, what in result.failed.items():
            reason = (
                f"Seed {seed} failed: {what}. `repro store drop '{result.item.address}'` forgets "
                "it, so that the next make runs it anew"
            )
            found.setdefault(reason, []).append(str(result.item.address))
    return found
