"""Tables out of LaTeX."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.importing import read_tables
from harness.importing.model import Sources, Table
from harness.importing.write import write_spec
from tests.importing.conftest import Read

MAIN = r"""
\documentclass{article}
\newcommand{\ours}{Method-X}
\newcommand{\best}[1]{\textbf{#1}}
\newcommand{\pmstd}[2][0.0]{#2{\scriptsize$\,\pm\,$#1}}
\def\two#1#2{\best{#1} (#2)}
\begin{document}
Text with 12.5 in it. % \begin{tabular}{c} 1 \\ \end{tabular}
\begin{table}[t]
  \caption[short]{Accuracy of \ours{} on \emph{two} sets.}
  \label{tab:main}
  \resizebox{\linewidth}{!}{%
  \begin{tabular}{l*{2}{cc}@{}}
    \toprule
    & \multicolumn{2}{c}{Set A} & \multicolumn{2}{c}{Set B} \\
    \cmidrule(lr){2-3} \cmidrule(lr){4-5}
    Model & top-1 & top-5 & top-1 & top-5 \\
    \midrule
    Base~\cite{someone} & 12.50 & \underline{33.1} & \pmstd[0.3]{45.0} & -- \\  % 99.9 & 99.9
    \rowcolor{gray!20} \ours & \best{13.00} & $34.0_{\pm 0.2}$ & \two{46.1}{0.4} & 1{,}234 \\
    \bottomrule
  \end{tabular}}
\end{table}
\end{document}
\begin{tabular}{l} after \\ the end \end{tabular}
"""


def only(found: Sources) -> Table:
    assert len(found.tables) == 1
    return found.tables[0]


def texts(table: Table) -> list[tuple[str, ...]]:
    """Rows as `path`, then the text of each cell."""
    return [("/".join(row.path), *(e.printed.text for e in row.entries)) for row in table.rows]


def tabular(*rows: str, columns: str = "lcc") -> str:
    body = " \\\\\n".join(rows)
    return f"\\begin{{tabular}}{{{columns}}}\n{body} \\\\\n\\end{{tabular}}\n"


def test_a_table_is_read_with_its_macros_groups_marks_and_places(
    read: Read, tmp_path: Path
) -> None:
    found = read(MAIN)
    table = only(found)

    assert found.unread == ()
    assert (table.caption, table.label, table.stub) == (
        "Accuracy of Method-X on two sets.",
        "tab:main",
        "Model",
    )
    assert table.columns == (
        ("Set A", "top-1"),
        ("Set A", "top-5"),
        ("Set B", "top-1"),
        ("Set B", "top-5"),
    )
    assert [row.path for row in table.rows] == [("Base",), ("Method-X",)]
    base, ours = ([entry.printed for entry in row.entries] for row in table.rows)
    assert [str(p.value) for p in base[:3]] == ["12.50", "33.1", "45.0"]
    assert base[2].error is not None
    assert str(base[2].error.plus) == "0.3"
    assert (base[1].underline, base[1].bold, base[3].kind) == (True, False, "missing")
    assert [str(p.value) for p in ours] == ["13.00", "34.0", "46.1", "1234"]
    assert [p.bold for p in ours] == [True, False, True, False]
    assert [p.error and str(p.error.plus) for p in ours] == [None, "0.2", "0.4", None]
    assert [str(row.entries[0].place) for row in table.rows] == [
        f"{tmp_path / 'main.tex'}:{line}" for line in (19, 20)
    ]


def test_inputs_are_followed_and_a_missing_one_is_named(read: Read, tmp_path: Path) -> None:
    table = tabular("M & A", r"\hline x & \val{1.5}", columns="lc")
    main = "\\newcommand{\\val}[1]{#1}\n\\input{one}\n\\input{lost}\n"

    found = read(main, one=f"\n{table}")

    place = only(found).rows[0].entries[0].place
    assert (place.file.name, place.line) == ("one.tex", 4)
    assert [str(each) for each in found.unread] == [
        f"{tmp_path / 'main.tex'}:3: the input 'lost' is not there"
    ]


def test_macros_of_a_package_beside_the_paper_are_known(read: Read, tmp_path: Path) -> None:
    style = "\\newcommand{\\val}[1]{\\textbf{#1}}\n\\def\\odd#1.{#1}\n\\endinput"
    (tmp_path / "ours.sty").write_text(style, encoding="utf-8")

    found = read(
        "\\usepackage{booktabs, ours}\n" + tabular("M & A", r"\hline x & \val{1.5}", columns="lc")
    )

    assert found.unread == ()
    assert only(found).rows[0].entries[0].printed.bold


def test_errors_under_their_numbers_belong_to_them(read: Read) -> None:
    found = read(
        tabular(
            r" & \multicolumn{1}{c}{(1)} & \multicolumn{1}{c}{(2)}",
            r"\hline HHI & -189.8 & $-$28.5$^{***}$",
            r" & (136.3) & (9.2)",
            r"\hline N & 346,020 & 346,017",
            r"\hline \multicolumn{3}{l}{\footnotesize Errors are clustered.}",
        )
    )
    table = only(found)

    assert texts(table) == [
        ("HHI", "-189.8 (136.3)", "-28.5^{***} (9.2)"),
        ("N", "346,020", "346,017"),
    ]
    assert table.columns == (("(1)",), ("(2)",))
    assert table.notes == ("Errors are clustered.",)


def test_numbers_under_numbers_that_may_be_negative_are_no_errors(read: Read) -> None:
    table = only(read(tabular("& A & B", r"\hline x & 1.0 & 2.0", "& (3.1) & (-0.2)")))

    assert [entry.printed.error for entry in table.rows[0].entries] == [None, None]
    assert [entry.printed.kind for entry in table.rows[1].entries] == ["bracketed"] * 2


def test_groups_and_spans_name_the_rows_under_them(read: Read) -> None:
    found = read(
        tabular(
            "Data & Model & IPC & Acc.",
            r"\midrule \multicolumn{4}{l}{\textbf{Panel A}}",
            r"\multirow{2}{*}{C10} & R18 & 1 & 10.1",
            " & R18 & 10 & 20.2",
            r"\midrule \multicolumn{4}{l}{\textbf{Panel B}}",
            r"\multirow{2}{*}{\makecell{C\\100}} & R18 & 1 & 3.1",
            " & R18 & 10 & 4.2",
            columns="lllc",
        )
    )

    assert texts(only(found)) == [
        ("Panel A/C10/R18/1", "10.1"),
        ("Panel A/C10/R18/10", "20.2"),
        ("Panel B/C 100/R18/1", "3.1"),
        ("Panel B/C 100/R18/10", "4.2"),
    ]


def test_a_percentage_beside_a_count_is_no_error(read: Read) -> None:
    table = only(read(tabular("& n (\\%) & Mean (SD)", r"\hline Women & 12 (34.3) & 5.1 (0.2)")))

    share, mean = (entry.printed for entry in table.rows[0].entries)
    assert (share.error, share.notes) == (None, ("34.3",))
    assert mean.error is not None
    spec = write_spec(table, 1)
    assert 'cell_reporting = { "n (%)" = { spread = "share" } }' in spec


def test_numbers_may_be_headings(read: Read) -> None:
    table = only(read(tabular("Angle & 0 & 15", r"\hline ERM & 95.9 $\pm$ 0.1 & 98.9 $\pm$ 0.0")))

    source = tabular(r"& \multicolumn{2}{c}{C10}", "IPC & 10 & 50", r"\midrule x & 1.5 & 2.5")
    below = only(read(source))
    assert (below.stub, below.columns) == ("IPC", (("C10", "10"), ("C10", "50")))
    assert table.columns == (("0",), ("15",))
    assert texts(table) == [("ERM", "95.9 ± 0.1", "98.9 ± 0.0")]


def test_a_column_that_only_counts_rows_is_no_name_of_theirs(read: Read) -> None:
    counted = only(read(tabular(" & Data & N", r"\hline 0 & M1 & 18", "1 & M3 & 20")))
    shots = only(read(tabular(" & A & B", r"\hline 0 & 1.5 & 18", "1 & 2.5 & 20")))

    assert texts(counted) == [("M1", "18"), ("M3", "20")]
    assert texts(shots) == [("0", "1.5", "18"), ("1", "2.5", "20")]


def test_headings_that_come_again_begin_another_table(read: Read) -> None:
    found = read(
        tabular("M & A & B", r"\hline x & 1 & 2", r"\hline M & C & D", r"\hline x & 3 & 4")
    )

    assert [table.columns for table in found.tables] == [(("A",), ("B",)), (("C",), ("D",))]
    assert [texts(table) for table in found.tables] == [[("x", "1", "2")], [("x", "3", "4")]]


def test_long_tables_repeat_their_head_for_nothing(read: Read) -> None:
    source = r"""\begin{longtable}{lc} \caption{Long} \label{l} \\
    M & A \\ \hline \endfirsthead
    M & A (continued) \\ \hline \endhead
    \multicolumn{2}{r}{next page} \\ \endfoot \hline \endlastfoot
    x & 1.5 \\ y & 2.5 \\ \end{longtable}"""
    table = only(read(source))

    assert (table.caption, table.stub, table.columns) == ("Long", "M", (("A",),))
    assert texts(table) == [("x", "1.5"), ("y", "2.5")]


def test_siunitx_columns_and_numbers(read: Read) -> None:
    source = r"""\begin{tabular}{l
      S[table-format=2.1(1)] % the first
      S[table-format=1.2e-1]}
    \toprule {Energy / \si{\giga\electronvolt}} & {Rate} & {Loss} \\ \midrule
    5 & 14.7(1) & \num{1.20e-3} \\ \bottomrule \end{tabular}"""
    table = only(read(source))

    assert (table.stub, table.columns) == ("Energy / GeV", (("Rate",), ("Loss",)))
    first, second = (entry.printed for entry in table.rows[0].entries)
    assert first.error is not None
    assert (str(first.value), str(first.error.plus)) == ("14.7", "0.1")
    assert (str(second.value), str(second.half)) == ("0.00120", "0.000005")


def test_tables_of_tabularray_and_of_aastex(read: Read) -> None:
    source = r"""\begin{talltblr}[caption={Tall},label={t}]{colspec={Q[]Q[]}, cell{3}{1}={c=2}{l},}
    \toprule & A \\ \midrule x & \num{-8.1}* \\ Panel & \\ y & 9 \\ \bottomrule \end{talltblr}
    \begin{deluxetable}{cc} \tablecaption{Stars} \tablehead{
    \colhead{Name} & \colhead{EW} \\ & (\AA)}
    \startdata a & 24.39 (0.90) \\ b & {\bf 90\%} \enddata \end{deluxetable}"""
    first, second = read(source).tables

    assert (first.caption, first.label, second.caption) == ("Tall", "t", "Stars")
    assert texts(first) == [("x", "-8.1*"), ("Panel/y", "9")]
    assert second.columns == (("EW", "(Å)"),)
    assert texts(second) == [("a", "24.39 (0.90)"), ("b", "90%")]
    assert second.rows[1].entries[0].printed.bold


UNREAD = {
    "an undefined macro": (tabular("M & A", r"\hline x & \lost{1.5}"), 3, r"\lost is not defined"),
    "an undefined heading": (tabular(r"M & \lost", r"\hline x & 1"), 2, r"\lost in a heading"),
    "too many cells": (tabular("M & A", r"\hline x & 1 & 2 & 3"), 3, "4 cells in 3 columns"),
    "a percent sign": (tabular("M & 95% & B", r"\hline x & 1 & 2"), 2, r"\% prints one"),
    "an open dollar": (tabular("M & A & B", r"\hline x & $1 & 2$"), 3, "inside maths"),
    "an open brace": (tabular("M & A & B", r"\hline x & \textbf{1 & 2"), 3, "does not close"),
    "no tabular": ("\\begin{table}\n\\caption{A picture}\\end{table}", 1, "holds no tabular"),
    "an odd definition": ("\\def\\x#1.{#1}\n" + tabular("M & A", "x & 1"), 1, "definition of \\x"),
    "no headings": (tabular("x & 1.5 & 2.5", "y & 3.5 & 4.5"), 1, "no row of headings"),
    "a number over two columns": (
        tabular("M & A & B", r"\hline x & \multicolumn{2}{c}{5.5}"),
        3,
        "spans 2 columns",
    ),
    "a decimal comma": (tabular("M & A & B", r"\hline x & 1,5 & 1,234"), 3, "decimal comma"),
    "counts that are none": (tabular("M & A & B", r"\hline x & 5/9 & 9/5"), 3, "no part and whole"),
}


@pytest.mark.parametrize("what", UNREAD)
def test_what_cannot_be_read_is_named_with_its_place(read: Read, what: str) -> None:
    source, line, words = UNREAD[what]

    problems = [(each.place.line, each.what) for each in read(source).unread]

    assert [problem for problem in problems if problem[0] == line and words in problem[1]]


def test_where_cells_disagree_none_is_guessed(read: Read) -> None:
    for cells in ("1,5 & 1,234", "5/9 & 9/5", r"12.3(4) & 1 \\ y & 12.3(0.4) & 1"):
        table = only(read(tabular("M & A & B", rf"\hline x & {cells}")))
        assert "unreadable" in {entry.printed.kind for entry in table.rows[0].entries}, cells
        assert "/" not in cells or all(e.printed.value is None for e in table.rows[0].entries)


@pytest.mark.parametrize(
    "cells",
    [r"0,85 & $1,234.5 \pm 10.2$", "0,85 & 1,234,567", "$1.2e-3$ ($4e-4$) & 12.3(4)",
     "12.3(0.4) & 12.3(4)"],
)  # fmt: skip
def test_what_reads_one_way_depends_on_no_other_cell(read: Read, cells: str) -> None:
    table = only(read(tabular("M & A & B", rf"\hline x & {cells}")))
    assert table.rows[0].entries[1].printed.kind == "number"


def test_numbers_that_were_taken_for_names_are_told_of(read: Read) -> None:
    (told,) = read(tabular("1.5 & 2.5", "3.5 & 4.5")).unread
    assert "the first column, which is all numbers, was taken for names of rows" in told.what
    (told,) = read(tabular("x & 2.5", "y & 4.5")).unread
    assert "names" not in told.what


def test_the_headings_of_all_columns_that_name_rows_are_kept(read: Read) -> None:
    rows = r"\hline N & g & 1.5 \\ N & r & 2.5 \\ S & g & 3.5"
    table = only(read(tabular("Site & Filter & A", rows)))
    assert table.stub == "Site/Filter"
    assert [row.path for row in table.rows] == [("N", "g"), ("N", "r"), ("S", "g")]


NAME = st.text("abcXYZ", min_size=1, max_size=6)
VALUE = st.decimals(-999, 999, places=2).map(str)
ODD = (
    *("\\\\", r"\input{}", r"\multirow", r"\end{tabular}", "\n\n", r"\multicolumn{99999}{c}{1}"),
    *(r"\def\a#1{\a{#1}}\a{x}", r"\begin{tabular}{*{9}{*{99}{c}}}"),
)
SLIPS = st.sampled_from(["", *"{}$&%\\#^[", *ODD])
CELL = st.tuples(VALUE, st.none() | st.decimals(0, 9, places=1).map(str), st.booleans())


@given(
    names=st.lists(NAME, min_size=1, max_size=4, unique=True),
    heads=st.lists(NAME, min_size=1, max_size=4, unique=True),
    data=st.data(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(
    tmp_path: Path, names: list[str], heads: list[str], data: st.DataObject
) -> None:
    cells = [[data.draw(CELL) for _ in heads] for _ in names]

    def shown(value: str, error: str | None, bold: bool) -> str:
        text = value if error is None else rf"{value} $\pm$ {error}"
        return rf"\textbf{{{text}}}" if bold else text

    rows = [" & ".join(["", *heads])]
    for number, (name, row) in enumerate(zip(names, cells, strict=True)):
        rule = r"\midrule " if number == 0 else ""
        rows.append(rule + " & ".join([name, *(shown(*cell) for cell in row)]))
    path = tmp_path / "t.tex"
    path.write_text(tabular(*rows, columns="l" + "c" * len(heads)), encoding="utf-8")

    table = only(read_tables(path))

    assert table.columns == tuple((head,) for head in heads)
    assert [row.path for row in table.rows] == [(name,) for name in names]
    for row, right in zip(table.rows, cells, strict=True):
        for entry, (value, error, bold) in zip(row.entries, right, strict=True):
            read = entry.printed
            assert (str(read.value), read.bold) == (value, bold)
            assert (None if read.error is None else str(read.error.plus)) == error


@given(
    start=st.integers(0, len(MAIN)),
    length=st.integers(1, 12),
    put=SLIPS,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_slip_in_the_source_never_gives_a_traceback(
    tmp_path: Path, start: int, length: int, put: str
) -> None:
    path = tmp_path / "t.tex"
    path.write_text(MAIN[:start] + put + MAIN[start + length :], encoding="utf-8")

    found = read_tables(path)

    assert all(each.place.line > 0 for each in found.unread)


def test_what_is_no_file_of_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 2 3")
    (tmp_path / "b.tex").write_bytes(b"\xff\xfe\x00")
    for name, words in (("a.txt", "no reader"), ("b.tex", "UTF-8"), ("c.tex", "no such file")):
        with pytest.raises(UserError, match=words):
            read_tables(tmp_path / name)
