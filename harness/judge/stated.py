"""Stated numbers beside ours: correlations of the points of a panel, and quantities of points."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.judge.correlated import Correlated
from harness.judge.memory import remembered
from harness.judge.points import PointResult
from harness.plan.identity import digest
from harness.plan.points import PointsPlan
from harness.plan.step import Json
from harness.spec.cell import parse_printed
from harness.spec.exhibit import Stated
from harness.spec.runs import Ours
from harness.store.store import Store


@dataclass(frozen=True)
class Number:
    """One of ours, with what is known of its uncertainty."""

    mean: float
    error: float | None
    """Standard error; None where there is none to be had."""
    df: int | None
    """Degrees of freedom of the error; None where it is taken as known."""
    n: int
    """Points that it is of."""
    interval: tuple[float, float] | None = None
    """At 95 %, where it is known otherwise than from the error."""


@dataclass(frozen=True)
class StatedResult:
    """A stated number with ours and the verdict."""

    id: str
    stated: Stated
    ours: Number | None
    verdict: Mapping[str, Any]
    """`name`, `why`, and where both numbers are there, `difference` (ours less what is stated),
    `interval` of ours and `difference_interval`, at 95 %."""
    readings: Mapping[str, bool]
    """Of a correlation: each way of accounting for the size -> whether our interval under it holds
    the stated number, which can have been meant so then. Ways without an interval are left out."""


def stated_results(
    plan: PointsPlan,
    results: Sequence[PointResult],
    correlated: Sequence[Correlated],
    store: Store,
) -> list[StatedResult]:
    """Every stated number of the exhibit, those without a counterpart of ours included."""
    stated = plan.exhibit.stated
    ours = {
        key: _number(plan, item.ours, results, correlated)
        for key, item in stated.items()
        if item.ours
    }
    evidence: list[Json] = [
        {
            "stated": float(parse_printed(item.text).mean),
            "margin": item.ours.margin if item.ours else None,
            "at_least": item.ours is not None and item.ours.at_least,
            "ours": asdict(number) if (number := ours.get(key)) else None,
            "reason": _reason(plan, item.ours, results),
        }
        for key, item in stated.items()
    ]
    verdicts = remembered(store, "stated", evidence, lambda: [_verdict(e) for e in evidence])
    assert isinstance(verdicts, list)
    return [
        StatedResult(key, item, ours.get(key), verdict, _readings(item, correlated))
        for (key, item), verdict in zip(stated.items(), verdicts, strict=True)
        if isinstance(verdict, dict)
    ]


def _readings(item: Stated, correlated: Sequence[Correlated]) -> dict[str, bool]:
    if item.ours is None or item.ours.correlation is None:
        return {}
    plot = _plot(item.ours, correlated)
    if plot.missing:
        return {}
    stated = float(parse_printed(item.text).mean)
    return {
        str(held["adjustment"]): bool(held["low"] <= stated <= held["high"])
        for held in plot.coefficients
        if held["low"] is not None
    }


def stated_numbers(exhibit: str, results: Sequence[StatedResult]) -> dict[str, Json]:
    """Address of each stated number that has one of ours -> its fields, for claims.

    `runs` is the same for numbers that the paper states twice.
    """
    return {
        f"{exhibit}:stated:{result.id}": {**asdict(result.ours), "runs": _counterpart(result)}
        for result in results
        if result.ours is not None
    }


def _counterpart(result: StatedResult) -> str:
    assert result.stated.ours is not None
    return digest("counterpart", result.stated.ours.model_dump(mode="json", exclude={"margin"}))


def _points(ours: Ours, results: Sequence[PointResult]) -> list[PointResult]:
    return [
        result
        for result in results
        if result.point.address.row == ours.panel
        and all(result.point.stated.get(name) in values for name, values in ours.where.items())
    ]


def _reason(plan: PointsPlan, ours: Ours | None, results: Sequence[PointResult]) -> str:
    """Why our number cannot be compared, or is not there; empty if it can."""
    if ours is None:
        return "nothing is run for it"
    reasons = (result.point.reason for result in _points(ours, results))
    whole = plan.partial[ours.panel] if ours.correlation else ""
    return next((reason for reason in reasons if reason), whole)


def _number(
    plan: PointsPlan,
    ours: Ours,
    results: Sequence[PointResult],
    correlated: Sequence[Correlated],
) -> Number | None:
    if ours.correlation is None:
        return _quantity(ours.value, _points(ours, results))
    plot = _plot(ours, correlated)
    if plot.missing or not plot.coefficients:
        return None
    held = plot.under(str(plan.chosen(ours.panel, ours.correlation)))
    if held["rho"] is None:
        return None
    interval = None if held["low"] is None else (held["low"], held["high"])
    return Number(held["rho"], held["error"], None, held["n"], interval)


def _plot(ours: Ours, correlated: Sequence[Correlated]) -> Correlated:
    return next(item for item in correlated if item.panel == ours.panel)


def _quantity(name: str, points: Sequence[PointResult]) -> Number | None:
    """The mean over points: of every seed if there are several, else with the steps' intervals."""
    if not points or not all(result.complete for result in points):
        return None
    amounts = [result.amounts[name] for result in points]
    seeds = [statistics.fmean(seed) for seed in zip(*(a.values for a in amounts), strict=True)]
    mean = statistics.fmean(seeds)
    if len(seeds) > 1:
        error = statistics.stdev(seeds) / math.sqrt(len(seeds))
        return Number(mean, error, len(seeds) - 1, len(points))
    halves = [(a.high - a.low) / 2 for a in amounts if a.low is not None and a.high is not None]
    if len(halves) < len(amounts):
        return Number(mean, None, None, len(points))
    # Half of a normal 95 % interval is 1.96 standard errors.
    error = math.hypot(*halves) / len(halves) / statistics.NormalDist().inv_cdf(0.975)
    return Number(mean, error, None, len(points))


