"""The figure of an exhibit of panels: axes and image grids, from judged points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.judge.company import NOT_RUN
from harness.judge.exhibit import Judgement
from harness.judge.results import Drawn, ItemResult, of_row
from harness.judge.stated import Correlated
from harness.plan.item import Item
from harness.render.figures.model import (
    AxesData,
    AxisData,
    FigureData,
    ImageGrid,
    ImageRow,
    LineData,
)
from harness.spec.exhibit import Stated
from harness.spec.kinds import Panelled
from harness.spec.paper import Paper
from harness.spec.runs import Panel, Plot, Runs
from harness.words import counted

MOST_APART = 4
"""Axes that one plot may be parted into."""
_ADJUSTED = {"plain": "", "partial": ", given size", "within": ", within sizes"}


def figure_of(paper: Paper, exhibit: Panelled, judgement: Judgement) -> FigureData:
    """The plots and images of an exhibit, as far as its points are complete."""
    axes: list[AxesData] = []
    idle: list[str] = []
    items: list[Item] = []
    for panel in exhibit.panels:
        here = list(of_row(judgement.results, panel.name))
        there = [result for result in here if result.complete]
        if not there:
            idle += [panel.name] if panel.plots else []
            continue
        items.append(there[0].item)
        missing = len(here) - len(there)
        unfinished = (f"{missing} of {counted(len(here), 'point')} not run",) if missing else ()
        distinct = [result for result in there if not result.same_as]
        for plot in panel.plots:
            for part, results in _apart(paper, panel, plot, distinct):
                drawn = _axes(paper, panel, plot, results)
                title = _title(paper, panel, plot, there[0].item, part)
                notes = (*_correlation_notes(exhibit, judgement, panel, plot), *unfinished)
                stated = _stated(exhibit.stated, panel, plot)
                axes.append(replace(drawn, title=title, notes=notes, stated=stated))
    notes = _figure_notes(paper, exhibit, judgement, items, idle)
    grids = tuple(
        grid
        for grid in grids_of(paper, exhibit, judgement)
        if any(not row.note for row in grid.rows)
    )
    title = f"{exhibit.label}: {exhibit.title}"
    return FigureData(exhibit.id, title, judgement.plan.name, tuple(axes), grids, notes)


def _figure_notes(
    paper: Paper,
    exhibit: Panelled,
    judgement: Judgement,
    items: Sequence[Item],
    idle: Sequence[str],
) -> tuple[str, ...]:
    """What the panels were made with and, where some are missing, what the others are."""
    made = dict.fromkeys(filter(None, (made_of(paper, item) for item in items)))
    notes = ["; ".join((f"Profile {judgement.plan.name}", *made)) + "."]
    if idle and items:
        shown = (panel for panel in exhibit.panels if panel.plots and panel.name not in idle)
        notes += [f"Nothing has run for {', '.join(idle)}."]
        notes += [f"{panel.name}: {panel.shows}" for panel in shown]
    return tuple(notes)


def grids_of(paper: Paper, exhibit: Panelled, judgement: Judgement) -> Iterator[ImageGrid]:
    """The images of each panel that shows some, made or not."""
    for panel in exhibit.panels:
        results = list(of_row(judgement.results, panel.name))
        if panel.gallery and panel.runs and results:
            rows = tuple(_image_row(paper, panel.runs, result) for result in results)
            title = str(judgement.plan.chosen(panel.name, panel.gallery.title))
            yield ImageGrid(panel.name, title, rows, made_of(paper, results[0].item))


def made_of(paper: Paper, item: Item) -> str:
    """The data and the networks of an item, and which of the paper's they stand for."""
    kinds = paper.about.variables
    pairs = {
        (paper.label(name, used), paper.label(name, item.stated[name]))
        for name, used in item.run.items()
        if kinds.get(name) in ("dataset", "network") and isinstance(used, str)
    }
    return ", ".join(
        used if used == stated else f"{used} in place of {stated}" for used, stated in sorted(pairs)
    )


def _apart(
    paper: Paper, panel: Panel, plot: Plot, results: Sequence[ItemResult]
) -> Sequence[tuple[str, Sequence[ItemResult]]]:
    """The points of a plot by the axes that they share: where each is drawn as several lines that
    would overlie those of others, each has its own.
    """
    labels = [_label(paper, panel, plot, result) for result in results]
    if len(plot.series) > 2 and 1 < len(set(labels)) == len(results) <= MOST_APART:
        return [(label, [result]) for label, result in zip(labels, results, strict=True)]
    return [("", results)]


def _title(paper: Paper, panel: Panel, plot: Plot, item: Item, part: str) -> str:
    """`(a) Loss by starting epoch, Net-4`: panel, axes, and the network or the part."""
    y, x = (label.partition(" (")[0] for label in (plot.y.label, plot.x.label))
    x = x if x[1:2].isupper() or x[1:2].isdigit() else x[:1].lower() + x[1:]
    letter, _, rest = panel.name.partition("-")
    known = rest in paper.networks or not rest
    head = f"({letter if known else f'{letter}, {rest}'})" if len(letter) == 1 else f"{panel.name}:"
    names = (name for name, kind in paper.about.variables.items() if kind == "network")
    network = next((item.run[n] for n in names if isinstance(item.run.get(n), str)), "")
    over = panel.runs.over if panel.runs else {}
    alike = network and not any(paper.about.variables[n] == "network" for n in over)
    tail = [part, paper.network(network).label if alike else ""]
    return ", ".join([f"{head} {y} by {x}", *filter(None, tail)])


