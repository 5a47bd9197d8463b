"""An exhibit planned, collected and judged: what most commands show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.cli.points import point_fields
from harness.cli.project import Project
from harness.judge.exhibit import Judgement, judge_exhibit, numbers
from harness.judge.outcomes import Judged, KnownNumber, exhibits_of, judge_claims
from harness.judge.results import ItemResult
from harness.judge.sample import ReportedNumber
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.settings import Variation
from harness.plan.step import Json
from harness.spec.cell import Printed
from harness.spec.claims import Claim
from harness.spec.exhibit import LAST_STEP, Average, Reporting, Table


@dataclass(frozen=True)
class Request:
    """How an exhibit is asked for."""

    profile: str | None = None
    seeds: int | None = None
    variation: Variation | None = None


def fields(judgement: Judgement) -> dict[str, Any]:
    """An exhibit as documented for `show --json` and `diff --json`."""
    table = judgement.plan.exhibit
    return _cells(table, judgement) if isinstance(table, Table) else point_fields(judgement)


def _cells(table: Table, judgement: Judgement) -> dict[str, Any]:
    cells = []
    for result in judgement.results:
        verdict = judgement.verdicts[str(result.item.address)]
        cells.append(
            {
                "row": result.item.address.row,
                "column": result.item.address.column,
                "reported": _reported(result.item.reported, table.reporting),
                "reproduced": _reproduced(result),
                "missing": _missing(result, table.average),
                "comparable": result.item.comparable,
                "reason": result.item.reason,
                "verdict": verdict.name,
                "why": verdict.why,
                "difference": verdict.difference,
                "interval": verdict.interval,
                "margin": verdict.margin,
                "seeds_needed": verdict.seeds_needed,
                "run": {**result.item.run, "steps": _runs(result)},
            }
        )
    return {"cells": cells}


def _reported(printed: Printed | None, reporting: Reporting) -> dict[str, Any] | None:
    if printed is None:
        return None
    return {"text": printed.text, **asdict(ReportedNumber.read(printed, reporting))}


def _reproduced(result: ItemResult) -> dict[str, Any] | None:
    amount = result.amount
    if amount is None:
        return None
    seeds = list(result.seeds)
    return {"mean": amount.mean, "std": amount.std, "n": len(amount.values), "seeds": seeds}


def _runs(result: ItemResult) -> list[list[str]]:
    """For each seed, the runs whose mean a cell is."""
    return [list(members) for members in result.item.sources.get(LAST_STEP, ())]


def _missing(result: ItemResult, average: Average | None) -> list[dict[str, Any]]:
    """The runs that a cell waits for, and of a mean, which of its members each of them is."""
    members = [{average.over: value} for value in average.values] if average else [{}]
    return [
        {"seed": seed, **member, "identity": identity}
        for seed, runs in zip(result.item.seeds, _runs(result), strict=True)
        for member, identity in zip(members, runs, strict=True)
        if identity in result.missing
    ]


def named(project: Project, names: Sequence[str]) -> list[str]:
    """What was asked for: exhibits or parts; `all` is every exhibit for which something is run."""
    return project.paper.runnable if "all" in names else list(names)


def plan_of(project: Project, exhibit: str, request: Request) -> ExhibitPlan:
    """The plan of an exhibit.

    Raises:
        UserError: nothing is run for it, or its specs cannot be resolved.
    """
    return plan_exhibit(project.paper, exhibit, request.profile, request.seeds, request.variation)


def judge(project: Project, planned: ExhibitPlan) -> Judgement:
    """Read what is in the store, and give the verdicts on it."""
    return judge_exhibit(project.paper, planned, project.store)


def judge_all(project: Project, claims: Iterable[Claim], request: Request) -> list[Judged]:
    """Claims on reported numbers, and on the results of every exhibit that they are about."""
    wanted = list(claims)
    ours: dict[str, KnownNumber] = {}
    for name in sorted({name for claim in wanted for name in exhibits_of(claim)}):
        if name in project.paper.runnable:
            ours |= our_numbers(project, plan_of(project, name, request))
    return judge_claims(project.paper, wanted, ours, project.store)


def our_numbers(project: Project, planned: ExhibitPlan) -> dict[str, KnownNumber]:
    """Address -> our number, for all in an exhibit that are complete."""
    return numbers(judge(project, planned))


def claim_json(judged: Judged, profile: str) -> dict[str, Json]:
    return {
        "id": judged.claim.id,
        "text": judged.claim.text,
        "where": judged.claim.where,
        "expect": judged.claim.expect,
        "reported": judged.reported.outcome,
        "reported_why": judged.reported.why,
        "reproduced": judged.reproduced.outcome,
        "reproduced_why": judged.reproduced.why,
        "profile": profile,
    }
