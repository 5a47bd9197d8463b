"""The correlations of the points of a plot, under every adjustment for their size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import UserError
from harness.judge.memory import remembered
from harness.judge.points import PointResult
from harness.plan.points import PointsPlan
from harness.plan.step import Json
from harness.spec.runs import Correlation, Panel, Plot
from harness.store.store import Store

_Row = tuple[float, float, float, str]
"""x, y, size, and what a point is made of."""


@dataclass(frozen=True)
class Correlated:
    """The correlations of one plot."""

    panel: str
    plot: str
    coefficients: Sequence[Mapping[str, Any]]
    """The fields of `correlation.Coefficient`, one for each adjustment; none without points."""
    missing: int
    """Points that can be run and have not been."""

    def under(self, adjustment: str) -> Mapping[str, Any]:
        return next(item for item in self.coefficients if item["adjustment"] == adjustment)


def correlations(
    plan: PointsPlan, results: Sequence[PointResult], store: Store
) -> list[Correlated]:
    """The correlations of every plot that asks for them.

    A point that is the same work as an earlier one counts once, whatever its name.

    Raises:
        UserError: a plot has lines, or sizes that are no numbers.
    """
    return [
        _correlated(plan, panel, plot, plot.correlation, results, store)
        for panel in plan.exhibit.panels
        for plot in panel.plots
        if plot.correlation
    ]


def _correlated(
    plan: PointsPlan,
    panel: Panel,
    plot: Plot,
    asked: Correlation,
    results: Sequence[PointResult],
    store: Store,
) -> Correlated:
    here = [r for r in results if r.point.address.row == panel.name and not r.same_as]
    rows = [_row(panel, plot, asked, result) for result in here if result.complete]
    kept = _without_worst(rows, float(plan.chosen(panel.name, asked.worst_left_out)))
    question: Json = [list(row) for row in kept]
    answer = remembered(store, "correlations", question, lambda: _correlate(kept)) if kept else []
    assert isinstance(answer, list)
    coefficients = [dict(item) for item in answer if isinstance(item, dict)]
    missing = sum(bool(result.missing) for result in here)
    return Correlated(panel.name, plot.name, coefficients, missing)


def _row(panel: Panel, plot: Plot, asked: Correlation, result: PointResult) -> _Row:
    x, y = result.drawn[plot.name, 0]
    size = result.point.run[asked.size]
    if isinstance(x, tuple) or isinstance(y, tuple) or isinstance(size, str):
        raise UserError(
            f"{result.point.address}: a correlation is over numbers, and 'size' is a number; "
            f"found lines, or the size '{size}'"
        )
    assert panel.runs is not None
    made_of = (f"{v}={result.point.stated[v]}" for v in panel.runs.over if v not in asked.same)
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


def _correlate(rows: Sequence[_Row]) -> Json:
    from harness.judge.correlation import correlate

    x, y, size, unit = zip(*rows, strict=True)
    return [asdict(item) for item in correlate(x, y, size, unit)]
