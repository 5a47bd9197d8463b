"""Images of several points, a row each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from harness.judge.model import Picture
from harness.render.graph import Graph, Strip
from harness.render.style import style
from harness.render.text import plain

_SIDE = 0.75
"""Of an image, in inches."""
_LABEL = 1.7
"""Width of the labels of rows, in inches."""
_LABEL_CHARACTERS = 24
_NOTE_CHARACTERS = 56


def rows(graph: Graph) -> Iterator[tuple[str, ...]]:
    """Which pictures are shown, by the SHA-256 of their pixels, and why none are."""
    yield ("panel", "title", "row", "profile", "picture", "height", "width", "sha256", "note")
    for wall in graph.walls:
        for strip in wall.strips:
            first = (wall.panel, wall.title, strip.label, graph.profile)
            if not strip.pictures:
                yield (*first, "", "", "", "", strip.note)
            for number, picture in enumerate(strip.pictures):
                known = hashlib.sha256(picture.pixels).hexdigest()
                size = (str(picture.height), str(picture.width))
                yield (*first, str(number), *size, known, "")


@style()
def draw(graph: Graph) -> Figure:
    """All walls of an exhibit, one under the other."""
    strips = [(wall, strip) for wall in graph.walls for strip in wall.strips]
    across = max((len(strip.pictures) for _, strip in strips), default=1) or 1
    drawn = Figure(figsize=(_LABEL + across * _SIDE, 0.4 + len(strips) * _SIDE))
    FigureCanvasAgg(drawn)
    wide, high = drawn.get_size_inches()
    for row, (wall, strip) in enumerate(strips):
        bottom = (high - 0.35 - (row + 1) * _SIDE) / high
        drawn.text(
            (_LABEL - 0.1) / wide,
            bottom + _SIDE / high / 2,
            fill(plain(strip.label), _LABEL_CHARACTERS),
            ha="right",
            va="center",
            fontsize=8,
        )
        for column in range(across):
            left = (_LABEL + column * _SIDE) / wide
            place = (left, bottom, 0.94 * _SIDE / wide, 0.94 * _SIDE / high)
            if column < len(strip.pictures):
                _picture(drawn.add_axes(place), strip.pictures[column])
        if not strip.pictures:
            _note(drawn, strip, _LABEL / wide, bottom + _SIDE / high / 2)
        if wall.strips[0] is strip:
            title = f"{plain(wall.title)}, profile {plain(graph.profile)}"
            drawn.text(_LABEL / wide, bottom + 1.02 * _SIDE / high, title, fontsize=9, va="bottom")
    return drawn


def _picture(axes: Axes, picture: Picture) -> None:
    axes.imshow(
        picture.array, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto"
    )
    axes.set_axis_off()


def _note(drawn: Figure, strip: Strip, left: float, middle: float) -> None:
    text = fill(plain(strip.note), _NOTE_CHARACTERS)
    drawn.text(left, middle, text, va="center", fontsize=6.5, color="#555555")
