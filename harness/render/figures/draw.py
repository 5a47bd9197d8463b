"""Drawing a figure, and writing it as SVG, PDF, PNG and CSV."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from harness.judge.model import Picture
from harness.media import say, write_csv
from harness.render.figures.axes import draw_axes, legend, name_lines, share_limits
from harness.render.figures.model import AxesData, AxisData, FigureData
from harness.render.figures.style import WIDTH, style
from harness.render.markup import named
from harness.render.text import plain

_SIDE = 0.75
"""Width and height of an image, in inches."""
_LABEL = 1.7
"""Width of the labels of rows, in inches."""
_LABEL_CHARACTERS = 24
_ROW_NOTE_CHARACTERS = 56
_CHARACTERS = 17
"""Characters of a note in an inch."""
_NOTE_LINE = 0.13
"""Height of a line of it, in inches."""


def draw_images(figure: FigureData) -> Figure:
    """All grids of an exhibit, one under the other."""
    rows = [(grid, row) for grid in figure.grids for row in grid.rows]
    across = max((len(row.images) for _, row in rows), default=1) or 1
    wide = _LABEL + across * _SIDE
    notes = [fill(plain(note), int(wide * _CHARACTERS)) for note in figure.notes]
    below = _NOTE_LINE * sum(note.count("\n") + 1 for note in notes)
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
            note = fill(plain(row.note), _ROW_NOTE_CHARACTERS)
            drawn.text(left, middle, note, va="center", fontsize=6.5, color="#555555")
        if grid.rows[0] is row:
            title = f"{plain(grid.title)}, profile {plain(figure.profile)}"
            drawn.text(left, bottom + 1.02 * side, title, fontsize=9, va="bottom")
    drawn.text(0.02, 0.05 / high, "\n".join(notes), va="bottom", fontsize=6.5, color="#555555")
    return drawn


def _image(axes: Axes, image: Picture) -> None:
    axes.imshow(image.array, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.set_axis_off()


def rows(figure: FigureData) -> Iterator[tuple[str, ...]]:
    """Every number that is drawn; a missing one is an empty field."""
    if figure.grids:
        yield from _image_rows(figure)
    elif any(axes.x.ticks for axes in figure.axes):
        yield ("row", "source", "profile", "group", "column", "value", "error", "note", "printed")
        for axes in figure.axes:
            yield from _categories(axes, figure.profile)
    else:
        yield ("panel", "plot", "point", "series", "group", "profile", "x", "y", "std")
        for axes in figure.axes:
            yield from _points(axes, figure.profile)


def _categories(axes: AxesData, profile: str) -> Iterator[tuple[str, ...]]:
    for line in axes.lines:
        whose = profile if line.source == "reproduced" else ""
        nothing = ("",) * len(line.y)
        known = (line.y, line.errors, line.notes or nothing, line.printed or nothing)
        for tick, value, error, note, text in zip(axes.x.ticks, *known, strict=True):
            names = (line.label, line.source, whose, tick.group, tick.label)
            yield (*names, _number(value), _number(error), note, plain(text))


def _points(axes: AxesData, profile: str) -> Iterator[tuple[str, ...]]:
    for line in axes.lines:
        names = (axes.panel, axes.plot, line.point, line.series, line.label, profile)
        for x, y, std in zip(line.x, line.y, line.errors or (None,) * len(line.y), strict=True):
            yield (*names, _number(x), _number(y), _number(std))
    for number in axes.stated:
        yield (axes.panel, axes.plot, "", "stated by the paper", "", "", "", repr(number), "")


def _image_rows(figure: FigureData) -> Iterator[tuple[str, ...]]:
    """Which images are shown, by the SHA-256 of their pixels, or why none are."""
    yield ("panel", "title", "row", "profile", "picture", "height", "width", "sha256", "note")
    for grid in figure.grids:
        for row in grid.rows:
            names = (grid.panel, grid.title, row.label, figure.profile)
            if not row.images:
                yield (*names, "", "", "", "", row.note)
            for number, image in enumerate(row.images):
                digest = hashlib.sha256(image.pixels).hexdigest()
                yield (*names, str(number), str(image.height), str(image.width), digest, "")


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


FORMATS = ("svg", "pdf", "png", "csv")
_HEIGHT = 2.9
"""Height of a row of axes, in inches."""
_ACROSS = 2
_ABREAST = 6
"""Entries of a legend in a row."""
_LINE = 0.14
"""Height of a line of notes, in inches."""
_NOTE_CHARACTERS = 130
_LACKING = re.compile(r"Glyph (\d+) .* missing from")
"""How matplotlib warns of a sign, once for each time that it is measured or drawn."""
_said: set[str] = set()
"""Signs that this process has spoken of."""
_WITHOUT_TIME = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
"""Metadata left out, as it would differ between two files of the same data."""


def save(figure: FigureData, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write `ID.svg` and so on, the same bytes for the same data; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    with _lacking_signs_said():
        return _save(figure, folder, formats)


def _save(figure: FigureData, folder: Path, formats: Sequence[str]) -> list[Path]:
    drawn = draw(figure)
    files = {name: folder / f"{figure.id}.{name}" for name in formats}
    with style(), matplotlib.rc_context({"svg.hashsalt": figure.id}):
        for name in filter(_WITHOUT_TIME.__contains__, formats):
            metadata = {"Title": plain(figure.title), **_WITHOUT_TIME[name]}
            drawn.savefig(files[name], metadata=metadata)
    if "csv" in files:
        with files["csv"].open("w", newline="", encoding="utf-8") as file:
            write_csv(rows(figure), file)
    return list(files.values())


@contextmanager
def _lacking_signs_said() -> Iterator[None]:
    """Say once which signs the font of plots lacks, in the place of matplotlib's warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    lacking: set[str] = set()
    for warning in caught:
        if found := _LACKING.match(str(warning.message)):
            lacking.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if new := "".join(sorted(lacking - _said)):
        _said.update(new)
        say(
            f"the font of plots has no signs for {new}, which are drawn as boxes; the tables, the "
            "CSV files and the report show them as they are"
        )


