"""The figure of an exhibit of panels: axes and image grids, from judged points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.judge.correlated import Correlated
from harness.judge.exhibit import Judgement
from harness.judge.results import Drawn, ItemResult, of_row
from harness.render.figures.model import (
    AxesData,
    AxisData,
    FigureData,
    ImageGrid,
    ImageRow,
    LineData,
)
from harness.spec.exhibit import Stated
from harness.spec.others import Panelled
from harness.spec.paper import Paper
from harness.spec.runs import Panel, Plot, Runs

_ADJUSTED = {"plain": "", "partial": ", given size", "within": ", within sizes"}


def figure_of(paper: Paper, exhibit: Panelled, judgement: Judgement) -> FigureData:
    """The plots and images of an exhibit, as far as its points are complete."""
    axes: list[AxesData] = []
    grids: list[ImageGrid] = []
    for panel in exhibit.panels:
        here = list(of_row(judgement.results, panel.name))
        there = [result for result in here if result.complete]
        if not there:
            continue
        missing = len(here) - len(there)
        unfinished = (f"{missing} of {len(here)} points not run",) if missing else ()
        distinct = [result for result in there if not result.same_as]
        for plot in panel.plots:
            notes = (*_correlation_notes(judgement, panel, plot), *unfinished)
            stated = _stated(exhibit.stated, panel, plot)
            axes.append(_axes(paper, panel, plot, distinct, notes, stated))
        if panel.gallery and panel.runs:
            rows = tuple(_image_row(paper, panel.runs, result) for result in here)
            title = str(judgement.plan.chosen(panel.name, panel.gallery.title))
            grids.append(ImageGrid(panel.name, title, rows))
    title, profile = f"{exhibit.label}: {exhibit.title}", judgement.plan.name
    return FigureData(exhibit.id, title, profile, tuple(axes), tuple(grids))


def _correlation_notes(judgement: Judgement, panel: Panel, plot: Plot) -> Iterator[str]:
    for item in judgement.correlations:
        if (item.panel, item.plot) == (panel.name, plot.name):
            yield from correlation_lines(item)


def _image_row(paper: Paper, runs: Runs, result: ItemResult) -> ImageRow:
    """The images of a point, or why there are none."""
    label = ", ".join(_named(paper, name, result.item.run[name]) for name in runs.over)
    note = ""
    if not result.complete:
        note = "not run" if result.item.sources else f"not run: {result.item.reason}"
    return ImageRow(label, result.pictures, note)


def _axes(
    paper: Paper,
    panel: Panel,
    plot: Plot,
    results: Sequence[ItemResult],
    notes: tuple[str, ...],
    stated: tuple[float, ...],
) -> AxesData:
    # Where there is a single point, colours tell the series apart.
    alone = len(results) == 1 and len(plot.series) > 1
    lines = [
        LineData(
            point=result.item.address.column,
            series="" if alone else series.label,
            label=series.label if alone else _label(paper, plot, result),
            changed=_changed(panel, plot, result),
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
        order = [_label(paper, plot, r) for r in sorted(results, key=lambda r: _value(plot, r))]
        lines.sort(key=lambda line: order.index(line.label))
    return AxesData(
        panel=panel.name,
        plot=plot.name,
        x=AxisData(plot.x.label, plot.x.log),
        y=AxisData(plot.y.label, plot.y.log),
        ordered=ordered,
        lines=tuple(lines),
        notes=notes,
        stated=stated,
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


def _label(paper: Paper, plot: Plot, result: ItemResult) -> str:
    """The label that a colour stands for."""
    if not plot.colour:
        return result.item.address.column
    return _named(paper, plot.colour, result.item.run[plot.colour])


def _named(paper: Paper, variable: str, value: Any) -> str:
    """The label of a method or another spec, or a value with its variable."""
    label = paper.label(variable, value)
    return f"{variable} {label}" if paper.about.variables[variable] == "value" else label


def _value(plot: Plot, result: ItemResult) -> float:
    value = result.item.run[plot.colour]
    return float("inf") if isinstance(value, str) else float(value)


def _changed(panel: Panel, plot: Plot, result: ItemResult) -> str:
    """The variables that make other points of the same images and have not their first value."""
    names = plot.correlation.same if plot.correlation else ()
    over = panel.runs.over if panel.runs else {}
    firsts = {name: values[0] for name in names if isinstance(values := over[name], tuple)}
    stated = result.item.stated
    return ", ".join(f"{name} {stated[name]}" for name in firsts if stated[name] != firsts[name])


def _many(drawn: Drawn) -> tuple[float, ...]:
    return drawn if isinstance(drawn, tuple) else (drawn,)


def correlation_lines(item: Correlated) -> Iterator[str]:
    """Each coefficient with its interval, one line each, and how many points they are of."""
    for held in item.coefficients:
        if held.rho is None:
            continue
        interval = f" [{held.low:+.2f}, {held.high:+.2f}]" if held.low is not None else ""
        yield f"ρ{_ADJUSTED[held.adjustment]} = {held.rho:+.2f}{interval}, n = {held.n}"
