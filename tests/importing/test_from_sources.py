"""A paper begun from its own sources, and held against them when they change."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from harness import Study
from harness.cli.main import main
from harness.errors import UserError
from harness.importing import read_tables
from harness.importing.model import Table
from harness.render import latex
from harness.render.views.table import TableView
from harness.spec.statements import CoverageFile
from harness.spec.toml import read_spec
from harness.study.new_paper import new_paper

SOURCE = r"""\documentclass{article}
\title{Small Networks \\ on Wine}
\newcommand{\pmn}[2]{$#1 \pm #2$}
\newcommand{\ours}{\textsc{Plain}}
\begin{document}
\maketitle
\section{Results}
\ours{} beats the forest by 1.2 points, see Table~\ref{tab:main}. We thank our hosts.
\begin{table}
\caption{Accuracy of three models, mean and standard deviation over 3 runs.}
\label{tab:main}
\begin{tabular}{lccc}
\toprule
& \multicolumn{2}{c}{Wine} & Iris \\ \cmidrule(lr){2-3}
Model & 10 & 50 & all \\ \midrule
Forest & \pmn{88.1}{0.4} & \pmn{93.0}{0.2} & 1,5 \\
Nearest & \pmn{80.0}{0.3} & -- & $95.0\%$ \\
\ours{} & \textbf{\pmn{89.3}{0.1}} & \pmn{94.1}{0.3} & \underline{96.0\%} \\
\bottomrule
\end{tabular}
\end{table}
\begin{table}
\caption{Times.}
\begin{tabular}{lc} \hline
Model & Seconds \\ \hline
Forest & 12 \\
Forest & $1.5 \times 10^{3}$ \\ \hline
\end{tabular}
\end{table}
\end{document}
"""
LATER = (
    SOURCE.replace("{88.1}{0.4}", "{89.9}{0.4}")
    .replace("-- & $95.0", r"\textbf{81} & $95.0")
    .replace(r"\ours{} & \textbf", "Tree & 1 & 2 & 3 \\\\\n\\ours{} & \\textbf")
    .replace("1,5", "1.5")
    .replace("by 1.2 points", "by 0.2 points")
)
CLAIM = """
[[claims]]
id = "plain-beats-forest"
text = "Plain beats the forest."
where = "Results"
kind = "greater"
exhibit = "table1"
better = ["Plain"]
worse = ["Forest"]
columns = ["Wine/10"]
"""


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """The folder of a paper that was begun from `main.tex` beside it."""
    source = tmp_path / "main.tex"
    source.write_text(SOURCE, encoding="utf-8")
    new_paper(tmp_path / "paper", [source])
    return tmp_path / "paper"


def repro(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command in a folder."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["repro", *arguments])
        for name in ("REPRO_SPECS", "REPRO_STORE", "REPRO_BUILD"):
            patch.delenv(name, raising=False)
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as stop:
            main()
    return int(stop.value.code or 0), out.getvalue(), err.getvalue()


def texts(table: Table) -> list[list[tuple[str, bool, bool]]]:
    return [
        [(e.printed.text, e.printed.bold, e.printed.underline) for e in row.entries]
        for row in table.rows
    ]


def test_every_table_stands_there_to_the_letter_and_is_rendered_so(
    begun: Path, tmp_path: Path
) -> None:
    paper = Study.open(begun).paper
    assert paper.about.title == "Small Networks on Wine"
    for number, table in enumerate(read_tables(tmp_path / "main.tex").tables, 1):
        view = TableView(paper, paper.exhibits[f"table{number}"])  # type: ignore[arg-type]
        shown = view.table(None)
        assert shown.caption == table.caption
        assert [
            [(cell.reported or "", cell.bold, cell.underline) for cell in row.cells]
            for row in shown.rows
        ] == texts(table)
        again = tmp_path / "again.tex"
        again.write_text(latex.render(shown, "reported"), encoding="utf-8")
        (read,) = read_tables(again).tables
        assert texts(read) == texts(table)
        assert read.columns == table.columns
        assert [row.path for row in read.rows] == [row.path for row in table.rows]


@pytest.mark.parametrize(
    ("written", "names"),
    [
        (r"\author{Ada Lovelace and Charles Babbage}", ("Ada Lovelace", "Charles Babbage")),
        (
            r"\author{Ada Lovelace\thanks{x} \\ London \and J.-P. O'Neil$^{1,2}$}",
            ("Ada Lovelace", "J.-P. O'Neil"),
        ),
        ("\\author[1]{Jos\\'e Sandoval}\n\\author[2]{B. Orland}", ("José Sandoval", "B. Orland")),
        (r"\author{Ada Lovelace, University of London}", ()),
        (r"\author{Ada Lovelace \qquad Charles Babbage \\ London}", ()),
        (r"\author{Anonymous submission}", ()),
        (r"\author{ANONYMOUS}", ()),
        (r"\author{Under Review}", ()),
        ("\\author{Jane Doe\n\nUniversity of Oxford}", ()),
        (r"\author{Jane Doe \\ Department of Mathematics and Statistics \\ Oxford}", ("Jane Doe",)),
        (
            r"\author{Jane Doe \\ Computer Engineering and Science \\ MIT \And Al Roe and Bo Poe}",
            ("Jane Doe", "Al Roe", "Bo Poe"),
        ),
        ("", ()),
    ],
)
def test_authors_are_read_where_nothing_else_is_among_them(
    written: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    source = tmp_path / "main.tex"
    source.write_text(SOURCE.replace(r"\begin{doc", f"{written}\n\\begin{{doc"), encoding="utf-8")
    new_paper(tmp_path / "paper", [source])
    assert Study.open(tmp_path / "paper").paper.about.authors == names
    marked = "# not read from the sources" in (tmp_path / "paper/specs/paper.toml").read_text()
    assert marked == (not names)


def test_what_cannot_be_read_is_told_with_its_place_and_never_compared(
    tmp_path: Path, begun: Path
) -> None:
    code, out, err = repro(tmp_path, "new-paper", "another", "--from", "main.tex")
    assert code == 0
    assert "tables: 2; sentences in specs/coverage.toml that wait for their claims: 2" in out
    assert re.fullmatch(r"repro: not read: main\.tex:16: cell '1,5': .*\n", err)
    spec = Study.open(begun).paper.exhibits["table1"]
    assert [row.unread for row in spec.rows] == [{"Iris/all": "1,5"}, {}, {}]  # type: ignore[attr-defined]
    assert ("Forest", "Iris/all") not in {at[1:] for at, _ in spec.printed_cells()}
    why = "Not read, and never compared: table1:Forest:Iris/all ('1,5'): it has the signs of a"
    shown = repro(begun, "show", "table1")[1]
    assert why in shown
    assert "† not read" in shown
    assert "table1:Forest:Iris/all" not in shown[shown.index("Not run: ") :]
    compared = repro(begun, "diff", "table1")[1]
    assert why in compared
    assert "1,5" in compared.split("Not read")[0]


def test_its_commands_work_at_once_and_evidence_is_judged(begun: Path) -> None:
    runs = "".join(f"{m},{s},{v}\n" for m, v in (("forest", 0.881), ("plain", 0.8)) for s in (1, 2))
    (begun / "runs.csv").write_text("model,seed,acc\n" + runs)
    table = begun / "specs" / "tables" / "table1.toml"
    table.write_text(table.read_text().replace('unit = ""', 'unit = "percent accuracy"'))
    for command in (("list",), ("audit",), ("verify",), ("plan", "table1"), ("show", "table2")):
        assert repro(begun, *command)[0] == 0, command
    assert "wait for their claims" in repro(begun, "verify")[1]
    added = repro(begun, "evidence", "add", "table1", "runs.csv", "--value", "Wine/10=acc",
                  "--row", "model", "--scale", "100")  # fmt: skip
    assert added[0] == 0, added
    assert "2 of 8 printed numbers have results" in added[1]
    judged = Study.open(begun).judge("table1").judgement
    assert judged.verdict_names["table1:Plain:Wine/10"] == "deviates"


def test_sentences_with_numbers_or_comparisons_wait_for_claims(begun: Path) -> None:
    entries = read_spec(begun / "specs" / "coverage.toml", CoverageFile).sentences
    assert [(e.where, e.starts, e.open) for e in entries] == [
        ("main.tex, line 8", "Plain beats the forest by 1.2 points, see Table ??.", True),
        (
            "main.tex, line 10",
            "Accuracy of three models, mean and standard deviation over 3 runs.",
            True,
        ),
    ]


@pytest.mark.parametrize(
    ("name", "text", "sentences"),
    [
        ("a.md", "# A study\n\nA is better than B.\n\n| M | X |\n|---|---|\n| A | **1.50** |\n", 1),
        (
            "a.html",
            "<title>A study</title><p>A is better than B. It is.</p>"
            "<table><tr><th>M<th>X</tr><tr><td>A<td><b>1.50</b></tr></table>",
            1,
        ),
        ("A study.csv", "M,X\nA,1.50\n", 0),
    ],
)
def test_other_sources_too(tmp_path: Path, name: str, text: str, sentences: int) -> None:
    (tmp_path / name).write_text(text)
    assert new_paper(tmp_path / "p", [tmp_path / name]).sentences == sentences
    paper = Study.open(tmp_path / "p").paper
    assert paper.about.title == "A study"
    ((address, printed),) = paper.exhibits["table1"].printed_cells()
    assert (address, printed.text) == (("table1", "A", "X"), "1.50")


def test_a_source_without_tables_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("No table here.")
    with pytest.raises(UserError, match="no table was read"):
        new_paper(tmp_path / "p", [tmp_path / "a.md"])
    assert not (tmp_path / "p").exists()


def test_the_same_source_brings_no_change(begun: Path, tmp_path: Path) -> None:
    assert (
        "the specs say what the sources say"
        in repro(begun, "tables", "sync", str(tmp_path / "main.tex"))[1]
    )


def test_a_later_version_is_told_number_by_number_with_the_claims_that_flip(
    begun: Path, tmp_path: Path
) -> None:
    claims = begun / "specs" / "claims.toml"
    claims.write_text(claims.read_text() + CLAIM)
    later = tmp_path / "v2.tex"
    later.write_text(LATER, encoding="utf-8")
    before = {path: path.read_bytes() for path in (begun / "specs").rglob("*.toml")}

    found = Study.open(begun).sync_tables(later)

    assert [(c.address, c.kind, c.before, c.after) for c in found.changes] == [
        ("table1:Forest:Wine/10", "number", "88.1 ± 0.4", "89.9 ± 0.4"),
        ("table1:Forest:Iris/all", "number", "1,5", "1.5"),
        ("table1:Nearest:Wine/50", "number", "–", "81"),
        ("table1:Nearest:Wine/50", "bold", "not bold", "bold"),
        ("table1", "added", "", "row Tree"),
    ]
    assert [(t.claim.id, t.before.outcome, t.now.outcome) for t in found.turned] == [
        ("plain-beats-forest", "holds", "undecided")
    ]
    assert [s.text[:33] for s in found.new_sentences] == ["Plain beats the forest by 0.2 poi"]
    assert [e.starts[:33] for e in found.gone_sentences] == ["Plain beats the forest by 1.2 poi"]
    assert before == {path: path.read_bytes() for path in before}


def test_writing_brings_the_specs_to_it_and_keeps_what_was_added(
    begun: Path, tmp_path: Path
) -> None:
    table = begun / "specs" / "tables" / "table1.toml"
    table.write_text(
        table.read_text()
        .replace('n = "unknown"', "n = 3  # says the caption")
        .replace('label = "Forest"', 'label = "Forest"\nbind = { dataset = "wine" }')
    )
    (begun / "specs" / "datasets").mkdir()
    later = tmp_path / "v2.tex"
    later.write_text(LATER.replace("Times.", "Times in seconds."), encoding="utf-8")
    code, _, err = repro(begun, "tables", "sync", str(later), "--write")
    assert code == 2, "the data set is not there, so the specs do not load"
    assert "wine" in err

    table.write_text(table.read_text().replace('dataset = "wine"', "size = 3"))
    about = begun / "specs" / "paper.toml"
    about.write_text(about.read_text().replace("[variables]", '[variables]\nsize = "value"'))
    assert repro(begun, "tables", "sync", str(later), "--write")[0] == 0
    text = table.read_text()
    assert "n = 3  # says the caption" in text
    assert "bind = { size = 3 }" in text
    assert "unread = {}" in text
    assert "it has the signs" not in text
    left = Study.open(begun).sync_tables(later)
    assert not left.changes
    assert not left.new_sentences
    (tree,) = [r for r in Study.open(begun).paper.exhibits["table1"].rows if r.name == "Tree"]  # type: ignore[attr-defined]
    assert {name: str(cell) for name, cell in tree.cells.items()} == {
        "Wine/10": "1",
        "Wine/50": "2",
        "Iris/all": "3",
    }


def test_rows_and_columns_that_are_gone_are_told_and_stay(begun: Path, tmp_path: Path) -> None:
    later = tmp_path / "v2.tex"
    cut = re.sub(r"Nearest.*\n", "", SOURCE).replace("& all ", "").replace("& Iris ", "")
    for old, new in (
        (" & 1,5", ""),
        (r" & $95.0\%$", ""),
        (r" & \underline{96.0\%}", ""),
        ("lccc", "lcc"),
        ("Model & Seconds", "Model & Minutes & Seconds"),
        ("Forest & 12", "Forest & 0.2 & 12"),
        ("Forest & $1.5", "Forest & 25 & $1.5"),
        ("{lc}", "{lcc}"),
    ):
        cut = cut.replace(old, new)
    later.write_text(cut, encoding="utf-8")
    told = Study.open(begun).sync_tables(later, write=True).changes
    assert "delete its [[rows]] or" in repro(begun, "tables", "sync", str(later))[1]
    assert [(c.address, c.kind, c.after) for c in told] == [
        ("table1:Nearest", "removed", ""),
        ("table1::Iris/all", "removed", ""),
        ("table2", "added", "column Minutes"),
    ]
    paper = Study.open(begun).paper
    assert str(paper.exhibits["table1"].printed("Plain", "Iris/all")) == "96.0%"
    assert str(paper.exhibits["table2"].printed("Forest (2)", "Minutes")) == "25"
    assert str(paper.exhibits["table2"].printed("Forest (2)", "Seconds")) == "1.5 × 10^{3}"


def test_a_spec_that_was_written_otherwise_is_left_as_it_is(begun: Path, tmp_path: Path) -> None:
    table = begun / "specs" / "tables" / "table2.toml"
    text = table.read_text()
    start = text.index("[[columns]]")
    table.write_text(
        'columns = [{ name = "Seconds", label = "Seconds" }]\n'
        'rows = [{ name = "F", label = "Forest", cells = { Seconds = "12" } }]\n' + text[:start]
    )
    later = tmp_path / "v2.tex"
    later.write_text(LATER.replace("Forest & 12", "Forest & 13"), encoding="utf-8")
    before = {path: path.read_bytes() for path in (begun / "specs").rglob("*.toml")}
    code, _, err = repro(begun, "tables", "sync", str(later), "--write")
    assert (code, "table2" in err, "by hand" in err) == (2, True, True)
    assert before == {path: path.read_bytes() for path in before}
