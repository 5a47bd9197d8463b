"""Specs written from tables that were read."""

from __future__ import annotations

from pathlib import Path

from harness.importing.write import write_spec
from harness.render import latex
from harness.render.views.table import TableView
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.spec.toml import read_spec
from tests.importing.conftest import Read

SOURCE = r"""\begin{table} \caption{Accuracy: "two" sets \\ of images} \label{tab:x}
\begin{tabular}{lcccc}
\toprule & \multicolumn{2}{c}{Set A:1} & \multicolumn{2}{c}{B} \\ M & t & t & u & v \\ \midrule
Base & 12.50 & \textbf{33.1$\pm$0.2} & 95.0\% & -- \\
Base & $<$0.01 & 2 & 1,5 & OOM \\
Ours & 8\,377 & $1.2^{+0.3}_{-0.2}$ & \underline{0.5}$^{**}$ & $2 \times 10^{-3}$ \\ \bottomrule
\end{tabular} \end{table}"""
CELLS = [
    {"Set A1/t": "12.50", "Set A1/t (2)": "33.1±0.2", "B/u": "95.0%", "B/v": "–"},
    {"Set A1/t": "<0.01", "Set A1/t (2)": "2", "B/v": "OOM"},
    {
        "Set A1/t": "8\u2009377",
        "Set A1/t (2)": "1.2^{+0.3}_{-0.2}",
        "B/u": "0.5^{**}",
        "B/v": "2 × 10^{-3}",
    },
]


def test_a_table_becomes_a_spec_that_loads(read: Read, tmp_path: Path) -> None:
    (table,) = read(SOURCE).tables
    path = tmp_path / "table3.toml"
    path.write_text(write_spec(table, 3), encoding="utf-8")

    spec = read_spec(path, Table)

    assert (spec.id, spec.label, spec.stub) == ("table3", "Table 3", "M")
    assert spec.title == spec.caption == 'Accuracy: "two" sets of images'
    assert [(column.group, column.label) for column in spec.columns] == [
        ("Set A:1", "t"),
        ("Set A:1", "t"),
        ("B", "u"),
        ("B", "v"),
    ]
    assert [column.name for column in spec.columns] == ["Set A1/t", "Set A1/t (2)", "B/u", "B/v"]
    assert [row.name for row in spec.rows] == ["Base", "Base (2)", "Ours"]
    assert [{name: str(cell) for name, cell in row.cells.items()} for row in spec.rows] == CELLS
    assert [row.bold for row in spec.rows] == [("Set A1/t (2)",), (), ()]
    assert [row.underline for row in spec.rows] == [(), (), ("B/u",)]


def test_its_cells_are_rendered_to_the_letter(read: Read, tmp_path: Path) -> None:
    (table,) = read(SOURCE).tables
    path = tmp_path / "table3.toml"
    path.write_text(write_spec(table, 3), encoding="utf-8")

    shown = TableView(Paper.model_construct(), read_spec(path, Table)).table(None)

    printed = [[cell.reported for cell in row.cells] for row in shown.rows]
    unread = [{}, {"B/u": "1,5"}, {}]
    assert printed == [
        [{**row, **more}.get(name) for name in ("Set A1/t", "Set A1/t (2)", "B/u", "B/v")]
        for row, more in zip(CELLS, unread, strict=True)
    ]
    source = latex.render(shown, "reported")
    for made in (
        r"\textbf{33.1$\pm$0.2}",
        r"95.0\%",
        "$<$0.01",
        r"8\,377",
        r"1.2\textsuperscript{+0.3}\textsubscript{$-$0.2}",
        r"\underline{0.5\textsuperscript{{}**}}",
        r"2 $\times$ 10\textsuperscript{$-$3}",
    ):
        assert made in source
    # Read again, the source that was rendered says what the first one said.
    (again,) = read(source).tables
    before, after = (
        {
            (" ".join(row), index): (entry.printed.value, entry.printed.error, entry.printed.bold)
            for index, (row, _, entry) in enumerate(one.entries())
            if entry.printed.kind == "number"
        }
        for one in (table, again)
    )
    assert after == before


def test_what_could_not_be_read_stands_apart_with_its_place(read: Read) -> None:
    (table,) = read(SOURCE).tables

    lines = write_spec(table, 3).splitlines()

    reason = "# B/u: main.tex, line 5: it has the signs of a number, but not its form"
    assert [line for line in lines if reason in line or line.startswith("unread")] == [
        reason,
        'unread = { "B/u" = "1,5" }',
    ]
