"""A figure, a fit or a lemma, collected and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.judge.correlated import Correlated, correlations
from harness.judge.points import Amount, PointResult, collect_points
from harness.judge.stated import StatedResult, stated_results
from harness.plan.points import PointsPlan
from harness.study.project import Project


@dataclass(frozen=True)
class PointsJudgement:
    """An exhibit with its points, their correlations, and the stated numbers beside ours."""

    plan: PointsPlan
    results: tuple[PointResult, ...]
    correlated: Sequence[Correlated]
    stated: Sequence[StatedResult]

    @property
    def verdict_names(self) -> dict[str, str]:
        """Address of each stated number -> verdict."""
        return {
            f"{self.plan.exhibit.id}:stated:{item.id}": str(item.verdict["name"])
            for item in self.stated
        }

    @property
    def fields(self) -> dict[str, Any]:
        """As documented for `show --json`."""
        return {
            "points": [_point_fields(result) for result in self.results],
            "correlations": [asdict(item) for item in self.correlated],
            "stated": [_stated_fields(item) for item in self.stated],
        }


def judge_points(project: Project, planned: PointsPlan) -> PointsJudgement:
    """Read what is in the store, and compare it with what the paper states."""
    results = collect_points(planned, project.store)
    found = correlations(planned, results, project.store)
    stated = stated_results(planned, results, found, project.store)
    return PointsJudgement(planned, results, found, stated)


def _point_fields(result: PointResult) -> dict[str, Any]:
    point = result.point
    drawn: dict[str, list[dict[str, Any]]] = {}
    for (plot, _), (x, y) in result.drawn.items():
        drawn.setdefault(plot, []).append({"x": x, "y": y})
    return {
        "panel": point.address.row,
        "point": point.address.column,
        "values": {name: _amount_fields(amount) for name, amount in result.amounts.items()},
        "drawn": drawn,
        "pictures": [hashlib.sha256(picture.pixels).hexdigest() for picture in result.pictures],
        "comparable": point.comparable,
        "reason": point.reason,
        "missing": list(result.missing),
        "same_as": result.same_as or None,
        "seeds": list(point.seeds),
        "run": {**point.run, "steps": point.measured},
    }


def _amount_fields(amount: Amount) -> dict[str, Any]:
    interval = None if amount.low is None else [amount.low, amount.high]
    n = len(amount.values)
    return {"mean": amount.mean, "std": amount.std, "n": n, "interval": interval}


def _stated_fields(item: StatedResult) -> dict[str, Any]:
    verdict = item.verdict
    ours = item.ours and {
        "mean": item.ours.mean,
        "error": item.ours.error,
        "n": item.ours.n,
        "interval": verdict.get("interval"),
    }
    return {
        "id": item.id,
        **item.stated.model_dump(exclude={"ours"}),
        "reproduced": ours,
        "readings": dict(item.readings),
        "verdict": verdict["name"],
        "why": verdict["why"],
        "difference": verdict.get("difference"),
        "interval": verdict.get("difference_interval"),
        "margin": item.stated.ours.margin if item.stated.ours else None,
    }