@style()
def draw(figure: FigureData) -> Figure:
    """All axes of a figure, two in a row, or all its images."""
    if figure.grids:
        return draw_images(figure)
    shown = sorted(figure.axes, key=_quantities([(a.x, a.y) for a in figure.axes]))
    parts = [part for axes in shown for part in axes.parts()]
    across = min(_ACROSS, len(parts))
    down = -(-len(parts) // across)
    high = _HEIGHT + _LINE * max(len(part.notes) for part in parts)
    drawn = Figure(figsize=(WIDTH, high * down), layout="constrained")
    FigureCanvasAgg(drawn)
    places = list(drawn.subplots(down, across, squeeze=False).flat)
    for unused in places[len(parts) :]:
        unused.remove()
    pairs = list(zip(places, parts, strict=False))
    for place, part in pairs:
        draw_axes(place, part, figure.profile)
    legends = [legend(part, figure.profile) for part in parts]
    if parts[0].x.ticks:
        _shared_legend(drawn, parts, legends[0])
        return drawn
    share_limits(pairs)
    alike = len({tuple(str(h.get_label()) for h in handles) for handles in legends}) == 1
    if alike and len(parts) > 1 and legends[0]:
        drawn.legend(handles=legends[0], loc="outside upper left", ncols=_ABREAST)
    for (place, part), handles in zip(pairs, legends, strict=True):
        if part.is_direct:
            name_lines(place, part)
        if not alike or len(parts) == 1:
            _own_legend(place, handles, part.is_direct)
    notes = [fill(plain(note), _NOTE_CHARACTERS) for note in figure.notes]
    if notes:
        drawn.supxlabel("\n".join(notes), x=0.01, ha="left", fontsize=7, color="#555555")
    return drawn


def _quantities(pairs: Sequence[tuple[AxisData, AxisData]]) -> Callable[[AxesData], int]:
    """Sorts axes of the same two quantities together, since these are compared."""
    order = list(dict.fromkeys(pairs))
    return lambda axes: order.index((axes.x, axes.y))


def _own_legend(place: Axes, handles: list[Artist], direct: bool) -> None:
    """The legend of one pair of axes: beside it, or inside where names of lines stand beside it."""
    if len(handles) > 1 and not direct:
        place.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=7)
    elif handles and direct:
        place.legend(handles=handles, loc="best", fontsize=7)


def _shared_legend(drawn: Figure, parts: Sequence[AxesData], handles: list[Artist]) -> None:
    """One legend for axes with the same labels: beside a single pair, else below."""
    if len(parts) == 1:
        drawn.legend(handles=handles, loc="outside right upper")
        return
    # As many columns as the longest label leaves room for.
    lines = (line for handle in handles for line in str(handle.get_label()).split("\n"))
    longest = max(map(len, lines))
    columns = max(1, min(len(handles), int(WIDTH / (0.062 * longest + 0.5))))
    drawn.set_size_inches(WIDTH, _HEIGHT + 0.17 * (len(handles) / columns - 1))
    drawn.legend(handles=handles, loc="outside lower center", ncols=columns)
