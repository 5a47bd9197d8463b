"""Stated numbers beside ours: correlations of the points of a panel, and quantities of points."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.judge.correlated import Correlated
from harness.judge.decision import Decision, Evidence, Tail, decide
from harness.judge.decision import Outcome as DecisionOutcome
from harness.judge.memory import remembered
from harness.judge.model import Estimate, Verdict, VerdictName
from harness.judge.results import ItemResult, of_row
from harness.judge.sample import Summary
from harness.plan.exhibit import ExhibitPlan
from harness.spec.exhibit import Address, Stated
from harness.spec.runs import Counterpart, Ours
from harness.store.store import Store


@dataclass(frozen=True)
class StatedResult:
    """A stated number with ours and the verdict."""

    id: str
    stated: Stated
    ours: Estimate | None
    verdict: Verdict
    readings: Mapping[str, bool]
    """For a correlation: each way of accounting for the size -> whether our interval under it holds
    the stated number, which can have been meant so then. Ways without an interval are left out."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that the verdict on a stated number rests on."""

    address: str
    stated: float
    """Taken as exact, since it comes without an uncertainty."""
    half_unit: float
    """Half a unit of its last digit."""
    margin: float | None
    tail: Tail
    ours: Estimate | None
    reason: str


def stated_results(
    plan: ExhibitPlan,
    results: Sequence[ItemResult],
    correlated: Sequence[Correlated],
    store: Store,
) -> tuple[StatedResult, ...]:
    """Every stated number of the exhibit, those without a counterpart of ours included."""
    stated = plan.exhibit.stated
    evidence = [
        _Evidence(
            address=str(Address(plan.exhibit.id, "stated", key)),
            stated=float(item.text.number),
            half_unit=float(item.text.rounding),
            margin=item.ours.margin if item.ours else None,
            tail=_tail(item),
            ours=estimate(plan, item.ours, results, correlated) if item.ours else None,
            reason=_reason(plan, item.ours, results),
        )
        for key, item in stated.items()
    ]
    if not evidence:
        return ()
    verdicts = remembered(store, "stated", evidence, Verdict, lambda: list(map(_verdict, evidence)))
    return tuple(
        StatedResult(key, item, known.ours, verdict, _readings(item, correlated))
        for (key, item), known, verdict in zip(stated.items(), evidence, verdicts, strict=True)
    )


def _tail(item: Stated) -> Tail:
    if item.text.relation in ("<", "≤"):
        return "at most"
    at_least = item.ours is not None and item.ours.at_least
    return "at least" if at_least or item.text.relation in (">", "≥") else "both"


def _readings(item: Stated, correlated: Sequence[Correlated]) -> dict[str, bool]:
    if item.ours is None or item.ours.correlation is None:
        return {}
    plot = _plot(item.ours, correlated)
    if plot.missing:
        return {}
    stated = float(item.text.number)
    return {
        held.adjustment: held.low <= stated <= held.high
        for held in plot.coefficients
        if held.low is not None and held.high is not None
    }


def _points(ours: Counterpart, results: Sequence[ItemResult]) -> list[ItemResult]:
    return [
        result
        for result in of_row(results, ours.panel)
        if all(result.item.stated.get(name) in values for name, values in ours.where.items())
    ]


def _reason(plan: ExhibitPlan, ours: Ours | None, results: Sequence[ItemResult]) -> str:
    """Why our number cannot be compared, or is not there; empty if it can."""
    if ours is None:
        return "nothing is run for it"
    reasons = (result.item.reason for result in _points(ours, results))
    whole = plan.partial[ours.panel] if ours.correlation else ""
    return next((reason for reason in reasons if reason), whole)


def estimate(
    plan: ExhibitPlan,
    ours: Counterpart,
    results: Sequence[ItemResult],
    correlated: Sequence[Correlated],
) -> Estimate | None:
    """One of our numbers with what is known of its uncertainty; None where it is not there."""
    if ours.correlation is None:
        return _quantity(ours.value, _points(ours, results))
    plot = _plot(ours, correlated)
    if plot.missing or not plot.coefficients:
        return None
    held = plot.under(str(plan.chosen(ours.panel, ours.correlation)))
    if held.rho is None:
        return None
    interval = None if held.low is None or held.high is None else (held.low, held.high)
    return Estimate(held.rho, held.error, None, held.n, interval)


