"""Drawing grids of images: a row of them for each point."""

from __future__ import annotations

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from harness.judge.model import Picture
from harness.render.figures.model import FigureData
from harness.render.markup import named
from harness.render.text import plain

_SIDE = 0.75
"""Width and height of an image, in inches."""
_LABEL = 1.7
"""Width of the labels of rows, in inches."""
_LABEL_CHARACTERS = 24
_NOTE_CHARACTERS = 56
_CHARACTERS = 17
"""Characters of a note in an inch."""
_LINE = 0.13
"""Height of a line of it, in inches."""


def draw_images(figure: FigureData) -> Figure:
    """All grids of an exhibit, one under the other."""
    rows = [(grid, row) for grid in figure.grids for row in grid.rows]
    across = max((len(row.images) for _, row in rows), default=1) or 1
    wide = _LABEL + across * _SIDE
    notes = [fill(plain(note), int(wide * _CHARACTERS)) for note in figure.notes]
    below = _LINE * sum(note.count("\n") + 1 for note in notes)
    drawn = Figure(figsize=(wide, 0.4 + len(rows) * _SIDE + below))
    FigureCanvasAgg(drawn)
    wide, high = drawn.get_size_inches()
    left, side = _LABEL / wide, _SIDE / high
    for number, (grid, row) in enumerate(rows):
        bottom = (high - 0.35 - (number + 1) * _SIDE) / high
        middle = bottom + side / 2
        label = fill(named(row.label), _LABEL_CHARACTERS)
        drawn.text((_LABEL - 0.1) / wide, middle, label, ha="right", va="center", fontsize=8)
        for column, image in enumerate(row.images):
            at = (_LABEL + column * _SIDE) / wide
            _image(drawn.add_axes((at, bottom, 0.94 * _SIDE / wide, 0.94 * side)), image)
        if not row.images:
            note = fill(plain(row.note), _NOTE_CHARACTERS)
            drawn.text(left, middle, note, va="center", fontsize=6.5, color="#555555")
        if grid.rows[0] is row:
            title = f"{plain(grid.title)}, profile {plain(figure.profile)}"
            drawn.text(left, bottom + 1.02 * side, title, fontsize=9, va="bottom")
    drawn.text(0.02, 0.05 / high, "\n".join(notes), va="bottom", fontsize=6.5, color="#555555")
    return drawn


def _image(axes: Axes, image: Picture) -> None:
    axes.imshow(image.array, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
