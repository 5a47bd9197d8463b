"""An exhibit planned, collected and judged: what most commands show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from harness.cli.points import PointsJudgement, judge_points
from harness.cli.project import Project
from harness.judge.assess import assess
from harness.judge.audit.audit import severe_cells
from harness.judge.outcomes import Judged, exhibits_of, judge_claims, numbers_of
from harness.judge.results import Result, collect, reported_fields
from harness.judge.stated import stated_numbers
from harness.plan.cells import Plan, plan_exhibit
from harness.plan.points import PointsPlan, plan_points
from harness.plan.settings import Variation
from harness.plan.step import Json
from harness.spec.claims import Claim
from harness.spec.exhibit import Average, Table


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


def claim_json(judged: Judged, profile: str) -> dict[str, Json]:
    return {
        "id": judged.claim.id,
        "text": judged.claim.text,
        "where": judged.claim.where,
        "expect": judged.claim.expect,
        "reported": judged.reported["outcome"],
        "reported_why": judged.reported["why"],
        "reproduced": judged.reproduced["outcome"],
        "reproduced_why": judged.reproduced["why"],
        "profile": profile,
    }