def _correlation_notes(
    exhibit: Panelled, judgement: Judgement, panel: Panel, plot: Plot
) -> Iterator[str]:
    """Our coefficients, and what the paper states of them."""
    for item in judgement.correlations:
        if (item.panel, item.plot) == (panel.name, plot.name):
            yield from correlation_lines(item)
    for stated in exhibit.stated.values() if plot.correlation else ():
        if stated.ours and stated.ours.panel == panel.name and stated.ours.correlation:
            yield f"the paper: ρ {'≈' if stated.approximate else '='} {stated.text}"


def _image_row(paper: Paper, runs: Runs, result: ItemResult) -> ImageRow:
    """The images of a point, or why there are none."""
    item, note = result.item, ""
    if not result.complete:
        reasons = [item.reason] if not item.sources else dict.fromkeys(result.gaps.values())
        told = "; ".join(why for why in reasons if why != NOT_RUN)
        note = f"not run: {told}" if told else "not run"
    return ImageRow(_point(paper, runs, item), result.pictures, note, item.address.column)


def _point(paper: Paper, runs: Runs, item: Item) -> str:
    """A point by its variables, as they are printed: `Random, IPC 10`."""
    return ", ".join(_named(paper, name, item.run[name]) for name in runs.over)


def _axes(paper: Paper, panel: Panel, plot: Plot, results: Sequence[ItemResult]) -> AxesData:
    # Where there is a single point, colours tell the series apart.
    alone = len(results) == 1 and len(plot.series) > 1
    lines = [
        LineData(
            point=result.item.address.column,
            series="" if alone else series.label,
            label=series.label if alone else _label(paper, panel, plot, result),
            changed=_changed(paper, panel, plot, result),
            style=series.style,
            x=_many(result.lines[plot.name, index][0]),
            y=_many(result.lines[plot.name, index][1]),
            errors=_many(result.spreads.get((plot.name, index), ())),
        )
        for result in results
        for index, series in enumerate(plot.series)
    ]
    ordered = bool(plot.colour) and paper.about.variables[plot.colour] == "value"
    if ordered:
        order = [
            _label(paper, panel, plot, r) for r in sorted(results, key=lambda r: _value(plot, r))
        ]
        lines.sort(key=lambda line: order.index(line.label))
    return AxesData(
        panel=panel.name,
        plot=plot.name,
        x=AxisData(plot.x.label, plot.x.log),
        y=AxisData(plot.y.label, plot.y.log),
        ordered=ordered,
        lines=tuple(lines),
    )


def _stated(stated: Mapping[str, Stated], panel: Panel, plot: Plot) -> tuple[float, ...]:
    """The numbers that the paper states of the quantity on the vertical axis, each once."""
    upwards = {(series.y.of, series.y.value) for series in plot.series}
    names = {value.name for value in panel.values if (value.of, value.value) in upwards}
    found = [
        float(item.text.number)
        for item in stated.values()
        if item.ours and item.ours.panel == panel.name and item.ours.value in names
    ]
    return tuple(dict.fromkeys(found))


def _label(paper: Paper, panel: Panel, plot: Plot, result: ItemResult) -> str:
    """The label that a colour stands for."""
    if plot.colour:
        return _named(paper, plot.colour, result.item.run[plot.colour])
    told = _point(paper, panel.runs, result.item) if panel.runs else ""
    return told or result.item.address.column


def _named(paper: Paper, variable: str, value: Any) -> str:
    """The label of a method or another spec, or a value with its variable."""
    label = paper.label(variable, value)
    return (
        f"{paper.word(variable)} {label}" if paper.about.variables[variable] == "value" else label
    )


def _value(plot: Plot, result: ItemResult) -> float:
    value = result.item.run[plot.colour]
    return float("inf") if isinstance(value, str) else float(value)


def _changed(paper: Paper, panel: Panel, plot: Plot, result: ItemResult) -> str:
    """The variables that make other points of the same images and have not their first value."""
    names = plot.correlation.same if plot.correlation else ()
    over = panel.runs.over if panel.runs else {}
    firsts = {name: values[0] for name in names if isinstance(values := over[name], tuple)}
    stated = result.item.stated
    return ", ".join(
        f"{paper.word(name)} {stated[name]}" for name in firsts if stated[name] != firsts[name]
    )


def _many(drawn: Drawn) -> tuple[float, ...]:
    return drawn if isinstance(drawn, tuple) else (drawn,)


def correlation_lines(item: Correlated) -> Iterator[str]:
    """Each coefficient with its interval, one line each, and how many points they are of."""
    for held in item.coefficients:
        if held.rho is None:
            continue
        interval = f" [{held.low:+.2f}, {held.high:+.2f}]" if held.low is not None else ""
        yield f"ρ{_ADJUSTED[held.adjustment]} = {held.rho:+.2f}{interval}, n = {held.n}"
