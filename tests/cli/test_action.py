"""The script of the GitHub Action, as a user with an empty home and nothing installed runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.judge.audit.papers import ROOT
from tests.judge.audit.test_document import PAPER

KEPT = ("PIP_", "UV_", "SSL_")
"""How this machine reaches its package registry."""


@pytest.mark.slow
def test_it_installs_without_torch_and_fails_by_its_policy(tmp_path: Path) -> None:
    (tmp_path / "paper.tex").write_text(PAPER.replace("reaches 83.5", "reaches 85.3"))
    kept = {k: v for k, v in os.environ.items() if k == "PATH" or k.startswith(KEPT)}
    empty = {"HOME": str(tmp_path / "home"), "UV_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [ROOT / "tools" / "action.sh", "paper.tex"],
        cwd=tmp_path,
        env={**kept, **empty, "TMPDIR": str(tmp_path), "FAIL_ON": "severe",
             "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode == 2 and "Failed to fetch" in done.stderr:
        pytest.skip("packages cannot be fetched from an empty home here: " + done.stderr[:200])
    assert done.returncode == 1, done.stderr
    assert "::error title=text-cell,file=paper.tex,line=6::" in done.stdout
    assert re.search(r"^installed in \d+ s, audited in \d+ s$", done.stdout, re.MULTILINE)
    told = json.loads((tmp_path / "audit" / "audit.json").read_text())["findings"]
    assert [finding["rule"] for finding in told] == ["text-cell"]
    assert ElementTree.parse(tmp_path / "audit" / "audit.xml").getroot()[0].get("failures") == "1"
    assert "text-cell" in (tmp_path / "summary.md").read_text().replace("\\", "")
    assert json.loads((tmp_path / "audit" / "badge.json").read_text())["message"] == "1 severe"
    assert json.loads((tmp_path / "audit" / "audit.sarif").read_text())["version"] == "2.1.0"
    assert not list(tmp_path.glob("repro-audit/lib/*/site-packages/torch"))
