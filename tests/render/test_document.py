"""The written parts of a paper's document, and LaTeX's answer to them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness.judge.audit.audit import audit
from harness.render import document, latex, markdown
from harness.render.views import view_of
from harness.spec.exhibit import Table
from harness.spec.kinds import SettingsTable
from harness.spec.paper import Paper, load_paper
from tests.render.readers import latex_rows, markdown_rows
from tests.render.sample import judged

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
TABLES = [f"table{number}" for number in range(1, 12)]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?: ± \d+(?:\.\d+)?)?(?: \([+-] \d+(?:\.\d+)?\))?")
needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed, so nothing is compiled"
)


@pytest.fixture(scope="module")
def paper() -> Paper:
    return load_paper(SPECS)


def read(place: str) -> dict[str, Any]:
    return tomllib.loads((SPECS / place).read_text(encoding="utf-8"))


def printed_numbers(name: str) -> list[list[str]]:
    """Row by row what a table prints, from the files themselves, as the paper orients it."""
    spec = read(f"tables/{name}.toml")
    names = [column["name"] for column in spec["columns"]]
    if spec["kind"] == "settings":
        owners = [settings_of(column["owner"]) for column in spec["columns"]]
        rows = [[stated(owner, row["setting"]) for owner in owners] for row in spec["rows"]]
    else:
        rows = [[result(row, column) for column in names] for row in spec["rows"]]
    turned = spec.get("transposed", False)
    return [list(row) for row in zip(*rows, strict=True)] if turned else rows


def result(row: dict[str, Any], column: str) -> str:
    difference = row.get("derived", {}).get(column, {}).get("text", "")
    return f"{row['cells'].get(column, '')} {difference}".strip()


def settings_of(owner: str) -> dict[str, Any]:
    places = [f"{kind}/{owner}.toml" for kind in ("recipes", "methods")]
    found: dict[str, Any] = read(next(p for p in places if (SPECS / p).is_file()))["settings"]
    return found


def stated(settings: dict[str, Any], name: str) -> str:
    choices = settings.get(name, [])
    if isinstance(choices, dict) and "from" in choices:
        owner, _, taken = choices["from"].rpartition(".")
        return stated(settings_of(owner), taken)
    choices = choices if isinstance(choices, list) else [choices]
    texts = [c.get("printed", str(c["value"])) for c in choices if c["source"] == "paper"]
    return ", ".join(texts).replace("$T=20$", "T=20") or "–"


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("form", ["latex", "markdown"])
def test_a_rendered_table_has_exactly_the_printed_numbers(
    paper: Paper, name: str, form: str
) -> None:
    exhibit = paper.exhibit(name)
    assert isinstance(exhibit, Table | SettingsTable)
    is_table = isinstance(exhibit, Table)
    model = view_of(paper, exhibit).table(None)
    assert model is not None
    if form == "latex":
        lines = latex_rows(latex.render(model, "reported"))
        rows = [row[1:] for row in lines if len(row) > 1]
    else:
        lines = markdown_rows(markdown.render(model, "reported"))
        rows = [row[1:] for row in lines if any(row[1:])]
    assert rows == printed_numbers(name)
    if is_table:
        cells = [cell for row in rows for cell in row if cell]
        assert all(NUMBER.fullmatch(cell) for cell in cells)
        assert len(cells) == sum(len(row["cells"]) for row in read(f"tables/{name}.toml")["rows"])


def test_every_other_exhibit_shows_all_that_is_stated_of_it(paper: Paper) -> None:
    for name, exhibit in paper.exhibits.items():
        if isinstance(exhibit, Table | SettingsTable):
            continue
        source = view_of(paper, exhibit).latex(None)
        assert f":{name}}}" in source  # its label
        # The entries of the list of stated numbers begin with the number.
        firsts = re.findall(r"^\\item\[\{(.*?)\}\] ", source, flags=re.MULTILINE)
        for item in exhibit.stated.values():
            shown = item.text.text.replace("-", "$-$")
            assert (f"$\\approx$ {shown}" if item.approximate else shown) in firsts


def test_panels_show_labels_and_what_is_open(paper: Paper) -> None:
    source = view_of(paper, paper.exhibit("figure5")).latex(None)
    assert "data: ImageNet-1K; networks: ResNet-18; sets: RDED, CA2D, CAD-Prune" in source
    assert "what counts as converged when one set is called at least 2 times slower." in source


def test_a_fit_shows_the_domain_of_each_parameter(paper: Paper) -> None:
    lines = view_of(paper, paper.exhibit("scaling")).latex(None).splitlines()
    starts = {line[:20].strip() for line in lines}
    assert any(start.startswith(r"$\delta$ & (0, 1) &") for start in starts)
    assert any(start.startswith("$b$ & $<$ 0 &") for start in starts)


def test_findings_are_numbered_by_severity(paper: Paper) -> None:
    found = audit(paper)
    source = document.findings(found)
    numbers = re.findall(r"\\paragraph\{([SNM])(\d+)\}", source)
    assert len(numbers) == len(found)
    for letter, severity in zip("SNM", ("severe", "notable", "minor"), strict=True):
        of_it = [finding for finding in found if finding.severity == severity]
        assert [int(n) for kind, n in numbers if kind == letter] == [*range(1, len(of_it) + 1)]
        assert f"{severity.capitalize()}: {len(of_it)}}}" in source
    assert document.findings(()) == ""


def test_claims_of_one_sentence_stand_together() -> None:
    rows = [
        judged("first", "A > B & C.", "Section 1", "holds", "holds", "not run"),
        judged("second", "A > B & C.", "Section 1", "holds", "fails", "holds"),
        judged("third", "D.", "Section 1", "fails", "fails", "fails"),
    ]
    source = document.claims(rows, "reproduced")
    assert source.count("A $>$ B \\& C.") == 1
    assert _outcomes(source) == [
        ["holds", "holds", "not run"],
        ["holds", r"\textbf{fails}", "holds"],
        ["fails", "fails", "fails"],
    ]
    assert [ours for *_, ours in _outcomes(document.claims(rows, "reported"))] == ["", "", ""]


def _outcomes(source: str) -> list[list[str]]:
    """The last three arguments of every claim."""
    claims = (line for line in source.splitlines() if line.startswith(r"\reproclaim{\texttt"))
    return [line[1:-1].split("}{")[-3:] for line in claims]


def test_verdicts_are_tallied() -> None:
    verdicts = ["not run", "reproduced", "not run", "deviates"]
    row = document.tally("Table 1", "All", 4, 2, verdicts)
    assert row.verdicts == "1 reproduced, 1 deviates, 2 not run"
    assert "Table 1. All & 2 of 4 & 1 reproduced" in document.summary([row], "reproduced")
    assert "Table 1. All & 4 \\\\" in document.summary([row], "reported")
    bare = document.tally("Parts", "Each", 0, 8, [])
    assert "Parts. Each & 8 & " in document.summary([bare], "reproduced")


HOSTILE = "50% {A}_#1 & $x^2$ ~ é \\b"
CELLS = (
    document.KnownCell("t:A:IPC 10", "12.50 ± 0.03", {"small": "12.40 ± 0.10"}),
    document.KnownCell("t:B:IPC 10", "13.50", {"large": "13.40"}),
    document.KnownCell("t:C:IPC 10", None, {}),
    document.KnownCell("t:E:IPC 10", None, {"my_own": "12.30"}),
    document.KnownCell(f"t:{HOSTILE}:c", "77.7", {"small": "78.8"}),
)


def compiled(folder: Path, body: str, preamble: str = "", profile: str = "small") -> str:
    """What LaTeX makes of a sentence: the printed text, or the message that it stopped with."""
    shutil.copy(document.STYLE, folder)
    parts = document.cells(profile, CELLS, {})
    (folder / "cells.tex").write_text(parts, encoding="utf-8")
    (folder / "d.tex").write_text(
        "\\documentclass{article}\n\\usepackage{repro}\n\\pagestyle{empty}\n"
        f"{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    places = {**os.environ, "max_print_line": "1000"}
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, env=places)
    if done.returncode:
        log = (folder / "d.log").read_text(encoding="utf-8", errors="replace")
        message = re.search(r"^! (.*?)\n\n", log, re.MULTILINE | re.DOTALL)
        assert message, log
        return " ".join(re.sub(r"\n\(repro\)", " ", message[1]).split())
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed, so the printed text is not read back")
    shown = subprocess.run(["pdftotext", "d.pdf", "-"], cwd=folder, capture_output=True, check=True)
    return " ".join(shown.stdout.decode().split())


@needs_latex
def test_cells_in_running_text(tmp_path: Path) -> None:
    body = (
        r"ours \reprocell{t:A:IPC 10}, theirs \reprocell[reported]{t:A:IPC 10};"
        "\n" + r"\reprocell{t:A:IPC" + "\n" + r"10} over a line; "
        r"\ifreprocell{t:B:IPC 10}{yes}{no}, \ifreprocell{t:A:IPC 10}{yes}{no},"
        r" \ifreproduced{\reproprofilename}{the paper's}"
    )
    assert compiled(tmp_path, body) == (
        "ours 12.40 ± 0.10, theirs 12.50 ± 0.03; 12.40 ± 0.10 over a line; no, yes, small"
    )


@needs_latex
def test_a_profile_may_have_underscores(tmp_path: Path) -> None:
    body = r"\texttt{\reproprofilename} \reprocell{t:E:IPC 10} \reprocell[my_own]{t:E:IPC 10}"
    assert compiled(tmp_path, body, profile="my_own") == "my_own 12.30 12.30"


@needs_latex
def test_any_address_may_be_cited(tmp_path: Path) -> None:
    address = CELLS[-1].key
    assert r"50\% \{A\}_#1" in address
    body = rf"\reprocell{{{address}}} and \reprocell[reported]{{{address}}}"
    assert compiled(tmp_path, body) == "78.8 and 77.7"


@needs_latex
def test_a_document_of_the_papers_numbers_gives_those(tmp_path: Path) -> None:
    body = r"\reprocell{t:A:IPC 10} \ifreproduced{both}{printed only}"
    assert compiled(tmp_path, body, profile=document.REPORTED) == "12.50 ± 0.03 printed only"


@needs_latex
@pytest.mark.parametrize(
    ("cell", "preamble", "message"),
    [
        (
            "{t:B:IPC 10}",
            "",
            "cell t:B:IPC 10 was made under profile large, the document is of profile small.",
        ),
        (
            "{t:A:IPC 10}",
            r"\reproprofile{paper}",
            "cell t:A:IPC 10 was made under profile small, the document is of profile paper.",
        ),
        (
            "[large]{t:B:IPC 10}",
            "",
            "cell t:B:IPC 10 was made under profile large, the document is of profile small.",
        ),
        ("{t:C:IPC 10}", "", "cell t:C:IPC 10 has no result under profile small."),
        ("[reported]{t:C:IPC 10}", "", "cell t:C:IPC 10 has no number in the paper."),
        ("{t:D:IPC 10}", "", "unknown cell t:D:IPC 10."),
    ],
)
def test_a_cell_that_does_not_belong_here_stops_latex(
    tmp_path: Path, cell: str, preamble: str, message: str
) -> None:
    said = compiled(tmp_path, rf"It is \reprocell{cell}.", preamble)
    assert said == f"Package repro Error: {message}"


def test_references_keep_the_papers_numbers(paper: Paper) -> None:
    """Labels cite `[12]`; the bibliography is sorted by nothing but the order of its file."""
    bibliography = (ROOT / "paper" / "references.bib").read_text(encoding="utf-8")
    authors = re.findall(r"^\s*author\s*=\s*\{\{?([^,}]+)", bibliography, re.MULTILINE)
    keys = re.findall(r"^@\w+\{([\w]+),", bibliography, re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(authors) == 31
    checked = 0
    for method in paper.methods.values():
        cited = re.match(r"\[(\d+)\] ([A-Z]\w+) (?:et al\.|and )", method.origin)
        if cited:
            assert authors[int(cited[1]) - 1] == cited[2], method.id
            checked += 1
    assert checked >= 20
    main = (ROOT / "paper" / "main.tex").read_text(encoding="utf-8")
    assert r"\bibliographystyle{unsrt}" in main
    assert main.index(r"\nocite{*}") < main.index(r"\cite{")
    assert set(re.findall(r"\\cite\{([^}]+)\}", main)) <= set(keys)


def test_the_document_shows_every_exhibit_once(paper: Paper) -> None:
    main = (ROOT / "paper" / "main.tex").read_text(encoding="utf-8")
    shown = re.findall(r"^\\reproexhibit\{([\w-]+)\}", main, re.MULTILINE)
    assert sorted(shown) == sorted(paper.exhibits)
    for part in ("summary", "findings", "claims"):
        assert rf"\input{{{part}.tex}}" in main
