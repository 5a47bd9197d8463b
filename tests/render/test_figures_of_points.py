"""Plots of points: what is drawn is what was given, and reads in grey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from harness.render.figures.draw import draw, rows, save
from harness.render.figures.model import AxesData, AxisData, FigureData, LineData, Style

SIZES = (5, 20, 30, 60)
LOSS = AxisData("Epoch"), AxisData("Loss")
KINDS: dict[str, Style] = {"measured": "markers", "fitted": "dashed"}


def scatter(ordered: bool = True) -> AxesData:
    """Two markers of each size, one of them of a changed set."""
    lines = [
        LineData(
            f"size {size}", (size / 7,), (90 - size,), point=f"p{size}{changed}", changed=changed
        )
        for size in SIZES
        for changed in ("", "copies 2")
    ]
    return AxesData(
        AxisData("Loss", log=True),
        AxisData("Error (%)"),
        tuple(lines),
        panel="a",
        plot="scatter",
        ordered=ordered,
        notes=("ρ = +0.10 [-0.20, +0.40]",),
    )


def curves() -> AxesData:
    x = tuple(float(number) for number in range(20))
    lines = [
        LineData(name, x, tuple(v * height for v in x), style=style, series=series, point=name)
        for name, height in (("one", 1.0), ("two", 2.0))
        for series, style in KINDS.items()
    ]
    return AxesData(*LOSS, tuple(lines), panel="b", plot="curves")


def figure(*axes: AxesData) -> FigureData:
    return FigureData("figure", "A figure", "small", axes)


def lightness(colour: object) -> float:
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))  # type: ignore[arg-type]


def test_every_point_and_line_is_drawn_where_it_is() -> None:
    first, second = draw(figure(scatter(), curves())).axes
    for axes, data in ((first, scatter()), (second, curves())):
        drawn = [tuple(map(tuple, line.get_xydata())) for line in axes.get_lines()]
        wanted = [tuple(zip(t.x, t.y, strict=True)) for t in data.lines]
        assert drawn == wanted
    assert first.get_xlabel() == "Loss"
    assert first.get_ylabel() == "Error (%)"
    assert (first.get_xscale(), first.get_yscale()) == ("log", "linear")
    assert [text.get_text() for text in first.texts] == ["ρ = +0.10 [-0.20, +0.40]"]
    assert first.get_title(loc="left") == "a: scatter", "statistics stand below, not in the title"


def test_sizes_differ_by_lightness_and_by_marker() -> None:
    (axes,) = draw(figure(scatter())).axes
    filled = [line for line in axes.get_lines() if line.get_markerfacecolor() != "none"]
    shades = [lightness(line.get_color()) for line in filled]
    assert shades == sorted(shades)
    assert min(np.diff(shades)) > 0.08
    assert len({line.get_marker() for line in filled}) == len(SIZES)


def test_a_changed_set_is_a_ring_around_its_own() -> None:
    (axes,) = draw(figure(scatter())).axes
    for own, changed in zip(axes.get_lines()[::2], axes.get_lines()[1::2], strict=True):
        assert changed.get_markerfacecolor() == "none"
        assert changed.get_markersize() > own.get_markersize()
        assert changed.get_marker() == own.get_marker()


def test_the_legend_names_groups_changes_and_series() -> None:
    first, second = draw(figure(scatter(), curves())).axes
    names = [
        [text.get_text() for text in axes.get_legend().get_texts()] for axes in (first, second)
    ]
    assert names == [
        ["size 5", "size 20", "size 30", "size 60", "copies 2"],
        ["one", "two", "measured", "fitted"],
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_no_empty_axes_are_left(count: int) -> None:
    assert len(draw(figure(*[scatter()] * count)).axes) == count


def test_log_axes_have_plain_numbers() -> None:
    drawn = draw(figure(scatter()))
    drawn.canvas.draw()
    (axes,) = drawn.axes
    labels = [text.get_text() for text in axes.get_xticklabels() if text.get_text()]
    assert len([label for label in labels if 0.7 < float(label) < 9]) >= 2


def test_the_same_data_make_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in save(figure(scatter(), curves()), tmp_path / "one")]
    second = [path.read_bytes() for path in save(figure(scatter(), curves()), tmp_path / "two")]
    assert first == second


def test_numbers_are_written_unrounded() -> None:
    header, *body = rows(figure(scatter(), curves()))
    assert header == ("panel", "plot", "point", "series", "group", "profile", "x", "y", "std")
    assert len(body) == 8 + 4 * 20
    assert [float(row[6]) for row in body[:8]] == [size / 7 for size in SIZES for _ in (0, 1)]


def test_seeds_are_a_band_and_what_is_stated_is_a_line() -> None:
    x, y, std = (1.0, 2.0, 3.0), (1.0, 4.0, 9.0), (0.5, 0.25, 1.0)
    lines = LineData("line", x, y, std), LineData("one", (2.0,), (5.0,), (2.0,))
    data = AxesData(*LOSS, lines, panel="c", plot="curves", stated=(0.805,))
    (drawn,) = draw(figure(data)).axes
    band, bars = drawn.collections
    assert {tuple(v) for v in band.get_paths()[0].vertices} >= {
        *zip(x, (0.5, 3.75, 8.0), strict=True),
        *zip(x, (1.5, 4.25, 10.0), strict=True),
    }
    assert bars.get_segments()[0].tolist() == [[2.0, 3.0], [2.0, 7.0]]
    assert [0.805, 0.805] in [list(line.get_ydata()) for line in drawn.get_lines()]
    labels = [text.get_text() for text in drawn.get_legend().get_texts()]
    assert labels == ["line", "one", "± std over seeds", "stated: 0.805"]
    written = list(rows(figure(data)))[1:]
    assert [row[-1] for row in written] == ["0.5", "0.25", "1.0", "2.0", ""]
    assert written[-1][-2] == "0.805"


def test_unordered_groups_differ_in_grey_or_by_their_marks() -> None:
    x = (1.0, 2.0, 3.0)
    data = AxesData(*LOSS, tuple(LineData(name, x, x) for name in "abcdefg"))
    lines = draw(figure(data)).axes[0].get_lines()
    looks = {(line.get_marker(), round(lightness(line.get_color()), 1)) for line in lines}
    assert len({line.get_marker() for line in lines}) == len(looks) == len(data.lines)


def test_lines_need_a_place_for_each_value() -> None:
    with pytest.raises(ValueError, match="2 x for 1 y"):
        LineData("g", (1.0, 2.0), (1.0,))


def rising(name: str, height: float, count: int = 3) -> AxesData:
    x = (1.0, 2.0, 3.0)
    lines = (LineData(f"{name}{i}", x, tuple(v * height + i / 99 for v in x)) for i in range(count))
    return AxesData(*LOSS, tuple(lines), panel=name)


def test_few_lines_bear_their_names_one_above_the_other() -> None:
    (axes,) = draw(figure(rising("a", 1.0))).axes
    assert axes.get_legend() is None
    assert [text.get_text() for text in axes.texts] == ["a0", "a1", "a2"]
    heights = [text.get_position()[1] for text in axes.texts]
    assert min(np.diff(heights)) > 0.08, "ends that nearly meet are named apart"
    assert [text.get_color() for text in axes.texts] == [t.get_color() for t in axes.get_lines()]


def test_more_lines_have_a_legend() -> None:
    (axes,) = draw(figure(rising("a", 1.0, count=5))).axes
    assert len(axes.get_legend().get_texts()) == 5


@pytest.mark.parametrize(("height", "same"), [(0.5, True), (0.05, False)])
def test_compared_axes_have_the_same_limits_unless_one_would_be_lost(
    height: float, same: bool
) -> None:
    first, second = draw(figure(rising("a", 1.0), rising("b", height))).axes
    assert (first.get_ylim() == second.get_ylim()) is same
    assert first.get_xlim() == second.get_xlim()


def test_what_holds_for_the_whole_figure_stands_under_it() -> None:
    drawn = draw(FigureData("f", "F", "small", (scatter(),), notes=("Profile small.",)))
    assert drawn.get_supxlabel() == "Profile small."
