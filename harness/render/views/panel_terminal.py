"""The points, correlations and stated numbers of an exhibit of panels, on a terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console

from harness.judge.exhibit import Judgement
from harness.judge.results import ItemResult, of_row
from harness.judge.stated import Correlated, StatedResult
from harness.render.terminal import show_grid
from harness.render.views.panel_figure import correlation_lines
from harness.render.views.verdicts import gap_lines, kind_lines
from harness.words import counted

_MOST_IDLE = 8
"""Points without results of which each is listed."""
_ACROSS = 4
"""Most columns of a printed panel, beside the point's name."""


def show_points(judgement: Judgement, console: Console) -> None:
    """Print what every point came to, the correlations, and the stated numbers beside ours; where a
    terminal's screen does not hold that, the points of a panel are counted.
    """
    if console.is_terminal:
        with console.capture() as whole:
            _show_all(judgement, console)
        if whole.get().count("\n") > console.height:
            _show_screenful(judgement, console)
            return
    _show_all(judgement, console)


def _show_all(judgement: Judgement, console: Console) -> None:
    _show_title(judgement, console)
    for panel, results in _panels(judgement):
        _show_panel(panel, results, console)
    for item in judgement.correlations:
        _show_correlations(item, console)
    show_stated(judgement, console)
    for line in _remarks(judgement):
        console.print(line, soft_wrap=True)


def _show_screenful(judgement: Judgement, console: Console) -> None:
    _show_title(judgement, console)
    for panel, results in _panels(judgement):
        console.print(f"Panel {panel}: {counted(len(results), 'point')} ({_count_of(results)})")
    for item in judgement.correlations:
        if told := "; ".join(correlation_lines(item)):
            console.print(f"Panel {item.panel}, {item.plot}: {told}")
    _show_stated([item for item in judgement.stated if item.stated.ours], console)
    for line in _remarks(judgement)[:1]:
        console.print(line, no_wrap=True, overflow="ellipsis")
    left = "Every point, stated number and remark: add `| less` to the command"
    console.print(left, no_wrap=True, overflow="ellipsis", style="dim")


def _show_title(judgement: Judgement, console: Console) -> None:
    exhibit = judgement.plan.exhibit
    console.print(f"{exhibit.label}. {exhibit.title}", style="bold")


def _panels(judgement: Judgement) -> Iterator[tuple[str, list[ItemResult]]]:
    for panel in dict.fromkeys(item.address.row for item in judgement.plan.items):
        yield panel, list(of_row(judgement.results, panel))


def _remarks(judgement: Judgement) -> list[str]:
    """Which runs are lacking, what points were made with, how stated numbers are read, and which
    runs are of another kind; what a reader must know comes first.
    """
    readings = (_reading(item) for item in judgement.stated if item.readings)
    points = (result.item for result in judgement.results if result.item.sources)
    reasons = (point.reason for point in points if point.reason)
    lines = (*gap_lines(judgement), *reasons, *readings, *kind_lines(judgement))
    return list(dict.fromkeys(lines))


def _count_of(results: Sequence[ItemResult]) -> str:
    states = Counter(_state(result) for result in results)
    return ", ".join(f"{state}: {n}" for state, n in sorted(states.items()))


def _show_panel(name: str, results: Sequence[ItemResult], console: Console) -> None:
    """A row for each point: quantities, then what is drawn where that is a number.

    A few at a time, so that no number is cut off on a narrow terminal.
    """
    done = [result for result in results if result.complete]
    if not done and len(results) > _MOST_IDLE:
        count = _count_of(results)
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
    _show_stated(judgement.stated, console)


def _show_stated(stated: Sequence[StatedResult], console: Console) -> None:
    rows = [
        (
            item.id,
            f"≈ {item.stated.text}" if item.stated.approximate else str(item.stated.text),
            "–" if item.ours is None else f"{item.ours.mean:.4g}",
            _interval(item.verdict.ours_interval),
            item.verdict.name if item.stated.ours else "–",
            item.stated.where,
        )
        for item in stated
    ]
    if rows:
        show_grid(("Stated", "Paper", "Ours", "95 % interval", "Verdict", "Where"), rows, console)
    held = [item.id for item in stated if item.verdict.decision and _lopsided(item)]
    if held:
        how = "judged by the standard error, as if the interval were symmetric"
        console.print(f"{', '.join(held)}: {how}", soft_wrap=True)


def _lopsided(item: StatedResult) -> bool:
    """Whether the interval of our number reaches farther on one side than on the other."""
    if item.ours is None or item.ours.interval is None:
        return False
    low, high = item.ours.interval
    return not math.isclose(item.ours.mean - low, high - item.ours.mean, rel_tol=1e-6)


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
