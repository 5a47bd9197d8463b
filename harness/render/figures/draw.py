"""Drawing a figure, and writing it as SVG, PDF, PNG and CSV."""

from __future__ import annotations

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

from harness.media import say, write_csv
from harness.render.figures.axes import draw_axes, legend, name_lines, share_limits
from harness.render.figures.images import draw_images
from harness.render.figures.model import AxesData, AxisData, FigureData
from harness.render.figures.rows import rows
from harness.render.figures.style import WIDTH, style
from harness.render.text import plain

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
