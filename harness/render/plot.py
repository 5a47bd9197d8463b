"""A figure of a table: accuracy over columns, the paper's numbers and ours, as PDF, PNG and CSV.

Every row has a colour and a marker; the paper's numbers are hollow on dashed lines, ours filled
on solid lines. So the figure reads in grey and with any colour vision (palette of Okabe and Ito,
2008, without its yellow, which is too pale on white). Sources that are not comparable get axes
of their own, side by side, each saying whose numbers it holds.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.render.figure import FigureData, Series, Source, Tick
from harness.render.style import COLOURS, MARKERS, WIDTH, style
from harness.render.text import plain

if TYPE_CHECKING:
    from matplotlib.typing import LineStyleType

_DASHES: dict[Source, LineStyleType] = {
    "reported": (0, (4, 2)),
    "reproduced": "-",
}
_SPREAD = 0.5
"""Part of the gap between ticks over which a tick's points are set apart, none behind another."""
_HEIGHT = 2.8
_TICK_CHARACTERS = 14
_LEGEND_CHARACTERS = 28


def save(figure: FigureData, directory: Path) -> tuple[Path, Path, Path]:
    """Write `ID.pdf`, `ID.png` and `ID.csv`, the same bytes for the same data; return the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    pdf, png, table = (directory / f"{figure.id}.{kind}" for kind in ("pdf", "png", "csv"))
    about = {"Title": plain(figure.title)}
    drawn = draw(figure)
    with style():
        drawn.savefig(pdf, metadata=about | {"CreationDate": None})
        drawn.savefig(png, metadata=about | {"Software": None})
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows(figure))
    return pdf, png, table


def rows(figure: FigureData) -> Iterator[tuple[str, ...]]:
    """The plotted numbers, unrounded, a header first; an absent number is an empty field."""
    yield ("row", "source", "profile", "group", "column", "value", "error")
    for series in figure.series:
        profile = figure.profile if series.source == "reproduced" else ""
        for tick, value, error in zip(figure.ticks, series.values, series.errors, strict=True):
            numbers = ("" if number is None else repr(number) for number in (value, error))
            yield (series.label, series.source, profile, tick.group or "", tick.label, *numbers)


@style()
def draw(figure: FigureData) -> Figure:
    """One panel if the sources are comparable or only one has numbers, else one for each."""
    present = [source for source in _DASHES if _has_numbers(figure, source)]
    handles = [_handle(at, label) for at, label in enumerate(figure.labels)]
    drawn = Figure(layout="constrained")
    FigureCanvasAgg(drawn)
    if len(present) == 2 and not figure.comparable:
        columns = _legend_columns(handles)
        drawn.set_size_inches(WIDTH, _HEIGHT + 0.17 * (len(handles) / columns - 1))
        for axes, source in zip(drawn.subplots(1, 2), present, strict=True):
            _panel(axes, figure, [source])
        drawn.legend(handles=handles, loc="outside lower center", ncols=columns)
        return drawn
    drawn.set_size_inches(WIDTH, _HEIGHT)
    _panel(drawn.subplots(), figure, present)
    if len(present) == 2:
        handles += [_source_handle(source, _whose(source, figure)) for source in present]
    drawn.legend(handles=handles, loc="outside right upper")
    return drawn


def _has_numbers(figure: FigureData, source: Source) -> bool:
    here = [series for series in figure.series if series.source == source]
    return any(value is not None for series in here for value in series.values)


def _panel(axes: Axes, figure: FigureData, sources: Sequence[Source]) -> None:
    slots = len(figure.labels) * len(sources)
    for series in figure.series:
        if series.source in sources:
            at = figure.labels.index(series.label)
            slot = at * len(sources) + sources.index(series.source)
            _line(axes, figure, series, at, _SPREAD * ((slot + 0.5) / slots - 0.5))
    axes.set_xticks(range(len(figure.ticks)))
    axes.set_xticklabels([_tick_label(tick) for tick in figure.ticks])
    axes.set_xlim(-0.5, len(figure.ticks) - 0.5)
    axes.set_xlabel(plain(figure.x_label))
    axes.set_ylabel(plain(figure.y_label))
    if len(sources) == 1:
        axes.set_title(_whose(sources[0], figure))


def _line(axes: Axes, figure: FigureData, series: Series, at: int, shift: float) -> None:
    """Draw one series, its line broken at missing numbers and where the ticks change group."""
    colour = COLOURS[at % len(COLOURS)]
    for _, run in groupby(range(len(figure.ticks)), key=lambda i: figure.ticks[i].group):
        members = list(run)
        places = [i + shift for i in members]
        values = [_number(series.values[i]) for i in members]
        axes.plot(
            places, values, color=colour, linestyle=_DASHES[series.source], alpha=0.55, zorder=2
        )
        axes.errorbar(
            places,
            values,
            yerr=[_number(series.errors[i]) for i in members],
            color=colour,
            marker=MARKERS[at % len(MARKERS)],
            markerfacecolor="white" if series.source == "reported" else colour,
            linestyle="",
            capsize=2,
            elinewidth=0.9,
            zorder=3,
        )


def _legend_columns(handles: Sequence[Line2D]) -> int:
    """As many columns as the longest label leaves room for."""
    labels = (str(handle.get_label()) for handle in handles)
    longest = max(len(line) for label in labels for line in label.split("\n"))
    return max(1, min(len(handles), int(WIDTH / (0.062 * longest + 0.5))))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _handle(at: int, label: str) -> Line2D:
    """A row in the legend: colour and marker, which both sources share."""
    colour = COLOURS[at % len(COLOURS)]
    marker = MARKERS[at % len(MARKERS)]
    return Line2D(
        [],
        [],
        color=colour,
        marker=marker,
        linestyle="",
        label=fill(plain(label), _LEGEND_CHARACTERS),
    )


def _source_handle(source: Source, label: str) -> Line2D:
    face = "white" if source == "reported" else "#555555"
    return Line2D(
        [],
        [],
        color="#555555",
        marker="o",
        markerfacecolor=face,
        linestyle=_DASHES[source],
        label=label,
    )


def _whose(source: Source, figure: FigureData) -> str:
    return "Reported" if source == "reported" else f"Reproduced (profile {plain(figure.profile)})"


def _tick_label(tick: Tick) -> str:
    parts = (plain(tick.label), plain(tick.group or ""))
    return "\n".join(fill(part, _TICK_CHARACTERS) for part in parts if part)
