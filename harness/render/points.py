"""From judged points to the model of their plots, and to captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.judge.correlated import Correlated
from harness.judge.points import Drawn, PointResult
from harness.plan.points import PointsPlan
from harness.render.figures.model import (
    AxesData,
    AxisData,
    FigureData,
    ImageGrid,
    ImageRow,
    LineData,
)
from harness.spec.cell import parse_printed
from harness.spec.exhibit import Stated
from harness.spec.paper import Paper
from harness.spec.runs import Panel, Plot, Runs

_ADJUSTED = {"plain": "", "partial": ", given size", "within": ", within sizes"}


def figure_of(
    paper: Paper,
    plan: PointsPlan,
    results: Sequence[PointResult],
    correlated: Sequence[Correlated],
) -> FigureData:
    """The plots of an exhibit, as far as its points are complete."""
    exhibit = plan.exhibit
    judged = {(item.panel, item.plot): item for item in correlated}
    axes = []
    for panel in exhibit.panels:
        here = [r for r in results if r.point.address.row == panel.name]
        there = [result for result in here if result.complete]
        distinct = [result for result in there if not result.same_as]
        for plot in panel.plots if distinct else ():
            found = judged.get((panel.name, plot.name))
            notes = tuple(correlation_lines(found)) if found else ()
            if len(there) < len(here):
                notes += (f"{len(here) - len(there)} of {len(here)} points not run",)
            drawn = _axes(paper, panel, plot, distinct, notes)
            axes.append(replace(drawn, stated=_stated(exhibit.stated, panel, plot)))
    grids = tuple(_image_grids(paper, plan, results))
    title = f"{exhibit.label}: {exhibit.title}"
    return FigureData(exhibit.id, title, plan.profile.id, tuple(axes), grids)


def _image_grids(
    paper: Paper, plan: PointsPlan, results: Sequence[PointResult]
) -> Iterator[ImageGrid]:
    """The images of every panel that has any; points without say why."""
    for panel in plan.exhibit.panels:
        here = [result for result in results if result.point.address.row == panel.name]
        if panel.gallery is None or panel.runs is None or not any(r.complete for r in here):
            continue
        rows = [
            ImageRow(_row(paper, panel.runs, result), result.pictures, _why_none(result))
            for result in here
        ]
        title = str(plan.chosen(panel.name, panel.gallery.title))
        yield ImageGrid(panel.name, title, tuple(rows))


def _row(paper: Paper, runs: Runs, result: PointResult) -> str:
    """What tells a point apart, as labels."""
    return ", ".join(_said(paper, name, result.point.run[name]) for name in runs.over)


def _why_none(result: PointResult) -> str:
    if result.complete:
        return ""
    return "not run" if result.point.measured else f"not run: {result.point.reason}"


def _axes(
    paper: Paper,
    panel: Panel,
    plot: Plot,
    results: Sequence[PointResult],
    notes: tuple[str, ...],
) -> AxesData:
    # Of a single point, colours tell the series apart.
    alone = len(results) == 1 and len(plot.series) > 1
    lines = [
        LineData(
            point=result.point.address.column,
            series="" if alone else series.label,
            label=series.label if alone else _group(paper, plot, result),
            changed=_changed(panel, plot, result),
            style=series.style,
            x=_many(result.drawn[plot.name, index][0]),
            y=_many(result.drawn[plot.name, index][1]),
            errors=_many(result.spread.get((plot.name, index), ())),
        )
        for result in results
        for index, series in enumerate(plot.series)
    ]
    ordered = bool(plot.colour) and paper.about.variables[plot.colour] == "value"
    if ordered:
        order = [_group(paper, plot, r) for r in sorted(results, key=lambda r: _value(plot, r))]
        lines.sort(key=lambda line: order.index(line.label))
    return AxesData(
        panel=panel.name,
        plot=plot.name,
        x=AxisData(plot.x.label, plot.x.log),
        y=AxisData(plot.y.label, plot.y.log),
        ordered=ordered,
        lines=tuple(lines),
        notes=notes,
    )


def _stated(stated: Mapping[str, Stated], panel: Panel, plot: Plot) -> tuple[float, ...]:
    """What the paper states of the quantity that a plot has upwards, each number once."""
    upwards = {(series.y.of, series.y.value) for series in plot.series}
    names = {value.name for value in panel.values if (value.of, value.value) in upwards}
    found = [
        float(parse_printed(item.text).mean)
        for item in stated.values()
        if item.ours and item.ours.panel == panel.name and item.ours.value in names
    ]
    return tuple(dict.fromkeys(found))


def _group(paper: Paper, plot: Plot, result: PointResult) -> str:
    """What a colour stands for: a value as it was run, or the label of what is named."""
    if not plot.colour:
        return result.point.address.column
    return _said(paper, plot.colour, result.point.run[plot.colour])


def _said(paper: Paper, variable: str, value: Any) -> str:
    """The label of what is named, or a value with its variable."""
    kind = paper.about.variables[variable]
    named: Mapping[str, Mapping[str, Any]] = {
        "method": paper.methods,
        "recipe": paper.recipes,
        "dataset": paper.datasets,
        "network": paper.networks,
    }
    return f"{variable} {value}" if kind == "value" else str(named[kind][str(value)].label)


def _value(plot: Plot, result: PointResult) -> float:
    value = result.point.run[plot.colour]
    return float("inf") if isinstance(value, str) else float(value)


def _changed(panel: Panel, plot: Plot, result: PointResult) -> str:
    """The variables that make other points of the same images and have not their first value."""
    names = plot.correlation.same if plot.correlation else ()
    over = panel.runs.over if panel.runs else {}
    firsts = {name: values[0] for name in names if isinstance(values := over[name], tuple)}
    stated = result.point.stated
    return ", ".join(f"{name} {stated[name]}" for name in firsts if stated[name] != firsts[name])


def _many(drawn: Drawn) -> tuple[float, ...]:
    return drawn if isinstance(drawn, tuple) else (drawn,)


def correlation_lines(item: Correlated) -> Iterator[str]:
    """Each coefficient with its interval, one line each, and how many points they are of."""
    for held in item.coefficients:
        if held["rho"] is None:
            continue
        interval = f" [{held['low']:+.2f}, {held['high']:+.2f}]" if held["low"] is not None else ""
        yield f"ρ{_ADJUSTED[held['adjustment']]} = {held['rho']:+.2f}{interval}, n = {held['n']}"


def caption(label: str, profile: str, correlated: Sequence[Correlated]) -> str:
    """What is said under the plots in a document."""
    lines = [
        f" Panel {item.panel}: " + "; ".join(correlation_lines(item)) + "."
        for item in correlated
        if item.coefficients
    ]
    intervals = " In brackets, 95 % bootstrap intervals over subsets." if lines else ""
    return f"**{label}, plotted.** Ours, under profile {profile}.{''.join(lines)}{intervals}"
