"""The points, correlations and stated numbers of an exhibit of panels, on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console

from harness.judge.correlated import Correlated
from harness.judge.exhibit import Judgement
from harness.judge.results import ItemResult, of_row
from harness.judge.stated import StatedResult
from harness.render.terminal import show_grid
from harness.render.views.verdicts import gap_lines, kind_lines
from harness.words import counted

_MOST_IDLE = 8
"""Points without results of which each is listed."""
_ACROSS = 4
"""Most columns of a printed panel, beside the point's name."""


def show_points(judgement: Judgement, console: Console) -> None:
    """Print what every point came to, the correlations, and the stated numbers beside ours."""
    exhibit = judgement.plan.exhibit
    console.print(f"{exhibit.label}. {exhibit.title}", style="bold")
    for panel in dict.fromkeys(item.address.row for item in judgement.plan.items):
        _show_panel(panel, list(of_row(judgement.results, panel)), console)
    for item in judgement.correlations:
        _show_correlations(item, console)
    show_stated(judgement, console)
    for line in dict.fromkeys(_reading(item) for item in judgement.stated if item.readings):
        console.print(line, soft_wrap=True)
    points = [result.item for result in judgement.results if result.item.sources]
    for reason in dict.fromkeys(point.reason for point in points if point.reason):
        console.print(reason, soft_wrap=True)
    for line in (*gap_lines(judgement), *kind_lines(judgement)):
        console.print(line, soft_wrap=True)


def _show_panel(name: str, results: Sequence[ItemResult], console: Console) -> None:
    """A row for each point: quantities, then what is drawn where that is a number.

    A few at a time, so that no number is cut off on a narrow terminal.
    """
    done = [result for result in results if result.complete]
    if not done and len(results) > _MOST_IDLE:
        states = Counter(_state(result) for result in results)
        count = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
        console.print(f"Panel {name}: none of its {len(results)} points has all its runs ({count})")
        return
    quantities = list(done[0].amounts) if done else []
    plots = [key for key, (x, y) in done[0].lines.items() if _number(x)] if done else []
    headings = [f"{plot} {axis}" for plot, _ in plots for axis in ("x", "y")]
    rows = [
        (
            *(_amount(result, quantity) for quantity in quantities),
            *(_text(drawn) for key in plots for drawn in result.lines.get(key, ("", ""))),
            _state(result),
        )
        for result in results
    ]
    columns = (*quantities, *headings, "State")
    for first in range(0, len(columns), _ACROSS):
        here = slice(first, first + _ACROSS)
        show_grid(
            (f"Panel {name}", *columns[here]),
            [(r.item.address.column, *row[here]) for r, row in zip(results, rows, strict=True)],
            console,
        )


def _number(drawn: object) -> bool:
    return isinstance(drawn, float)


def _text(drawn: object) -> str:
    return f"{drawn:.4g}" if isinstance(drawn, float) else "–"


def _amount(result: ItemResult, quantity: str) -> str:
    return result.amounts[quantity].text if quantity in result.amounts else "–"


def _state(result: ItemResult) -> str:
    if not result.item.sources:
        return "cannot be run"
    if result.missing:
        return f"{counted(len(result.missing), 'step')} missing"
    return f"as {result.same_as}" if result.same_as else "done"


def _show_correlations(item: Correlated, console: Console) -> None:
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
    show_grid((title, "ρ", "95 % interval", "Points", "Leaving each size out"), rows, console)


def _range(without: Mapping[str, float | None]) -> str:
    known = [rho for rho in without.values() if rho is not None]
    return f"{_signed(min(known))} to {_signed(max(known))}" if known else "–"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def show_stated(judgement: Judgement, console: Console) -> None:
    """Print the stated numbers, each beside ours where there is one."""
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
        show_grid(("Stated", "Paper", "Ours", "95 % interval", "Verdict", "Where"), rows, console)


def _interval(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"


def _reading(item: StatedResult) -> str:
    """The adjustments for size whose 95 % interval holds a stated correlation, and the others."""
    assert item.stated.ours is not None
    held = [name for name, inside in item.readings.items() if inside]
    others = [name for name, inside in item.readings.items() if not inside]
    parts = (("inside", held), ("outside", others))
    told = "; ".join(f"{word} under {', '.join(names)}" for word, names in parts if names)
    panel = item.stated.ours.panel
    return f"{item.stated.text} against our 95 % intervals in panel {panel}: {told}"
