"""What `repro audit` writes for other tools, and how much it prints."""

from __future__ import annotations

import json
from pathlib import Path

from harness.formats.sarif import sarif, spec_places
from harness.judge.audit.audit import audit
from harness.spec.paper import load_paper
from tests.cli.test_audit import places, run
from tests.judge.audit.papers import ROOT, SPECS
from tests.toy.paper import run_repro


def test_sarif_points_at_the_lines_of_the_specs() -> None:
    paper = load_paper(SPECS)
    findings = audit(paper)
    told = sarif(findings, spec_places(paper, ROOT))
    results = told["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == [finding.rule for finding in findings]
    (order,) = (result for result in results if result["ruleId"] == "order-break")
    where = order["locations"][0]["physicalLocation"]
    lines = (ROOT / where["artifactLocation"]["uri"]).read_text(encoding="utf-8").splitlines()
    assert lines[where["region"]["startLine"] - 1] == 'name = "CAD-Prune"'
    levels = {f.severity: result["level"] for f, result in zip(findings, results, strict=True)}
    assert levels == {"severe": "error", "notable": "warning", "minor": "note"}


def test_the_summary_comes_first_and_fits_a_screen(tmp_path: Path) -> None:
    lines = run(tmp_path, "audit").splitlines()
    assert "findings:" in lines[0]
    assert len(lines) <= 24


def test_quotes_have_no_latex(tmp_path: Path) -> None:
    told = run(tmp_path, "audit", "--all")
    assert "δ = 2.8947" in told
    assert r"$\delta" not in told


def test_only_what_is_new_fails_beside_a_baseline(tmp_path: Path) -> None:
    before = json.loads(run(tmp_path, "audit", "--json"))
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(before), encoding="utf-8")
    assert run(tmp_path, "audit", "--baseline", str(baseline)).startswith("0 new findings")
    before["findings"] = [f for f in before["findings"] if f["rule"] != "order-break"]
    baseline.write_text(json.dumps(before), encoding="utf-8")
    told = run_repro(["audit", "--baseline", str(baseline)], places(tmp_path), tmp_path)
    assert "1 new finding:" in told.out
    assert told.code == 1
