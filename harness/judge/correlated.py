"""The correlations of the points of a plot, under every adjustment for their size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UserError
from harness.judge.memory import remembered
from harness.judge.model import Coefficient
from harness.judge.results import ItemResult, of_row
from harness.plan.exhibit import ExhibitPlan
from harness.spec.runs import Plot, RankCorrelation
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
