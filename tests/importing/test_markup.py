"""Tables out of Markdown, HTML and CSV."""

from __future__ import annotations

import pytest

from tests.importing.conftest import Read

LATEX = r"""\begin{tabular}{lcc}
Model & A & B \\ \hline
Base & 1.50 $\pm$ 0.1 & 2 \\
Ours & \textbf{3.0} & -- \\
\end{tabular}"""
MARKDOWN = """Text.

| Model | A | B |
|:--|--|--|
| Base | 1.50 ± 0.1 | 2 |
| Ours | **3.0** | – |
"""
HTML = """<table>
<tr><th>Model<th>A<th>B
<tr><td>Base</td><td>1.50 ± 0.1</td><td>2</td></tr>
<tr><td>Ours<td><b>3.0</b><td>–
</table>"""
SAME = {
    "t.tex": LATEX,
    "t.md": MARKDOWN,
    "t.html": HTML,
    "t.csv": "Model,A,B\nBase,1.50 ± 0.1,2\nOurs,**3.0**,–\n",
    "t.tsv": "Model\tA\tB\nBase\t1.50 ± 0.1\t2\nOurs\t**3.0**\t–\n",
}


@pytest.mark.parametrize("name", SAME)
def test_one_table_in_five_formats_is_one_table(read: Read, name: str) -> None:
    found = read(SAME[name], name)

    assert found.unread == ()
    (table,) = found.tables
    assert (table.stub, table.columns) == ("Model", (("A",), ("B",)))
    assert [row.path for row in table.rows] == [("Base",), ("Ours",)]
    base, ours = ([entry.printed for entry in row.entries] for row in table.rows)
    assert [str(p.value) for p in (*base, *ours)] == ["1.50", "2", "3.0", "None"]
    assert [p.bold for p in (*base, *ours)] == [False, False, True, False]
    assert base[0].error is not None
    assert str(base[0].error.plus) == "0.1"
    assert ours[1].kind == "missing"


def test_markdown_cells_know_their_lines(read: Read) -> None:
    (table,) = read(SAME["t.md"], "t.md").tables

    assert [row.entries[0].place.line for row in table.rows] == [5, 6]


def test_lines_that_look_like_a_table_and_are_none_are_named(read: Read) -> None:
    found = read("| A | B |\n|--|--|--|\n| 1 | 2 |\n", "t.md")

    assert found.tables == ()
    assert [(each.place.line, each.what) for each in found.unread] == [
        (2, "no table by Markdown's rules: 3 columns under a head of 2")
    ]


def test_latex_inside_markdown_is_read(read: Read) -> None:
    found = read(f"# Results\n\n{SAME['t.tex']}\n\n{SAME['t.md']}", "t.md")

    assert [len(table.rows) for table in found.tables] == [2, 2]


def test_html_spans_move_the_cells_beside_them(read: Read) -> None:
    found = read(
        "<table><caption>Two <i>sets</i></caption><thead>"
        "<tr><th rowspan=2>Model</th><th colspan=2>A</th></tr><tr><th>x</th><th>y</th></tr></thead>"
        "<tr><td rowspan=2>Base</td><td>1.5<sup>a</sup></td><td>2.5</td></tr>"
        "<tr><td>3.5</td><td><u>4.5</u></td></tr></table>",
        "t.html",
    )
    (table,) = found.tables

    assert (table.caption, table.stub) == ("Two sets", "Model")
    assert table.columns == (("A", "x"), ("A", "y"))
    assert [row.path for row in table.rows] == [("Base",), ("Base",)]
    cells = [entry.printed for row in table.rows for entry in row.entries]
    assert [str(cell.value) for cell in cells] == ["1.5", "2.5", "3.5", "4.5"]
    assert (cells[0].marks, cells[3].underline) == (("a",), True)
