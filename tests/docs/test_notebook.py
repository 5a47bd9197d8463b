"""The notebook-style script does through `Study` what the README shows of the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import ROOT

OURS = re.compile(r"\d+\.\d\d")
NEAR = 10.0
"""Points by which our numbers may differ from the README's, where a processor rounds otherwise."""


def readme_table() -> list[str]:
    """The lines of Table 7 in the README, with its legend."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```text\n(Table 7\..*?)```", text, re.DOTALL)
    return [line.rstrip() for line in block.splitlines() if line.strip()]


@pytest.mark.docs
@pytest.mark.timeout(1200)
def test_the_script_prints_the_table_of_the_readme(tmp_path: Path) -> None:
    places = {"REPRO_STORE": str(tmp_path / "store"), "REPRO_BUILD": str(tmp_path / "build")}
    done = subprocess.run(
        [sys.executable, "docs/notebook.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | places | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    expected = readme_table()
    first = printed.index(expected[0])
    found = [line for line in printed[first:] if line.strip()][: len(expected)]
    assert len(found) == len(expected)
    for line, wanted in zip(found, expected, strict=True):
        if "reproduced" not in wanted or "digits" not in wanted:
            assert line == wanted
            continue
        assert OURS.sub("#", line) == OURS.sub("#", wanted)
        pairs = zip(OURS.findall(line), OURS.findall(wanted), strict=True)
        assert all(abs(float(a) - float(b)) < NEAR for a, b in pairs), f"{line}\n{wanted}"
