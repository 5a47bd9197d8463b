"""Stated numbers beside ours: quantities of points, and correlations of the points of a panel.

Correlations are those of a plot's points, under every adjustment for their size.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UserError
from harness.judge.decision import Decision, Evidence, Tail, decide
from harness.judge.decision import Outcome as DecisionOutcome
from harness.judge.memory import remembered
from harness.judge.model import Coefficient, Estimate, Interval, Verdict, VerdictName
from harness.judge.results import ItemResult, of_row
from harness.judge.sample import Summary
from harness.judge.verdict import exactly
from harness.plan.exhibit import ExhibitPlan
from harness.spec.exhibit import Address, Stated
from harness.spec.runs import Counterpart, Ours, Plot, RankCorrelation
from harness.store.store import Store

_Row = tuple[float, float, float, str]
"""x, y, size, and what a point is made of."""


@dataclass(frozen=True)
class Correlated:
    """The correlations of one plot."""

    panel: str
    plot: str
    coefficients: tuple[Coefficient, ...]
    """One for each adjustment; none without points."""
    missing: int
    """Points that can be run and have not been."""

    def under(self, adjustment: str) -> Coefficient:
        return next(item for item in self.coefficients if item.adjustment == adjustment)


def correlations(
    plan: ExhibitPlan, results: Sequence[ItemResult], store: Store
) -> tuple[Correlated, ...]:
    """The correlations of every plot that asks for them.

    A point that is the same work as an earlier one counts once, whatever its name.

    Raises:
        UserError: a plot has lines, or sizes that are no numbers.
    """
    rows = dict.fromkeys(item.address.row for item in plan.items)
    return tuple(
        _correlated(plan, row, plot, plot.correlation, results, store)
        for row in rows
        for plot in plan.exhibit.readings(row).plots
        if plot.correlation
    )


def _correlated(
    plan: ExhibitPlan,
    row: str,
    plot: Plot,
    asked: RankCorrelation,
    results: Sequence[ItemResult],
    store: Store,
) -> Correlated:
    here = [result for result in of_row(results, row) if not result.same_as]
    done = [_row(plot, asked, result) for result in here if result.complete]
    points = [point for point in done if math.isfinite(point[0]) and math.isfinite(point[1])]
    kept = _without_worst(points, float(plan.chosen(row, asked.worst_left_out)))
    found = (
        remembered(store, "correlations", kept, Coefficient, lambda: _correlate(kept))
        if kept
        else []
    )
    missing = sum(bool(result.missing) for result in here) + len(done) - len(points)
    return Correlated(row, plot.name, tuple(found), missing)


def _row(plot: Plot, asked: RankCorrelation, result: ItemResult) -> _Row:
    x, y = result.lines[plot.name, 0]
    size = result.item.run[asked.size]
    if isinstance(x, tuple) or isinstance(y, tuple) or isinstance(size, str):
        raise UserError(
            f"{result.item.address}: a correlation is over numbers, and 'size' is a number; "
            f"found lines, or the size '{size}'"
        )
    made_of = (f"{v}={value}" for v, value in result.item.stated.items() if v not in asked.same)
    return x, y, float(size), ", ".join(made_of)


def _without_worst(rows: Sequence[_Row], share: float) -> list[_Row]:
    """The points of each size but those of largest y, at most a share; equal ones go together."""
    kept = []
    for row in rows:
        no_better = sum(other[2] == row[2] and other[1] >= row[1] for other in rows)
        alike = sum(other[2] == row[2] for other in rows)
        if no_better > math.floor(share * alike):
            kept.append(row)
    return kept


def _correlate(rows: Sequence[_Row]) -> list[Coefficient]:
    from harness.judge.correlation import correlate

    x, y, size, unit = zip(*rows, strict=True)
    return correlate(x, y, size, unit)


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
class StatedEvidence:
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
        StatedEvidence(
            address=str(Address(plan.exhibit.id, "stated", key)),
            stated=float(item.text.number),
            half_unit=float(item.text.rounding),
            margin=item.ours.margin if item.ours else None,
            tail=_tail(item),
            ours=estimate(plan, item.ours, results, correlated) if item.ours else None,
            reason=Summary.stated(item.text).obstacle or _reason(plan, item.ours, results),
        )
        for key, item in stated.items()
    ]
    if not evidence:
        return ()
    verdicts = remembered(
        store, "stated", evidence, Verdict, lambda: list(map(judge_stated, evidence))
    )
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
    ends = [(a.low, a.high) for a in amounts if a.low is not None and a.high is not None]
    if len(ends) < len(amounts):
        return Estimate(mean, None, None, len(points))
    # Half of a normal 95 % interval is 1.96 standard errors.
    halves = math.hypot(*((high - low) / 2 for low, high in ends)) / len(ends)
    error = halves / statistics.NormalDist().inv_cdf(0.975)
    return Estimate(mean, error, None, len(points), _interval([a.mean for a in amounts], ends))


def _interval(means: Sequence[float], ends: Sequence[Interval]) -> Interval:
    """The interval of a mean from those of what it is of: each side from that side of theirs, since
    they may end where a parameter does (Zou and Donner 2008)."""
    if len(ends) == 1:
        return ends[0]
    mean, lows, highs = statistics.fmean(means), *zip(*ends, strict=True)
    below, above = math.dist(means, lows) / len(ends), math.dist(means, highs) / len(ends)
    return mean - below, mean + above


def judge_stated(evidence: StatedEvidence) -> Verdict:
    """As for cells, with a number that is exact on the paper's side."""
    ours, reason, margin = evidence.ours, evidence.reason, evidence.margin
    if ours is None or margin is None:
        why = reason or "its runs are not all there"
        return Verdict(evidence.address, "not run", why, margin)
    gap = ours.mean - evidence.stated
    if ours.error is None:
        why = reason or "ours comes without a spread, which decides nothing"
        name: VerdictName = "not comparable" if reason else "inconclusive"
        return Verdict(evidence.address, name, why, margin, gap)
    mine = Summary.estimated(ours.mean, ours.error, ours.df)
    # Stated numbers of one exhibit are decided one by one, without control over them all.
    stated = Summary.exact(evidence.stated)
    both = Evidence(stated, mine, margin, evidence.half_unit, evidence.tail)
    (decision,) = decide([both])
    interval = decision.statistics.interval if decision.statistics else None
    told = _sentence(decision, ours, both, interval) if interval else exactly(both, decision)
    return Verdict(
        evidence.address,
        "not comparable" if reason else decision.outcome,
        reason or told,
        margin,
        gap,
        interval,
        None if reason else decision,
        ours_interval=ours.interval
        or (interval and (interval[0] + evidence.stated, interval[1] + evidence.stated)),
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


def _sentence(decision: Decision, ours: Estimate, both: Evidence, interval: Interval) -> str:
    ending = _ENDINGS[both.tail][decision.outcome].format(both.margin)
    low, high = interval
    held = f"95 % interval {low:+.3g} to {high:+.3g}"
    if ours.interval:
        held += " by the standard error"
    return f"off by {decision.difference:+.3g} ({held}), {ending}"
