"""`repro paper`: the document, what stops it, and the paper's own one in full."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.spec.exhibit import Table
from harness.spec.paper import load_paper
from harness.study import typeset as typesetting
from tests.toy.paper import Workplace

ROOT = Path(__file__).parents[2]
needs_latex = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("latexmk", "pdflatex", "pdftotext")),
    reason="latexmk, pdflatex or pdftotext is not installed",
)
DOCUMENT = r"""
\documentclass{article}
\usepackage{repro}
\begin{document}
Profile \reproprofilename. Ours: \reprocell{verdicts:Faithful:Small}, the paper's:
\reprocell[reported]{verdicts:Faithful:Small}.
\input{summary.tex}\reproexhibit{verdicts}\reproexhibit{averaged}\reproexhibit{broken}
\input{findings.tex}\input{claims.tex}
\end{document}
"""


@pytest.fixture
def documented(copied: Workplace) -> Workplace:
    """All is made, and there is a document that shows it."""
    (copied.root / "paper").mkdir()
    write(copied, DOCUMENT)
    return copied


def write(place: Workplace, text: str) -> None:
    (place.root / "paper" / "main.tex").write_text(text, encoding="utf-8")


def no_latex(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(typesetting.shutil, "which", lambda tool: None)


def text_of(pdf: Path) -> str:
    shown = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    return " ".join(shown.stdout.decode().replace("−", "-").split())


def test_without_latex_the_parts_are_written_and_it_says_what_to_install(
    documented: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_latex(monkeypatch)
    outcome = documented.repro("paper")
    assert outcome.code == 2
    assert "texlive-latex-extra and latexmk" in outcome.err
    folder = documented.root / "build" / "stated"
    assert str(folder) in outcome.err
    for name in (
        "main.tex",
        "repro.sty",
        "cells.tex",
        "summary.tex",
        "verdicts.tex",
        "verdicts.pdf",
    ):
        assert (folder / name).is_file(), name


def test_a_project_without_a_document_is_told_what_was_expected(made: Workplace) -> None:
    outcome = made.repro("paper")
    assert outcome.code == 2
    assert "main.tex: the file is missing" in outcome.err
    assert r"\usepackage{repro}" in outcome.err


def test_cells_come_from_the_store_with_their_profile(
    documented: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_latex(monkeypatch)
    shown = documented.repro("show", "verdicts", "--json").json["cells"]
    ours = next(c["reproduced"] for c in shown if (c["row"], c["column"]) == ("Faithful", "Small"))
    number = f"{ours['mean']:.2f} $\\pm$ {ours['std']:.2f}"
    documented.repro("paper")
    cells = documented.root / "build" / "stated" / "cells.tex"
    assert f"\\reproreproduced{{stated}}{{verdicts:Faithful:Small}}{{{number}}}" in (
        cells.read_text(encoding="utf-8")
    )
    # A document of another profile has nothing of its own, and knows of these.
    documented.repro("paper", "--profile", "small")
    other = documented.root / "build" / "small" / "cells.tex"
    text = other.read_text(encoding="utf-8")
    assert "\\reproprofile{small}" in text
    assert f"\\reproreproduced{{stated}}{{verdicts:Faithful:Small}}{{{number}}}" in text
    assert "\\reproreproduced{small}{verdicts:Faithful:Small}" not in text


@needs_latex
def test_the_pdf_holds_both_numbers(documented: Workplace) -> None:
    answer = documented.repro("paper", "--json").json
    assert (answer["profile"], answer["source"]) == ("stated", "reproduced")
    assert all(Path(file).is_file() for file in answer["files"])
    text = text_of(Path(answer["pdf"]))
    assert re.search(r"Ours: \d+\.\d\d ± \d\.\d\d, the paper’s: 50\.00 ± 0\.30", text)
    assert "Table 1, plotted." in text
    assert "not run" in text


@needs_latex
def test_what_fits_no_page_is_said_by_the_log_of_tex(documented: Workplace) -> None:
    assert documented.repro("paper", "--json").json["misfits"] == []
    narrow = r"\usepackage[paperwidth=3in,textwidth=1.5in,textheight=8in]{geometry}\begin{document}"
    write(documented, DOCUMENT.replace(r"\begin{document}", narrow))
    outcome = documented.repro("paper")
    assert outcome.code == 0
    assert re.search(r"repro: verdicts is \d+ pt wider than the text; shorten", outcome.err)


@needs_latex
def test_a_document_of_two_columns(documented: Workplace) -> None:
    """Tables, lists that go over pages, and what is said of all."""
    write(documented, DOCUMENT.replace("class{", "class[twocolumn]{"))
    made = documented.repro("paper", "--json")
    assert made.code == 0, made.err
    assert made.json["misfits"] == []
    log = Path(made.json["pdf"]).with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert "Overfull" not in log


@needs_latex
def test_reported_shows_the_papers_numbers_and_needs_no_results(place: Workplace) -> None:
    (place.root / "paper").mkdir()
    write(place, DOCUMENT)
    answer = place.repro("paper", "--source", "reported", "--json").json
    assert (answer["profile"], answer["source"]) == (None, "reported")
    assert "Ours: 50.00 ± 0.30, the paper’s: 50.00 ± 0.30" in text_of(Path(answer["pdf"]))
    assert place.starts() == 0


@needs_latex
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            r"\reprocell{verdicts:Faithful:Small}",
            "cell verdicts:Faithful:Small was made under profile stated, "
            "the document is of profile small",
        ),
        (r"\reprocell{verdicts:Faithfull:Small}", "unknown cell verdicts:Faithfull:Small"),
        (r"\undefinedmacro", "Undefined control sequence"),
    ],
)
def test_what_stops_latex_is_the_message(documented: Workplace, body: str, message: str) -> None:
    write(
        documented,
        f"\\documentclass{{article}}\\usepackage{{repro}}\\begin{{document}}{body}\\end{{document}}",
    )
    outcome = documented.repro("paper", "--profile", "small")
    assert outcome.code == 2
    assert message in outcome.err
    assert "main.log" in outcome.err
    assert "Traceback" not in outcome.err


@needs_latex
def test_a_missing_package_says_where_it_is(documented: Workplace) -> None:
    write(documented, r"\documentclass{article}\usepackage{no-such}\begin{document}\end{document}")
    outcome = documented.repro("paper")
    assert outcome.code == 2
    assert "`no-such.sty' not found" in outcome.err
    assert "texlive-latex-extra" in outcome.err


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on the real paper, with places of its own for all it writes."""
    code = (
        "import sys\n"
        "from harness.cli.main import app\n"
        "app(standalone_mode=False)\n"
        "heavy = {'torch', 'matplotlib', 'duckdb', 'scipy', 'numpy'} & set(sys.modules)\n"
        "print('HEAVY', *sorted(heavy), file=sys.stderr)\n"
    )
    places = {
        "PYTHONPATH": str(ROOT),
        "REPRO_SPECS": str(ROOT / "specs"),
        "REPRO_STORE": str(tmp_path / "store"),
        "REPRO_BUILD": str(tmp_path / "build"),
    }
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | places,
        check=True,
    )


