"""`repro report --tmlr`: the challenge's headings, our numbers by their addresses, and a PDF."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness import Study
from harness.study.challenge import write_challenge
from harness.study.project import Project, find_project
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace, new_workplace

ROOT = Path(__file__).parents[2]
HEADINGS = (
    "Scope of reproducibility",
    "Methodology",
    "Computational cost",
    "Results",
    "What was easy",
    "What was difficult",
    "Communication with the original authors",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    workplace = new_workplace(tmp_path_factory.mktemp("challenge"))
    assert workplace.repro("make", "verdicts", *INLINE).code == 0
    return workplace


@pytest.fixture(scope="module")
def folder(place: Workplace) -> Path:
    root = place.root
    project = Project(
        place.specs, root / "store", root / "build", root / "published", root / "designs"
    )
    return write_challenge(project, None, root / "challenge").latex.parent


def test_both_have_what_the_challenge_asks_for(folder: Path):
    latex, markdown = (folder / "challenge.tex", folder / "challenge.md")
    for text in (latex.read_text(), markdown.read_text()):
        places = [text.index(heading) for heading in HEADINGS]
        assert places == sorted(places)
    assert latex.read_text().count(r"\todo{") >= 8
    assert markdown.read_text().count("**To do: ") >= 8


def test_numbers_of_ours_are_written_by_address_and_as_shown(place: Workplace, folder: Path):
    shown = place.repro("show", "verdicts", "--json").json["cells"]
    latex, markdown = (folder / "challenge.tex").read_text(), (folder / "challenge.md").read_text()
    made = [cell for cell in shown if cell["reproduced"] and cell["reproduced"]["mean"] is not None]
    assert made
    title = next(
        e["title"] for e in place.repro("list", "--json").json["exhibits"] if e["id"] == "verdicts"
    )
    [section] = [
        text for text in markdown.split("\n### ") if text.partition("\n")[0].endswith(title)
    ]
    for cell in made:
        assert rf"\reprocell{{verdicts:{cell['row']}:{cell['column']}}}" in latex
        [line] = [x for x in section.splitlines() if f"| {cell['row']}, {cell['column']} |" in x]
        paper, ours = re.findall(r"[\d.]+", line.split("|")[2])[0], line.split("|")[3]
        assert float(paper) == cell["reported"]["mean"]
        assert float(re.findall(r"[\d.]+", ours)[0]) == pytest.approx(
            cell["reproduced"]["mean"], abs=0.05
        )
        assert cell["verdict"].split(" ")[0] in line
        assert ours.strip() not in latex  # the number itself stands in cells.tex alone


def test_numbers_count_as_they_do_in_a_list_of_results_also_outside_tables(tmp_path: Path) -> None:
    """Of this paper, a fit alone has a published number under `digits`."""
    study = Study.open(ROOT)
    project = replace(study.project, root=tmp_path / "store")
    held = {name: each["digits"] for name, each in study.results().items() if "digits" in each}
    assert held == {"scaling": 1}
    told = write_challenge(project, "digits", tmp_path / "out").markdown.read_text()
    assert "Numbers that were run again: 1, in 1 of 23 exhibits." in told
    assert re.search(r"^- .*scaling law.*again: 1\)$", told, re.M)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("latexmk"), reason="needs LaTeX")
def test_it_compiles(place: Workplace):
    told = place.repro("report", "--tmlr", "--json").json
    assert Path(told["pdf"]).read_bytes().startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("latexmk"), reason="needs LaTeX")
def test_every_line_of_the_papers_own_report_fits_its_page(tmp_path: Path):
    pdf = write_challenge(find_project(ROOT), "paper", tmp_path).typeset()
    log = pdf.with_suffix(".log").read_text("utf-8", errors="replace")
    assert re.findall(r"^Overfull .*", log, re.MULTILINE) == []
