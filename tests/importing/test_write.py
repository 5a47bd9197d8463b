"""Specs written from tables that were read."""

from __future__ import annotations

from pathlib import Path

from harness.importing.write import write_spec
from harness.spec.cell import parse_printed
from harness.spec.exhibit import Table
from harness.spec.toml import read_spec
from tests.importing.conftest import Read

SOURCE = r"""\begin{table} \caption{Accuracy: "two" sets \\ of images} \label{tab:x}
\begin{tabular}{lcccc}
\toprule & \multicolumn{2}{c}{Set A:1} & \multicolumn{2}{c}{B} \\ M & t & t & u & v \\ \midrule
Base & 12.50 & \textbf{33.1$\pm$0.2} & 95.0\% & -- \\
Base & $<$0.01 & 2 & 1,5 & n/a \\ \bottomrule
\end{tabular} \end{table}"""


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
    assert [row.name for row in spec.rows] == ["Base", "Base (2)"]
    assert [{name: str(cell) for name, cell in row.cells.items()} for row in spec.rows] == [
        {"Set A1/t": "12.50", "Set A1/t (2)": "33.1 ± 0.2"},
        {"Set A1/t (2)": "2"},
    ]


def test_what_a_spec_cannot_hold_is_a_comment(read: Read) -> None:
    (table,) = read(SOURCE).tables

    comments = [line for line in write_spec(table, 3).splitlines() if line.startswith("# ")]

    assert comments[2:] == [
        "# bold: Set A1/t (2)",
        "# B/u: 95.0% (a number)",
        "# Set A1/t: <0.01 (a number)",
        "# B/u: 1,5 (it has the signs of a number, but not its form)",
    ]
    assert all(parse_printed(cell) for cell in ("33.1 ± 0.2", "2"))