def test_every_table_is_rendered_as_reported_at_once(tmp_path: Path) -> None:
    command = ("make", "all", "--source", "reported", "--json")
    assert run(tmp_path, *command).stderr.split() == ["HEAVY"]
    files = json.loads(run(tmp_path, *command).stdout)["files"]
    assert {Path(file).name for file in files} == {
        f"table{name}.{form}" for name in (*range(1, 12), "4-parts") for form in ("tex", "md")
    }
    assert not (tmp_path / "store").exists()


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize("options", [("--profile", "paper"), ("--source", "reported")])
def test_the_papers_own_document(tmp_path: Path, options: tuple[str, ...]) -> None:
    answer = json.loads(run(tmp_path, "paper", *options, "--json").stdout)
    pdf = Path(answer["pdf"])
    log = pdf.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert "Overfull" not in log, "something runs out of the page"
    assert "undefined" not in log, "a reference or a citation leads nowhere"
    text = text_of(pdf)
    paper = load_paper(ROOT / "specs")
    for exhibit in paper.exhibits.values():
        assert f"{exhibit.label}:" in text or f"{exhibit.label}." in text
        numbers = [item.text.text for item in exhibit.stated.values()]
        if isinstance(exhibit, Table):
            numbers += [cell.text for row in exhibit.rows for cell in row.cells.values()]
        assert not [number for number in numbers if number not in text]


@needs_latex
def test_a_document_runs_nothing_and_reads_nothing_above_its_folder(documented: Workplace) -> None:
    (documented.root / "paper" / ".latexmkrc").write_text("system('touch ran');")
    (documented.root / "build" / "stated").mkdir(parents=True, exist_ok=True)
    (documented.root / "build" / "stated" / "latexmkrc").write_text("system('touch ran');")
    secret = documented.root / "secret.tex"
    secret.write_text("a secret")
    asks = rf"\IfFileExists{{{secret}}}{{\input{{{secret}}}}}{{kept}}"
    write(
        documented,
        "\\documentclass{article}\\begin{document}\\immediate\\write18{touch ran}"
        f"Shell: \\the\\pdfshellescape. {asks}\\end{{document}}",
    )
    assert documented.repro("paper").code == 0
    assert not list(documented.root.rglob("ran"))
    assert not list((documented.root / "build").rglob(".latexmkrc"))
    said = text_of(documented.root / "build" / "stated" / "main.pdf")
    assert "Shell: 0" in said
    assert "a secret" not in said


def test_a_link_out_of_the_document_is_refused(
    documented: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_latex(monkeypatch)
    (documented.root / "secret.tex").write_text("a secret")
    (documented.root / "paper" / "notes.tex").symlink_to(documented.root / "secret.tex")
    outcome = documented.repro("paper")
    assert outcome.code == 2
    assert "notes.tex: a link out of the folder" in outcome.err
    assert not list((documented.root / "build").rglob("notes.tex"))


@needs_latex
def test_an_exhibit_that_the_document_does_not_show_is_named(documented: Workplace) -> None:
    write(documented, DOCUMENT.replace(r"\reproexhibit{averaged}", r"\input{broken.tex}"))
    outcome = documented.repro("paper")
    assert outcome.code == 0, outcome.err
    said = [line for line in outcome.err.splitlines() if "does not show" in line]
    assert said == [r"repro: main.tex does not show averaged; add \reproexhibit{NAME} for each"]
