from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from harness import media
from harness.render import terminal
from tests.render.readers import as_text
from tests.render.sample import TABLE


def _shown(*, terminal_like: bool) -> str:
    out = StringIO()
    color = "standard" if terminal_like else "auto"
    console = Console(file=out, width=100, force_terminal=terminal_like, color_system=color)
    terminal.show(TABLE, "both", console)
    return out.getvalue()


def test_a_pipe_gets_no_escapes() -> None:
    assert "\x1b" not in _shown(terminal_like=False)


def test_a_terminal_gets_colour_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    red = "\x1b[31m"
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert red in _shown(terminal_like=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert red not in _shown(terminal_like=True)


def test_columns_that_do_not_fit_go_below_under_the_labels_again() -> None:
    text = as_text(lambda console: terminal.show(TABLE, "reported", console), 60)
    assert text.count("Plain [3]") == 2
    assert max(map(len, text.splitlines())) <= 60


def test_a_console_narrower_than_one_column_still_leaves_numbers_and_labels_whole() -> None:
    text = as_text(lambda console: terminal.show(TABLE, "reported", console), 12)
    assert "Plain [3]" in text
    assert "12.57 ± 0.03 (+ 3.4)" in text


@pytest.mark.parametrize("width", [160, 100, 60, 40, 20])
def test_a_grid_goes_on_below_and_breaks_no_number(width: int) -> None:
    headings = ("Cell", *(f"Quantity {at}" for at in range(8)), "Verdict")
    rows = [
        (f"Row {row}", *(f"{row}{at}.50 ± 0.{at}9" for at in range(8)), "not comparable")
        for row in range(1, 4)
    ]
    text = as_text(lambda console: terminal.show_grid(headings, rows, console), width)
    assert all(text.count(cell) == 1 for row in rows for cell in row[1:-1])
    assert max(map(len, text.splitlines())) <= max(width, 31)
    if width < 160:
        assert text.count("Row 1") > 1


def _tables_in_ascii(width: int) -> list[list[str]]:
    """The lines of each table that a stream without other signs gets."""
    stream = TextIOWrapper(BytesIO(), encoding="ascii", errors=media.SPELT, newline="")
    console = media.console(stream, width=width)
    terminal.show(TABLE, "both", console)
    terminal.show_grid(("Café ±", "Number"), [("中", "1.50 ± 0.19"), ("…", "–")], console)
    stream.seek(0)
    lines = stream.read().splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("+-")]
    ends = zip(starts[::2], starts[1::2], strict=True)
    return [lines[first : last + 1] for first, last in ends]


@pytest.mark.parametrize("width", [100, 44])
def test_a_stream_of_ascii_gets_tables_of_even_lines(width: int) -> None:
    tables = _tables_in_ascii(width)
    assert [len(set(map(len, lines))) for lines in tables] == [1] * len(tables)
    text = "\n".join(line for lines in tables for line in lines)
    assert "12.57 +- 0.03" in text
    assert "[U+4E2D]" in text


def test_a_list_has_its_last_column_below_where_next_to_nothing_is_left_of_it() -> None:
    rows = [("table2", "25 paper, 25 digits", "Results that exist")]
    headings = ("Exhibit", "Numbers with results", "Title")
    wide, narrow = (
        as_text(lambda console: terminal.show_list(headings, rows, console), width).splitlines()
        for width in (60, 40)
    )
    assert [line.split()[-1] for line in wide] == ["Title", "exist"]
    assert [line.rstrip() for line in narrow] == [
        "Exhibit  Numbers with results",
        "  Title",
        "table2   25 paper, 25 digits",
        "  Results that exist",
    ]
