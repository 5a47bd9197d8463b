"""A figure of points as SVG, PDF, PNG and CSV.

Groups differ by colour and by marker or dash, numbers by shades of one scale whose lightness rises
with them, so that a plot reads in grey.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.render import plot_pictures
from harness.render.graph import Graph, PlotAxes, Trace
from harness.render.style import COLOURS, MARKERS, WIDTH, style
from harness.render.text import plain

if TYPE_CHECKING:
    from matplotlib.typing import ColorType, LineStyleType

KINDS = ("svg", "pdf", "png", "csv")
_HEIGHT = 2.9
"""Of a row of plots, in inches."""
_ACROSS = 2
_LEGEND_CHARACTERS = 24
_CROWD = 20
"""Markers of one trace above which they are small."""
_DASHES: tuple[LineStyleType, ...] = ("-", (0, (5, 1)), (0, (1, 1)), (0, (4, 1, 1, 1)))
_FITTED: LineStyleType = (0, (2, 1))
_STATED: LineStyleType = (0, (1, 2))
_GREY = "#555555"
_WITHOUT_TIME = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}
"""What would differ between two files of the same data."""


def save(graph: Graph, directory: Path) -> list[Path]:
    """Write `ID.svg`, `ID.pdf`, `ID.png`, `ID.csv`, the same bytes for the same data."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {kind: directory / f"{graph.id}.{kind}" for kind in KINDS}
    drawn = plot_pictures.draw(graph) if graph.walls else draw(graph)
    listed = plot_pictures.rows(graph) if graph.walls else rows(graph)
    with style(), matplotlib.rc_context({"svg.hashsalt": graph.id}):
        for kind, without in _WITHOUT_TIME.items():
            drawn.savefig(files[kind], metadata={"Title": plain(graph.title), **without})
    with files["csv"].open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(listed)
    return list(files.values())


def rows(graph: Graph) -> Iterator[tuple[str, ...]]:
    """The plotted numbers, unrounded, a header first."""
    yield ("panel", "plot", "point", "series", "group", "profile", "x", "y", "std")
    for axes in graph.axes:
        for trace in axes.traces:
            names = (axes.panel, axes.plot, trace.point, trace.series, trace.group)
            spread = map(repr, trace.spread) if trace.spread else [""] * len(trace.y)
            for x, y, std in zip(trace.x, trace.y, spread, strict=True):
                yield (*names, graph.profile, repr(x), repr(y), std)
        for number in axes.stated:
            yield (axes.panel, axes.plot, "", "stated by the paper", "", "", "", repr(number), "")


@style()
def draw(graph: Graph) -> Figure:
    """All plots of an exhibit, two in a row; a single one is as wide."""
    across = min(_ACROSS, len(graph.axes))
    down = -(-len(graph.axes) // across)
    drawn = Figure(figsize=(WIDTH, _HEIGHT * down), layout="constrained")
    FigureCanvasAgg(drawn)
    places = drawn.subplots(down, across, squeeze=False).flat
    for axes, data in zip(places, graph.axes, strict=False):
        _plot(axes, data, graph.profile)
    for unused in list(drawn.axes)[len(graph.axes) :]:
        unused.remove()
    return drawn


def _plot(axes: Axes, data: PlotAxes, profile: str) -> None:
    colours = _colours(data)
    for trace in data.traces:
        _spread(axes, trace, colours[trace.group])
        _trace(axes, trace, colours[trace.group], data.groups.index(trace.group))
    for number in data.stated:
        axes.axhline(number, color="black", linestyle=_STATED, linewidth=0.8, zorder=1)
    for described, scale, axis in (
        (data.x, axes.set_xscale, axes.xaxis),
        (data.y, axes.set_yscale, axes.yaxis),
    ):
        if described.log:
            scale("log")
            low, high = axis.get_view_interval()
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(plain(data.x.label))
    axes.set_ylabel(plain(data.y.label))
    axes.grid(visible=True, axis="both")
    title = f"{plain(data.panel)}: {plain(data.plot)}, profile {plain(profile)}"
    axes.set_title("\n".join((title, *data.notes)), loc="left", fontsize=7.5)
    handles = list(_handles(data, colours))
    if len(handles) > 1:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=7)


