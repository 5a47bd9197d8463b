"""An exhibit planned, collected and judged, with its claims and what was not run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from harness.judge.assess import assess
from harness.judge.audit.audit import severe_cells
from harness.judge.outcomes import Judged, about, exhibits_of, judge_claims, numbers_of
from harness.judge.results import Result, collect, reported_fields
from harness.judge.stated import stated_numbers
from harness.plan.cells import Plan, plan_exhibit
from harness.plan.points import PointsPlan, plan_points
from harness.plan.settings import Variation
from harness.plan.step import Json
from harness.run.state import failures_behind
from harness.spec.claims import Claim
from harness.spec.exhibit import Average, Table
from harness.study.points import PointsJudgement, judge_points
from harness.study.project import Project


@dataclass(frozen=True)
class Request:
    """How an exhibit is asked for."""

    profile: str | None = None
    seeds: int | None = None
    variation: Variation | None = None


@dataclass(frozen=True)
class Judgement:
    """An exhibit with its results and verdicts, cell by cell."""

    plan: Plan
    results: tuple[Result, ...]
    verdicts: Sequence[Mapping[str, Any]]

    @property
    def verdict_names(self) -> dict[str, str]:
        """Address -> verdict."""
        return {verdict["address"]: verdict["name"] for verdict in self.verdicts}

    @property
    def fields(self) -> dict[str, Any]:
        """The cells as documented for `show --json` and `diff --json`."""
        table = self.plan.exhibit
        cells = [
            {
                "row": result.cell.address.row,
                "column": result.cell.address.column,
                "reported": reported_fields(result.cell.reported, table.reporting),
                "reproduced": result.summary(),
                "missing": _missing(result, table.average),
                "comparable": result.cell.comparable,
                "reason": result.cell.reason,
                "verdict": verdict["name"],
                "why": verdict["why"],
                "difference": verdict["difference"],
                "interval": verdict["interval"],
                "margin": verdict["margin"],
                "seeds_needed": verdict["seeds_needed"],
                "run": {**result.cell.run, "steps": [list(terms) for terms in result.cell.terms]},
            }
            for result, verdict in zip(self.results, self.verdicts, strict=True)
        ]
        return {"cells": cells}


@dataclass(frozen=True, kw_only=True)
class JudgedExhibit:
    """A judged exhibit with all that is said beside it."""

    judgement: Judgement | PointsJudgement
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


def _missing(result: Result, average: Average | None) -> list[dict[str, Any]]:
    """The runs that a cell waits for, and of a mean, which of its members each of them is."""
    members = [{average.over: value} for value in average.values] if average else [{}]
    cell = result.cell
    return [
        {"seed": seed, **member, "identity": identity}
        for seed, terms in zip(cell.seeds, cell.terms, strict=True)
        for member, identity in zip(members, terms, strict=True)
        if identity in result.missing
    ]


def named(project: Project, names: Sequence[str]) -> list[str]:
    """What was asked for: exhibits or parts; `all` is every exhibit for which something is run."""
    return project.paper.runnable if "all" in names else list(names)


def plan(project: Project, exhibit: str, request: Request) -> Plan:
    return plan_exhibit(project.paper, exhibit, request.profile, request.seeds, request.variation)


def any_plan(project: Project, exhibit: str, request: Request) -> Plan | PointsPlan:
    """The plan of a table of results, or of another exhibit for which something is run.

    Raises:
        UserError: nothing is run for it, or its specs cannot be resolved.
    """
    if isinstance(project.paper.exhibit(exhibit), Table):
        return plan(project, exhibit, request)
    return plan_points(project.paper, exhibit, request.profile, request.seeds, request.variation)


@overload
def judge(project: Project, planned: Plan) -> Judgement: ...
@overload
def judge(project: Project, planned: Plan | PointsPlan) -> Judgement | PointsJudgement: ...
def judge(project: Project, planned: Plan | PointsPlan) -> Judgement | PointsJudgement:
    """Read what is in the store, and give the verdicts on it."""
    if isinstance(planned, PointsPlan):
        return judge_points(project, planned)
    results = collect(planned, project.store)
    severe = severe_cells(project.paper)
    return Judgement(planned, results, assess(planned.exhibit, results, project.store, severe))


def judged_exhibit(project: Project, name: str, request: Request) -> JudgedExhibit:
    """An exhibit judged on what is in the store. Runs nothing."""
    judgement = judge(project, any_plan(project, name, request))
    return JudgedExhibit(
        judgement=judgement,
        claims=judge_all(project, about(project.paper, name), request),
        not_run=reasons_not_run(project, judgement.plan),
    )


def judge_all(project: Project, claims: Iterable[Claim], request: Request) -> list[Judged]:
    """Claims on reported numbers, and on the results of every exhibit that they are about."""
    wanted = list(claims)
    ours: dict[str, Json] = {}
    for name in sorted({name for claim in wanted for name in exhibits_of(claim)}):
        if name in project.paper.runnable:
            ours |= our_numbers(project, any_plan(project, name, request))
    return judge_claims(project.paper, wanted, ours, project.store)


def our_numbers(project: Project, planned: Plan | PointsPlan) -> dict[str, Json]:
    """Address -> the fields of our number, of all in an exhibit that are complete."""
    if isinstance(planned, Plan):
        return numbers_of(collect(planned, project.store))
    return stated_numbers(planned.exhibit.id, judge_points(project, planned).stated)


def reasons_not_run(project: Project, planned: Plan | PointsPlan) -> dict[str, list[str]]:
    """Reason -> the addresses of the numbers: what their specs say, or the failure of a step."""
    failed = failures_behind(planned.steps, project.store)
    found: dict[str, list[str]] = {}
    for item in planned.items:
        behind = [failed[identity] for identity in item.identities if identity in failed]
        reasons = {f"Step {failure.step} failed: {failure.message}" for failure in behind}
        for reason in sorted(reasons) if item.identities else [item.reason]:
            found.setdefault(reason, []).append(str(item.address))
    return found
