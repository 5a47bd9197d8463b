"""The catalogue of rules, and what `repro audit --explain` says of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.judge.audit import finding
from harness.judge.audit.finding import OF_SPECS, RULES


def test_it_has_every_rule_that_findings_name_and_no_other() -> None:
    folder = Path(finding.__file__).parent
    code = "".join(p.read_text("utf-8") for p in folder.glob("*.py") if p.stem != "finding")
    named = set(re.findall(r'(?:rule=|finding\(|_finding\(\s*sheet,|tell\()\s*"([a-z-]+)"', code))
    known = {rule for rule in RULES if f'"{rule}"' in code}
    assert named <= set(RULES)
    assert known == set(RULES)


def test_what_is_not_run_on_files_is_of_specs_alone() -> None:
    folder = Path(finding.__file__).parent
    shared = ("aggregates", "descriptives", "document", "marks", "ranges")
    shared += ("rankings", "sentences", "significance", "uncertainty")
    code = "".join((folder / f"{name}.py").read_text("utf-8") for name in shared)
    assert set(RULES) >= OF_SPECS
    assert not [rule for rule in OF_SPECS if f'"{rule}"' in code]


@pytest.mark.parametrize(
    ("rule", "here"),
    [
        ("p-value", "Here it finds nothing."),
        ("same-quantity", "It compares what only specs tell, so it was not run on files."),
    ],
)
def test_a_rule_is_explained_whether_or_not_it_found_anything(
    tmp_path: Path, rule: str, here: str
) -> None:
    path = tmp_path / "paper.md"
    path.write_text("| a | b |\n|---|---|\n| c | 1 |\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["audit", str(path), "--explain", rule])
    assert done.exit_code == 0
    assert " ".join(done.output.split()) == f"{rule}: {RULES[rule]} {here}"


def test_an_unknown_rule_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "paper.md"
    path.write_text("| a | b |\n|---|---|\n| c | 1 |\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["audit", str(path), "--explain", "p-vlue"])
    assert done.exit_code != 0
    assert "'p-value'" in str(done.exception) + done.output
