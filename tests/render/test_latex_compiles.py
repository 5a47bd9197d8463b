"""The tables compile where nothing but booktabs is loaded, and print every number."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.render import latex, tex
from harness.render.table import CellData, ColumnData, RowData, TableData
from tests.render.sample import TABLE
from tests.render.strategies import HOSTILE

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed, so nothing is compiled"
)


def _compile(tables: list[str], directory: Path, options: str = "") -> str:
    """Compile in a bare document; return the log."""
    source = directory / "bare.tex"
    body = "\n\\clearpage\n".join(tables)
    source.write_text(
        f"\\documentclass[{options}]{{article}}\n"
        "\\usepackage{booktabs}\n\\begin{document}\n"
        f"{body}\n\\end{{document}}\n",
        encoding="ascii",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", source.name]
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    log = (directory / "bare.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-2000:]
    return log


def test_every_view_compiles_and_fits(tmp_path: Path) -> None:
    log = _compile(
        [
            *(latex.render(TABLE, view) for view in ("reported", "reproduced", "both")),
            latex.render(replace(TABLE, transposed=True), "both"),
        ],
        tmp_path,
    )
    assert "Overfull" not in log
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed, so the printed text is not read back")
    read = subprocess.run(
        ["pdftotext", "-layout", "bare.pdf", "-"], cwd=tmp_path, capture_output=True, check=True
    )
    text = read.stdout.decode()
    assert "Table 42: Invented numbers, 100% made up." in " ".join(text.split())
    for row in TABLE.rows:
        for cell in row.cells:
            for number in (cell.reported, cell.reproduced):
                assert (number or "").replace("-", "−") in text


def test_a_table_without_a_number_goes_by_its_label(tmp_path: Path) -> None:
    """It stood there under LaTeX's count, as 'Table 1: Ablation'."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed, so the printed text is not read back")
    source = latex.render(replace(TABLE, label="Parts & more"), "both")
    for _ in range(2):  # the second time, LaTeX knows what is referred to
        _compile([source, r"See \ref{tab:table42}."], tmp_path)
    read = subprocess.run(["pdftotext", "bare.pdf", "-"], cwd=tmp_path, capture_output=True)
    assert "Parts & more: Invented numbers" in " ".join(read.stdout.decode().split())
    assert "See Parts & more." in read.stdout.decode()
    assert "Table 1" not in read.stdout.decode()


def test_a_narrow_table_stands_in_one_of_two_columns(tmp_path: Path) -> None:
    """And one that is wider, or that its notes make higher, across both."""
    narrow, long = _numbers(5, 2), replace(_numbers(20, 2), notes=("word " * 200,))
    sources = [latex.render(table, "reported") for table in (narrow, _numbers(5, 5), long)]
    assert [source.count("{table*}") for source in sources] == [0, 2, 2]
    log = _compile(sources, tmp_path, "twocolumn")
    assert "Overfull" not in log
    assert "Float too large" not in log


def test_wide_tables_and_long_texts_fit(tmp_path: Path) -> None:
    words = "a rather long description of what was done (+ one more thing)"
    columns = tuple(ColumnData(f"c{at}", f"Method {at}", f"Group {at // 2}") for at in range(4))
    prose = RowData("p", "A row label that goes on", tuple(CellData(words) for _ in columns))
    wide = tuple(ColumnData(f"c{at}", f"M {at}") for at in range(6))
    cells = tuple(CellData("12.57 ± 0.03", None, "12.60 ± 0.10", "deviates") for _ in wide)
    tables = [
        replace(TABLE, columns=columns, rows=(prose,)),
        replace(TABLE, columns=wide, rows=(RowData("w", "Wide", cells),)),
    ]
    log = _compile([latex.render(table, "both") for table in tables], tmp_path)
    assert "Overfull" not in log


def test_hostile_text_compiles_everywhere(tmp_path: Path) -> None:
    tables = []
    for text in HOSTILE:
        rows = tuple(
            RowData(f"r{at}", text, (CellData(text, text, text),), text) for at in range(2)
        )
        tables.append(
            TableData(
                "t_1 %", text, text, text, text, (ColumnData("c", text, text),), rows, (text,), text
            )
        )
    _compile([latex.render(table, "both") for table in tables], tmp_path)


def test_every_known_character_prints(tmp_path: Path) -> None:
    known = "".join(sorted({*map(chr, range(32, 127)), *tex._SPECIAL, *tex.MATH}))
    accented = "".join(map(chr, range(0xA1, 0x180)))
    log = _compile([tex.escape(known), "\\par " + tex.escape(" ".join(accented))], tmp_path)
    assert "Missing character" not in log


def _numbers(rows: int, columns: int, text: str = "12.34 ± 1.25") -> TableData:
    """A table of numbers that are all different, and as long as the text."""
    named = tuple(ColumnData(f"c{at}", f"M {at}", f"Group {at // 3}") for at in range(columns))

    def cell(row: int, column: int) -> CellData:
        return CellData(text.replace("2.34", f"{column + 10}.{row:02}"))

    lines = tuple(
        RowData(f"r{row}", f"Row {row}", tuple(cell(row, at) for at in range(columns)), "All")
        for row in range(rows)
    )
    return replace(TABLE, columns=named, rows=lines)


@pytest.mark.parametrize("options", ["", "twocolumn"])
@pytest.mark.parametrize(("rows", "columns"), [(4, 1), (4, 12), (30, 12), (90, 3), (40, 24)])
def test_what_is_wider_or_higher_than_a_page_is_split(
    tmp_path: Path, rows: int, columns: int, options: str
) -> None:
    table = _numbers(rows, columns)
    log = _compile([latex.render(table, "reported")], tmp_path, options)
    assert "Overfull" not in log
    assert "Float too large" not in log
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed, so the printed text is not read back")
    read = subprocess.run(
        ["pdftotext", "-layout", "bare.pdf", "-"], cwd=tmp_path, capture_output=True, check=True
    )
    text = read.stdout.decode()
    assert text.count("Table 42:") == 1
    assert [text.count(cell.reported or "") for row in table.rows for cell in row.cells] == (
        [1] * rows * columns
    )
    assert text.count("A note with 5% & more.") == 1


def test_latex_warns_of_a_column_that_nothing_makes_fit(tmp_path: Path) -> None:
    number = "12.34 ± " + "1" * 120
    log = _compile([latex.render(_numbers(2, 2, number), "reported")], tmp_path)
    assert "Overfull" in log