def _colours(data: PlotAxes) -> Mapping[str, ColorType]:
    """Group -> colour."""
    groups = data.groups
    if not data.ordered:
        return {group: COLOURS[at % len(COLOURS)] for at, group in enumerate(groups)}
    shades = matplotlib.colormaps["cividis"]
    return {g: to_hex(shades(0.9 * at / max(1, len(groups) - 1))) for at, g in enumerate(groups)}


def _spread(axes: Axes, trace: Trace, colour: ColorType) -> None:
    """One standard deviation over seeds to both sides: a band of a line, bars of markers."""
    if not trace.spread:
        return
    if len(trace.x) == 1 or trace.style == "markers":
        axes.errorbar(trace.x, trace.y, trace.spread, color=colour, linestyle="", capsize=2)
        return
    low = [y - std for y, std in zip(trace.y, trace.spread, strict=True)]
    high = [y + std for y, std in zip(trace.y, trace.spread, strict=True)]
    axes.fill_between(trace.x, low, high, color=colour, alpha=0.2, linewidth=0)


def _trace(axes: Axes, trace: Trace, colour: ColorType, at: int) -> None:
    marker = MARKERS[at % len(MARKERS)]
    if len(trace.x) == 1 or trace.style == "markers":
        # A larger ring, so that a point that the change does not move is seen inside.
        face, size = ("none", 8.0) if trace.hollow else (colour, 4.5)
        size = size if len(trace.x) <= _CROWD else 2.5
        axes.plot(
            trace.x,
            trace.y,
            color=colour,
            marker=marker,
            markerfacecolor=face,
            markersize=size,
            linestyle="",
        )
        return
    sparse = max(1, len(trace.x) // 8)
    if trace.style == "dashed":
        # Hollow, and between those of a solid line: dashes alone would be the same in grey.
        dashes, face, first = _FITTED, "white", sparse // 2
    else:
        dashes, face, first = _DASHES[at % len(_DASHES)], colour, 0
    axes.plot(
        trace.x,
        trace.y,
        color=colour,
        linestyle=dashes,
        marker=marker,
        markerfacecolor=face,
        markevery=(first, sparse),
    )


def _handles(data: PlotAxes, colours: Mapping[str, ColorType]) -> Iterator[Artist]:
    """The legend: groups by colour and marker, then what all else is."""
    for at, group in enumerate(data.groups):
        label = fill(plain(group), _LEGEND_CHARACTERS)
        marker = MARKERS[at % len(MARKERS)]
        yield Line2D([], [], color=colours[group], marker=marker, linestyle="", label=label)
    for changed in dict.fromkeys(trace.hollow for trace in data.traces if trace.hollow):
        yield _grey(changed, "", "o", "white")
    dashes: Mapping[str, LineStyleType] = {"dashed": _FITTED, "markers": "", "solid": "-"}
    for name, kind in {t.series: t.style for t in data.traces if t.series}.items():
        yield _grey(name, dashes[kind], "o" if kind == "markers" else "")
    if any(trace.spread for trace in data.traces):
        yield Patch(color=_GREY, alpha=0.2, linewidth=0, label="± std over seeds")
    for number in data.stated:
        yield Line2D([], [], color="black", linestyle=_STATED, label=f"stated: {number:g}")


def _grey(label: str, dash: LineStyleType, marker: str, face: str = _GREY) -> Line2D:
    """A part of the legend that holds for all groups."""
    return Line2D(
        [],
        [],
        color=_GREY,
        linestyle=dash,
        marker=marker,
        markerfacecolor=face,
        label=plain(label),
    )
