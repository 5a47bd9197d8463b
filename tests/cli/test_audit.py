"""`repro audit`: its JSON, its text, what it needs, and its way into verdicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy.paper import run_repro

ROOT = Path(__file__).parents[2]


def places(tmp_path: Path, specs: str = "specs") -> dict[str, str]:
    return {"REPRO_SPECS": str(ROOT / specs), "REPRO_STORE": str(tmp_path / "store")}


def run(tmp_path: Path, *words: str, specs: str = "specs") -> str:
    """Standard output of a command that must exit with 0, run from elsewhere than the project."""
    done = run_repro(words, places(tmp_path, specs), tmp_path)
    assert done.code == 0, done.err
    return done.out


def test_json_has_the_documented_keys(tmp_path: Path) -> None:
    answer = json.loads(run(tmp_path, "audit", "--json"))
    assert answer["version"] == 1
    keys = {"id", "where", "printed", "expected", "severity", "confidence", "explanation"}
    for finding in answer["findings"]:
        assert keys <= set(finding)
        assert all(isinstance(finding[key], str) and finding[key] for key in keys)
    by_id = {finding["id"]: finding for finding in answer["findings"]}
    assert by_id["same-quantity/table6:CA2D:HL/IPC 50"]["where"] == (
        "table6:CA2D:HL/IPC 50; table7:CA2D:IPC 50"
    )


def test_text_names_every_finding_and_counts_them(tmp_path: Path) -> None:
    findings = json.loads(run(tmp_path, "audit", "--json"))["findings"]
    text = run(tmp_path, "audit", "--all")
    words = " ".join(text.split())
    assert all(finding["id"] in words for finding in findings)
    assert f"{len(findings)} findings:" in text


def test_a_consistent_paper_has_none(tmp_path: Path) -> None:
    answer = json.loads(run(tmp_path, "audit", "--json", specs="tests/toy/specs"))
    assert answer == {"version": 1, "findings": []}


def test_it_needs_neither_torch_nor_a_store_nor_long(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from harness.cli.main import app\n"
        "app(standalone_mode=False)\n"
        "assert not {'torch', 'matplotlib', 'duckdb'} & set(sys.modules), 'imported too much'\n"
    )
    there = {**os.environ, "PYTHONPATH": str(ROOT), **places(tmp_path)}
    command = [sys.executable, "-c", code, "audit"]
    subprocess.run(command, cwd=tmp_path, env=there, check=True)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("exhibit", ["table6", "table7"])
def test_two_printed_numbers_decide_nothing_before_anything_is_run(
    tmp_path: Path, exhibit: str
) -> None:
    answer = json.loads(run(tmp_path, "show", exhibit, "--json"))
    verdicts = {(cell["row"], cell["column"]): cell["verdict"] for cell in answer["cells"]}
    assert (
        verdicts["CA2D", "HL/IPC 50" if exhibit == "table6" else "IPC 50"] != "paper-inconsistent"
    )
