"""The numbers of a figure as the rows of a CSV file: unrounded, with a header first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from harness.render.figures.model import AxesData, FigureData
from harness.render.text import plain


def rows(figure: FigureData) -> Iterator[tuple[str, ...]]:
    """Every number that is drawn; a missing one is an empty field."""
    if figure.grids:
        yield from _images(figure)
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


def _images(figure: FigureData) -> Iterator[tuple[str, ...]]:
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
