"""All renders say the same: read back, each gives the texts of the table and nothing else."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.render import latex, markdown, terminal
from harness.render.layout import View
from harness.render.symbols import VERDICTS
from harness.render.table import CellData, TableData, transpose
from harness.render.text import plain
from tests.render.readers import (
    as_set,
    as_text,
    fold,
    latex_rows,
    markdown_header,
    markdown_rows,
    terminal_rows,
)
from tests.render.sample import TABLE
from tests.render.strategies import numbers, tables

VIEWS: tuple[View, ...] = ("reported", "reproduced", "both")
Shown = tuple[str, str]
"""A number with its printed difference, and the signs after it."""


def expected(table: TableData, view: View) -> list[tuple[str, list[Shown]]]:
    """Label and cells of every line, headings as lines without cells, straight from the table."""
    if table.transposed:
        table = transpose(table)
    marks = list(dict.fromkeys(m for row in table.rows for cell in row.cells for m in cell.marks))
    lines: list[tuple[str, list[Shown]]] = []
    before = ""
    for row in table.rows:
        group = plain(row.group or "")
        if group and group != before:
            lines.append((group, []))
        before = group
        printed = [(f"{plain(c.reported or '')} {c.derived or ''}".strip(), "") for c in row.cells]
        ours = [(plain(c.reproduced or ""), "") for c in row.cells]
        if view != "reproduced":
            lines.append((plain(row.label), printed))
        if view == "reproduced":
            lines.append((plain(row.label), ours))
        if view == "both":
            signed = [
                (text, signs(cell, marks)) for (text, _), cell in zip(ours, row.cells, strict=True)
            ]
            if any(text or sign for text, sign in signed):
                lines.append((f"└ {plain(table.reproduced_as)}".strip(), signed))
    return lines


def signs(cell: CellData, marks: list[str]) -> str:
    verdict = VERDICTS[cell.verdict].glyph if cell.verdict else ""
    return verdict + "".join("†‡§¶"[marks.index(mark)] for mark in cell.marks)


@given(tables(), st.sampled_from(VIEWS))
@settings(max_examples=80)
def test_markdown_reads_back(table: TableData, view: View) -> None:
    rows = markdown_rows(markdown.render(table, view))
    wanted = [
        [label.replace("└", "↳"), *(" ".join(filter(None, cell)) for cell in cells)]
        for label, cells in expected(table, view)
    ]
    # A row without a group that follows a group is set off by an empty row.
    read = [row for row in rows if any(row)]
    shown = [row for row in wanted if any(row)]
    assert [[text for text in row if text] for row in read] == [
        [text for text in row if text] for row in shown
    ]
    assert {len(row) for row in rows} == {len(_oriented(table).columns) + 1}


@given(tables(), st.sampled_from(VIEWS))
@settings(max_examples=80)
def test_latex_reads_back(table: TableData, view: View) -> None:
    source = latex.render(table, view)
    wanted = []
    for label, cells in expected(table, view):
        # A lone verdict stands on a dash, since a superscript needs something to sit on.
        shown = [
            (as_set(text) if text or not sign else "–") + (sign if sign else "")
            for text, sign in cells
        ]
        wanted.append([fold(text) for text in (as_set(label.removeprefix("└").strip()), *shown)])
    assert latex_rows(source) == wanted
    assert source.isascii()


@given(tables(), st.sampled_from(VIEWS))
@settings(max_examples=80)
def test_terminal_reads_back(table: TableData, view: View) -> None:
    rows = terminal_rows(as_text(lambda console: terminal.show(table, view, console), 5000))
    wanted = [
        [label, *(" ".join(filter(None, cell)) for cell in cells)]
        for label, cells in expected(table, view)
    ]
    shown = [[text for text in row if text] for row in wanted]
    assert rows == [row for row in shown if row]


@given(tables(), st.sampled_from(VIEWS), st.integers(1, 120))
@settings(max_examples=40)
def test_no_render_lets_a_control_character_through(
    table: TableData, view: View, width: int
) -> None:
    hidden = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
    for text in (
        latex.render(table, view),
        markdown.render(table, view),
        as_text(lambda console: terminal.show(table, view, console), width),
    ):
        assert not hidden.search(text)


@given(tables(values=numbers, labels=st.just("x"), headings=st.none()), st.integers(1, 120))
@settings(max_examples=50)
def test_no_number_is_cut_at_any_width(table: TableData, width: int) -> None:
    number = re.compile(r"-?\d+(?:\.\d+)?(?: ± \d+(?:\.\d+)?)?")
    lines = as_text(lambda console: terminal.show(table, "both", console), width).splitlines()
    rules = [at for at, line in enumerate(lines) if "──" in line]
    body = re.sub(r"\([-+] \d\.\d\)", "", "\n".join(lines[rules[0] : rules[-1]]))
    shown = [
        n for row in table.rows for cell in row.cells for n in (cell.reported, cell.reproduced)
    ]
    assert Counter(number.findall(body)) == Counter(filter(None, shown))


def test_spanners_are_folded_into_markdown_headers() -> None:
    header = markdown_header(markdown.render(TABLE, "reported"))
    assert header == ["Method", "Alpha & Co / n 1", "Alpha & Co / n 5", "Beta_2 / n 1"]


def test_spanners_span_their_columns_in_latex() -> None:
    source = latex.render(TABLE, "reported")
    assert r"& \multicolumn{2}{c}{Alpha \& Co} & \multicolumn{1}{c}{Beta\_2} \\" in source
    assert r"\cmidrule(lr){2-3}" in source
    assert r"\cmidrule(lr){4-4}" in source


def test_the_legend_names_the_signs_that_are_used_and_no_others() -> None:
    legend = markdown.render(TABLE, "both").split("Legend: ")[1].splitlines()[0]
    named = [entry.split(" ")[0] for entry in legend.split(" · ")]
    assert named == ["✓", "✗", "?", "≠", "–", "!", "†", "‡"]
    assert "Legend" not in markdown.render(TABLE, "reported")


def _oriented(table: TableData) -> TableData:
    return transpose(table) if table.transposed else table
