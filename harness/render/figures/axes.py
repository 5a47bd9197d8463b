"""Drawing one pair of axes and its legend.

Labels differ by colour and by marker or dash. Labels that are numbers have shades of one scale,
whose lightness rises with them. The paper's numbers are hollow on dashed lines, ours filled on
solid lines. So every plot reads in grey and with any colour vision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.judge.model import Source
from harness.render.figures.model import AxesData, AxisData, LineData, Tick
from harness.render.figures.style import COLOURS, MARKERS
from harness.render.markup import named
from harness.render.text import plain

if TYPE_CHECKING:
    from matplotlib.typing import LineStyleType

_SPREAD = 0.5
"""Part of the gap between ticks over which a tick's points are set apart, none behind another."""
_TICK_CHARACTERS = 14
_LEGEND_CHARACTERS = 28
_TITLE_CHARACTERS = 40
_NAME_CHARACTERS = 16
_NAME_GAP = 0.085
"""Part of the height of the axes that a line of text takes."""
_BELOW = -32
"""Where notes begin, in points below the axes: under the ticks and their label."""
_LEAST_FILLED = 0.25
_CROWD = 20
"""Markers of one line above which they are small."""
_SOURCES: Mapping[Source, LineStyleType] = {"reported": (0, (4, 2)), "reproduced": "-"}
_DASHES: tuple[LineStyleType, ...] = ("-", (0, (5, 1)), (0, (1, 1)), (0, (4, 1, 1, 1)))
_FITTED: LineStyleType = (0, (2, 1))
_STATED: LineStyleType = (0, (1, 2))
_GREY = "#555555"


def draw_axes(axes: Axes, data: AxesData, profile: str) -> None:
    """Lines, axes and titles; the legend is left to the figure."""
    if data.x.ticks:
        _draw_categories(axes, data)
        if len(data.sources) == 1:
            axes.set_title(_whose(data.sources[0], profile))
    else:
        _draw_numbers(axes, data)
        title = data.title or f"{data.panel}: {data.plot}"
        axes.set_title(fill(named(title), _TITLE_CHARACTERS), loc="left")
    for number in data.stated:
        axes.axhline(number, color="black", linestyle=_STATED, linewidth=0.8, zorder=1)
    axes.set_xlabel(named(data.x.label))
    axes.set_ylabel(named(data.y.label))
    if data.notes:
        axes.annotate(
            "\n".join(map(plain, data.notes)),
            (0, 0),
            (0, _BELOW),
            xycoords="axes fraction",
            textcoords="offset points",
            va="top",
            fontsize=7,
            color=_GREY,
        )


def name_lines(axes: Axes, data: AxesData) -> None:
    """Write the name of each line at its end, none over another; limits must be final."""
    colours, to_part = _colours(data), axes.transAxes.inverted()
    ends = []
    for line in data.lines:
        known = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y is not None]
        x, y = max(known, default=(line.x[-1], axes.get_ylim()[0]))
        ends.append((to_part.transform(axes.transData.transform((x, y)))[1], line.label))
    at = 0.0
    for height, label in sorted(ends):
        at = max(at, height)
        name = fill(named(label), _NAME_CHARACTERS)
        axes.text(
            1.02,
            at,
            name,
            color=colours[label],
            transform=axes.transAxes,
            va="center",
            fontsize=7.5,
        )
        at += _NAME_GAP * (name.count("\n") + 1)


def share_limits(drawn: Sequence[tuple[Axes, AxesData]]) -> None:
    """The same limits for axes of the same quantity, first in a panel, then in all panels, unless
    one of them would fill little of these.
    """
    for which in ("x", "y"):
        for panels in (True, False):
            alike: dict[tuple[AxisData, str], list[Axes]] = {}
            for axes, data in drawn:
                key = getattr(data, which), data.panel if panels else ""
                alike.setdefault(key, []).append(axes)
            for (described, _), several in alike.items():
                _share(which, described.log, several)


def _share(which: str, log: bool, several: Sequence[Axes]) -> None:
    """Give axes the limits that hold all of theirs, if none would be lost in them."""
    scale = math.log10 if log else float
    limits = [sorted(getattr(axes, f"get_{which}lim")()) for axes in several]
    low, high = min(first for first, _ in limits), max(last for _, last in limits)
    least = min(scale(last) - scale(first) for first, last in limits)
    if least >= _LEAST_FILLED * (scale(high) - scale(low)):
        for axes in several:
            getattr(axes, f"set_{which}lim")(low, high)


def legend(data: AxesData, profile: str) -> list[Artist]:
    """Labels that have a number, by colour and marker, then whatever else tells lines apart."""
    drawn = {line.label for line in data.lines if any(y is not None for y in line.y)}
    handles: list[Artist] = [
        Line2D([], [], color=colour, marker=_marker(data, label), linestyle="", label=_entry(label))
        for label, colour in _colours(data).items()
        if label in drawn and not data.is_direct
    ]
    if len(data.sources) == 2:
        handles += [_grey(_whose(s, profile), _SOURCES[s], "o", _face(s)) for s in data.sources]
    return handles if data.x.ticks else [*handles, *_further(data)]


def _further(data: AxesData) -> Iterator[Artist]:
    """The entries of the legend that hold for the lines of all labels."""
    for changed in dict.fromkeys(line.changed for line in data.lines if line.changed):
        yield _grey(changed, "", "o", "white")
    dashes: Mapping[str, LineStyleType] = {"dashed": _FITTED, "markers": "", "solid": "-"}
    for name, style in {line.series: line.style for line in data.lines if line.series}.items():
        yield _grey(name, dashes[style], "o" if style == "markers" else "")
    if any(line.errors for line in data.lines):
        yield Patch(color=_GREY, alpha=0.2, linewidth=0, label="± std over seeds")
    for number in data.stated:
        yield Line2D([], [], color="black", linestyle=_STATED, label=f"stated: {number:g}")


