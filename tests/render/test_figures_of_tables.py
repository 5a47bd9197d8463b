from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from harness.render.figures.draw import draw, save
from harness.render.figures.model import LineData
from tests.render.sample import figure, line

FORMATS = ("pdf", "png", "csv")


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    first = save(figure(), tmp_path / "a", FORMATS)
    second = save(figure(), tmp_path / "b", FORMATS)
    assert [path.name for path in first] == ["table42.pdf", "table42.png", "table42.csv"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"Date" not in first[0].read_bytes()


def test_the_csv_holds_every_number_exactly(tmp_path: Path) -> None:
    (path,) = save(figure(), tmp_path, ["csv"])
    with path.open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    (data,) = figure().axes
    written = [
        (line, tick, value, error)
        for line in data.lines
        for tick, value, error in zip(data.x.ticks, line.y, line.errors, strict=True)
    ]
    assert len(read) == len(written)
    for row, (one, tick, value, error) in zip(read, written, strict=True):
        assert (row["row"], row["source"]) == (one.label, one.source)
        assert (row["group"], row["column"]) == (tick.group, tick.label)
        assert (float(row["value"]) if row["value"] else None) == value
        assert (float(row["error"]) if row["error"] else None) == error
        assert row["profile"] == ("small" if one.source == "reproduced" else "")


def test_sources_that_are_not_comparable_never_share_axes() -> None:
    drawn = draw(figure(comparable=False))
    assert [axes.get_title() for axes in drawn.axes] == ["Reported", "Reproduced (profile small)"]
    reported, reproduced = (_heights(axes_of) for axes_of in drawn.axes)
    assert reported == {9.15, 33.03, 42.01, 12.57, 47.4}
    assert reproduced == {9.1, 30.0, 41.1, 12.6}


def test_a_row_without_any_number_has_no_entry_in_the_legend() -> None:
    """Its place in the table of numbers stays."""
    some, none = (1.0, 2.0, None), (None, None, None)
    lines = (line("A", "reproduced", some, none), line("B", "reproduced", none, none))
    bare = figure(comparable=True, lines=lines)
    assert [name for name in _legend(draw(bare)) if name in ("A", "B")] == ["A"]
    assert list(bare.axes[0].labels) == ["A", "B"]


def test_comparable_sources_share_axes_and_stay_apart() -> None:
    drawn = draw(figure(comparable=True))
    (axes,) = drawn.axes
    assert _heights(axes) == {9.15, 33.03, 42.01, 12.57, 47.4, 9.1, 30.0, 41.1, 12.6}
    assert _legend(drawn) == ["Plain $\\x$", "_Best", "Reported", "Reproduced (profile small)"]


def test_one_source_alone_says_whose_it_is() -> None:
    lines = tuple(line for line in figure().axes[0].lines if line.source == "reported")
    (axes,) = draw(figure(lines=lines)).axes
    assert axes.get_title() == "Reported"


def test_rows_differ_without_colour() -> None:
    rows = tuple(line(f"r{at}", "reported", (1.0, 2.0, 3.0), (0.1,) * 3) for at in range(11))
    (axes,) = draw(figure(lines=rows)).axes
    markers = {line.get_marker() for line in axes.lines} & set("os^DvPX<>ph")
    assert len(markers) == 11


def test_the_paper_is_hollow_and_dashed_and_we_are_filled_and_solid() -> None:
    left, right = draw(figure()).axes
    for axes, dashed, hollow in ((left, True, True), (right, False, False)):
        joins = [line for line in axes.lines if line.get_linestyle() not in {"None", ""}]
        dots = [line for line in axes.lines if line.get_marker() in {"o", "s"}]
        assert joins
        assert dots
        assert all((line.get_linestyle() == "--") == dashed for line in joins)
        assert all((line.get_markerfacecolor() == "white") == hollow for line in dots)


def test_no_line_joins_ticks_of_two_groups() -> None:
    left, _ = draw(figure()).axes
    joined = [line.get_xdata() for line in left.lines if line.get_linestyle() == "--"]
    assert joined
    assert all(max(xs) < 1.5 or min(xs) > 1.5 for xs in joined)


def test_text_is_literal_and_large_enough(recwarn: pytest.WarningsRecorder, tmp_path: Path) -> None:
    drawn = draw(figure())
    save(figure(), tmp_path)
    texts = [text for text in drawn.findobj(Text) if text.get_text()]
    assert "Plain $\\x$" in {text.get_text() for text in texts}
    assert not any(text.get_parse_math() for text in texts)
    assert min(text.get_fontsize() for text in texts) >= 8
    assert not recwarn.list


def test_a_line_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 x for 2 y and 1 errors"):
        LineData("a", (0.0, 1.0), (1.0, 2.0), (None,))


def _heights(axes: object) -> set[float]:
    lines = [line for line in axes.lines if line.get_marker() in {"o", "s"}]  # type: ignore[attr-defined]
    return {float(y) for line in lines for y in line.get_ydata() if y == y}


def _legend(drawn: Figure) -> list[str]:
    return [text.get_text() for text in drawn.legends[0].get_texts()]


def test_signs_that_the_font_lacks_are_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    named = replace(figure(), title="t")
    axes = tuple(
        replace(part, lines=tuple(replace(each, label="方法 ꙮ") for each in part.lines))
        for part in named.axes
    )
    for _ in range(2):
        save(replace(named, axes=axes), tmp_path)
    said = capsys.readouterr().err
    assert said.count("方法") == 1
    assert len(said.splitlines()) == 1
    assert not recwarn.list
