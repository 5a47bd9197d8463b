"""A figure, a fit or a lemma collected and judged, and how it is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.cli.output import console, print_grid
from harness.judge.correlated import Correlated
from harness.judge.exhibit import Judgement
from harness.judge.model import Amount
from harness.judge.results import ItemResult, of_row
from harness.judge.stated import StatedResult

_ACROSS = 4
"""Most columns of a printed panel, beside the point's name."""


def point_fields(judgement: Judgement) -> dict[str, Any]:
    """An exhibit made of panels, as documented for `show --json`."""
    return {
        "points": [_point_fields(result) for result in judgement.results],
        "correlations": [asdict(item) for item in judgement.correlations],
        "stated": [_stated_fields(item) for item in judgement.stated],
    }


def _point_fields(result: ItemResult) -> dict[str, Any]:
    point = result.item
    drawn: dict[str, list[dict[str, Any]]] = {}
    for (plot, _), (x, y) in result.lines.items():
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
        "run": {**point.run, "steps": _steps(result)},
    }


def _steps(result: ItemResult) -> dict[str, list[str]]:
    """What readings are of -> the step for each seed; a point is no mean of several."""
    return {name: [members[0] for members in s] for name, s in result.item.sources.items()}


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
        "interval": verdict.ours_interval,
    }
    return {
        "id": item.id,
        **item.stated.model_dump(exclude={"ours"}),
        "reproduced": ours,
        "readings": dict(item.readings),
        "verdict": verdict.name,
        "why": verdict.why,
        "difference": verdict.difference,
        "interval": verdict.interval,
        "margin": item.stated.ours.margin if item.stated.ours else None,
    }


def print_points(judgement: Judgement) -> None:
    """Print what every point came to, the correlations, and the stated numbers beside ours."""
    exhibit = judgement.plan.exhibit
    console().print(f"{exhibit.label}. {exhibit.title}", style="bold")
    for panel in dict.fromkeys(item.address.row for item in judgement.plan.items):
        _print_panel(panel, list(of_row(judgement.results, panel)))
    for item in judgement.correlations:
        _print_correlations(item)
    print_stated(judgement)
    for line in dict.fromkeys(_reading(item) for item in judgement.stated if item.readings):
        console().print(line, soft_wrap=True)
    run = [result.item for result in judgement.results if result.item.sources]
    reasons = dict.fromkeys(point.reason for point in run if point.reason)
    for reason in reasons:
        console().print(reason, soft_wrap=True)


def _print_panel(name: str, results: Sequence[ItemResult]) -> None:
    """A row for each point: quantities, then what is drawn where that is a number.

    A few at a time, so that no number is cut off on a narrow terminal.
    """
    done = [result for result in results if result.complete]
    quantities = list(done[0].amounts) if done else []
    plots = [key for key, (x, y) in done[0].lines.items() if _number(x)] if done else []
    headings = [f"{plot} {axis}" for plot, _ in plots for axis in ("x", "y")]
    rows = [
        (
            *(_amount(result.amounts.get(quantity)) for quantity in quantities),
            *(_text(drawn) for key in plots for drawn in result.lines.get(key, ("", ""))),
            _state(result),
        )
        for result in results
    ]
    columns = (*quantities, *headings, "State")
    for first in range(0, len(columns), _ACROSS):
        here = slice(first, first + _ACROSS)
        print_grid(
            (f"Panel {name}", *columns[here]),
            [(r.item.address.column, *row[here]) for r, row in zip(results, rows, strict=True)],
        )


def _number(drawn: object) -> bool:
    return isinstance(drawn, float)


def _text(drawn: object) -> str:
    return f"{drawn:.4g}" if isinstance(drawn, float) else "–"


def _amount(amount: Amount | None) -> str:
    if amount is None:
        return "–"
    if amount.low is not None and amount.high is not None:
        return f"{amount.mean:.4g} [{amount.low:.4g}, {amount.high:.4g}]"
    return f"{amount.mean:.4g}" + (f" ± {amount.std:.2g}" if amount.std is not None else "")


def _state(result: ItemResult) -> str:
    if not result.item.sources:
        return "cannot be run"
    if result.missing:
        return f"{len(result.missing)} steps missing"
    return f"as {result.same_as}" if result.same_as else "done"


def _print_correlations(item: Correlated) -> None:
    rows = [
        (
            held.adjustment,
            _signed(held.rho),
            f"{_signed(held.low)} to {_signed(held.high)}",
            str(held.n),
            _range(held.without),
        )
        for held in item.coefficients
    ]
    title = f"Panel {item.panel}, {item.plot}: Spearman's coefficient"
    print_grid((title, "ρ", "95 % interval", "Points", "Leaving each size out"), rows)


def _range(without: Mapping[str, float | None]) -> str:
    known = [rho for rho in without.values() if rho is not None]
    return f"{_signed(min(known))} to {_signed(max(known))}" if known else "–"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def print_stated(judgement: Judgement) -> None:
    """Print the stated numbers that have a counterpart beside it; the others as stated."""
    rows = [
        (
            item.id,
            f"≈ {item.stated.text}" if item.stated.approximate else str(item.stated.text),
            "–" if item.ours is None else f"{item.ours.mean:.4g}",
            _interval(item.verdict.ours_interval),
            item.verdict.name if item.stated.ours else "–",
            item.stated.where,
        )
        for item in judgement.stated
    ]
    if rows:
        print_grid(("Stated", "Paper", "Ours", "95 % interval", "Verdict", "Where"), rows)


def _interval(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"


def _reading(item: StatedResult) -> str:
    """Which ways of accounting for the size a stated correlation is in keeping with."""
    assert item.stated.ours is not None
    held = [name for name, inside in item.readings.items() if inside]
    others = [name for name, inside in item.readings.items() if not inside]
    parts = (("inside", held), ("outside", others))
    told = "; ".join(f"{word} under {', '.join(names)}" for word, names in parts if names)
    panel = item.stated.ours.panel
    return f"{item.stated.text} against our 95 % intervals in panel {panel}: {told}"