def _plot(ours: Counterpart, correlated: Sequence[Correlated]) -> Correlated:
    return next(item for item in correlated if item.panel == ours.panel)


def _quantity(name: str, points: Sequence[ItemResult]) -> Estimate | None:
    """The mean over points: of every seed if there are several, else with the steps' intervals."""
    if not points or not all(result.complete for result in points):
        return None
    amounts = [result.amounts[name] for result in points if name in result.amounts]
    varied = {(len(a.values), a.seeds) for a in amounts if not a.deterministic}
    if len(amounts) < len(points) or len(varied) > 1:
        return None  # a run of one of them has failed
    runs, _ = max(varied, default=(1, ()))
    each = [a.values * (runs if a.deterministic else 1) for a in amounts]
    seeds = [statistics.fmean(seed) for seed in zip(*each, strict=True)]
    mean = statistics.fmean(seeds)
    if all(amount.deterministic for amount in amounts):
        return Estimate(mean, 0.0, None, len(points))
    if (std := Summary.of(seeds).std) is not None:
        return Estimate(mean, std / math.sqrt(len(seeds)), len(seeds) - 1, len(points))
    halves = [(a.high - a.low) / 2 for a in amounts if a.low is not None and a.high is not None]
    if len(halves) < len(amounts):
        return Estimate(mean, None, None, len(points))
    # Half of a normal 95 % interval is 1.96 standard errors.
    error = math.hypot(*halves) / len(halves) / statistics.NormalDist().inv_cdf(0.975)
    return Estimate(mean, error, None, len(points))


def _verdict(evidence: _Evidence) -> Verdict:
    """As for cells, with a number that is exact on the paper's side."""
    ours, reason, margin = evidence.ours, evidence.reason, evidence.margin
    if ours is None or margin is None:
        why = reason or "its runs are not all there"
        return Verdict(evidence.address, "not run", why, margin)
    gap = ours.mean - evidence.stated
    if ours.error is None:
        why = reason or "its runs show no spread, which decides nothing"
        name: VerdictName = "not comparable" if reason else "inconclusive"
        return Verdict(evidence.address, name, why, margin, gap)
    mine = Summary.estimated(ours.mean, ours.error, ours.df)
    # Stated numbers of one exhibit are decided one by one, without control over them all.
    (decision,) = decide(
        [Evidence(Summary.exact(evidence.stated), mine, margin, evidence.half_unit, evidence.tail)]
    )
    assert decision.statistics is not None  # our side has an error, and theirs is exact
    low, high = decision.statistics.interval
    return Verdict(
        evidence.address,
        "not comparable" if reason else decision.outcome,
        reason or _sentence(decision, margin, evidence.tail),
        margin,
        gap,
        (low, high),
        None if reason else decision,
        ours_interval=ours.interval or (low + evidence.stated, high + evidence.stated),
    )


_ENDINGS: Mapping[str, Mapping[DecisionOutcome, str]] = {
    "both": {
        "reproduced": "surely within ±{0:g}",
        "deviates": "beyond ±{0:g}",
        "inconclusive": "neither surely within ±{0:g} nor beyond",
    },
    "at least": {
        "reproduced": "surely not lower by {0:g}",
        "deviates": "lower by more than {0:g}",
        "inconclusive": "neither surely so much nor lower by {0:g}",
    },
    "at most": {
        "reproduced": "surely not higher by {0:g}",
        "deviates": "higher by more than {0:g}",
        "inconclusive": "neither surely so little nor higher by {0:g}",
    },
}


def _sentence(decision: Decision, margin: float, tail: Tail) -> str:
    low, high = decision.statistics.interval if decision.statistics else (math.nan, math.nan)
    ending = _ENDINGS[tail][decision.outcome].format(margin)
    return f"off by {decision.difference:+.3g} (95 % interval {low:+.3g} to {high:+.3g}), {ending}"