def _draw_categories(axes: Axes, data: AxesData) -> None:
    """Lines over the ticks, set apart from each other at every tick."""
    ticks, sources, colours = data.x.ticks, data.sources, _colours(data)
    slots = len(data.labels) * len(sources)
    for line in data.lines:
        if line.source in sources:
            slot = data.labels.index(line.label) * len(sources) + sources.index(line.source)
            shift = _SPREAD * ((slot + 0.5) / slots - 0.5)
            _draw_over_ticks(axes, data, line, shift, colours[line.label])
    axes.set_xticks(range(len(ticks)))
    axes.set_xticklabels([_tick_label(tick) for tick in ticks])
    axes.set_xlim(-0.5, len(ticks) - 0.5)


def _draw_over_ticks(axes: Axes, data: AxesData, line: LineData, shift: float, colour: str) -> None:
    """One line, broken at missing numbers and where the ticks change group."""
    marker, face = _marker(data, line.label), _face(line.source, colour)
    for _, run in groupby(range(len(line.x)), key=lambda at: data.x.ticks[at].group):
        members = list(run)
        x = [line.x[at] + shift for at in members]
        y = [_number(line.y[at]) for at in members]
        errors = [_number(line.errors[at]) for at in members]
        dashes = _SOURCES[line.source]
        axes.plot(x, y, color=colour, linestyle=dashes, alpha=0.55, zorder=2)
        axes.errorbar(
            x,
            y,
            yerr=errors,
            color=colour,
            marker=marker,
            markerfacecolor=face,
            linestyle="",
            capsize=2,
            elinewidth=0.9,
            zorder=3,
        )


def _draw_numbers(axes: Axes, data: AxesData) -> None:
    """Markers and lines over a numeric axis."""
    colours = _colours(data)
    for line in data.lines:
        draw = _draw_markers if len(line.x) == 1 or line.style == "markers" else _draw_course
        draw(axes, data, line, colours[line.label])
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
    axes.grid(visible=True, axis="both")


def _draw_markers(axes: Axes, data: AxesData, line: LineData, colour: str) -> None:
    """Markers, with bars of one standard deviation to both sides."""
    y = list(map(_number, line.y))
    if line.errors:
        errors = list(map(_number, line.errors))
        axes.errorbar(line.x, y, errors, color=colour, linestyle="", capsize=2)
    # A larger ring, so that a point that the change does not move is seen inside.
    face, size = ("none", 8.0) if line.changed else (colour, 4.5)
    axes.plot(
        line.x,
        y,
        color=colour,
        marker=_marker(data, line.label),
        markerfacecolor=face,
        markersize=size if len(line.x) <= _CROWD else 2.5,
        linestyle="",
    )


def _draw_course(axes: Axes, data: AxesData, line: LineData, colour: str) -> None:
    """A line, with a band of one standard deviation to both sides."""
    y = list(map(_number, line.y))
    if line.errors:
        errors = list(map(_number, line.errors))
        low = [value - error for value, error in zip(y, errors, strict=True)]
        high = [value + error for value, error in zip(y, errors, strict=True)]
        axes.fill_between(line.x, low, high, color=colour, alpha=0.2, linewidth=0)
    bare = any(other.style == "markers" for other in data.lines)
    sparse = max(1, len(line.x) // 8)
    solid = list(dict.fromkeys(other.label for other in data.lines if other.is_solid))
    at = solid.index(line.label) if line.is_solid else 0
    dashes, face, first = _DASHES[at % len(_DASHES)], colour, 0
    if line.style == "dashed":
        # Hollow, and between those of a solid line: dashes alone would be the same in grey.
        dashes, face, first = _FITTED, "white", sparse // 2
    axes.plot(
        line.x,
        y,
        color=colour,
        linestyle=dashes,
        marker="" if bare else _marker(data, line.label),  # markers are what was measured there
        markerfacecolor=face,
        markevery=(first, sparse),
    )


def _colours(data: AxesData) -> Mapping[str, str]:
    """Label -> colour."""
    labels = data.labels
    if not data.ordered:
        return {label: COLOURS[at % len(COLOURS)] for at, label in enumerate(labels)}
    shades = matplotlib.colormaps["cividis"]
    last = max(1, len(labels) - 1)
    return {label: to_hex(shades(0.9 * at / last)) for at, label in enumerate(labels)}


def _marker(data: AxesData, label: str) -> str:
    return MARKERS[data.labels.index(label) % len(MARKERS)]


def _face(source: Source, colour: str = _GREY) -> str:
    return "white" if source == "reported" else colour


def _whose(source: Source, profile: str) -> str:
    return "Reported" if source == "reported" else f"Reproduced (profile {plain(profile)})"


def _grey(label: str, dash: LineStyleType, marker: str, face: str = _GREY) -> Line2D:
    """An entry of the legend that holds for all labels."""
    return Line2D(
        [],
        [],
        color=_GREY,
        linestyle=dash,
        marker=marker,
        markerfacecolor=face,
        label=plain(label),
    )


def _entry(text: str) -> str:
    return fill(named(text), _LEGEND_CHARACTERS)


def _tick_label(tick: Tick) -> str:
    parts = (named(tick.label), named(tick.group))
    return "\n".join(fill(part, _TICK_CHARACTERS) for part in parts if part)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