def _verdict(evidence: Any) -> dict[str, Json]:
    """As of cells; what is stated is taken as exact, since it comes without an uncertainty."""
    ours, reason = evidence["ours"], evidence["reason"]
    if ours is None:
        return {"name": "not run", "why": reason or "its runs are not all there"}
    gap = ours["mean"] - evidence["stated"]
    if ours["error"] is None:
        why = reason or "one run has no spread, which decides nothing"
        name = "not comparable" if reason else "inconclusive"
        return {"name": name, "why": why, "difference": gap}
    from harness.judge.welch import Difference

    df = math.inf if ours["df"] is None else ours["df"]
    difference = Difference(gap, ours["error"], df)
    tested = _tested_bound if evidence["at_least"] else _tested
    name, why = ("not comparable", reason) if reason else tested(difference, evidence["margin"])
    return {
        "name": name,
        "why": why,
        "difference": gap,
        "difference_interval": list(difference.interval()),
        "interval": list(
            ours["interval"] or Difference(ours["mean"], ours["error"], df).interval()
        ),
    }


def _tested(difference: Any, margin: float) -> tuple[str, str]:
    from harness.judge.welch import ALPHA

    text = _described(difference)
    if difference.p_equivalent(margin) < ALPHA:
        return "reproduced", f"{text}, surely within ±{margin:g}"
    if difference.p_equal() < ALPHA and abs(difference.estimate) > margin:
        return "deviates", f"{text}, beyond ±{margin:g}"
    return "inconclusive", f"{text}, neither surely within ±{margin:g} nor beyond"


def _tested_bound(difference: Any, margin: float) -> tuple[str, str]:
    """Of a number that is stated as the least: one-sided, since more is as stated."""
    from harness.judge.welch import ALPHA

    text = _described(difference)
    if difference.p_greater(-margin) < ALPHA:
        return "reproduced", f"{text}, surely not lower by {margin:g}"
    if difference.p_less() < ALPHA and difference.estimate < -margin:
        return "deviates", f"{text}, lower by more than {margin:g}"
    return "inconclusive", f"{text}, neither surely so much nor lower by {margin:g}"


def _described(difference: Any) -> str:
    low, high = difference.interval()
    return f"off by {difference.estimate:+.3g} (95 % interval {low:+.3g} to {high:+.3g})"
