"""What the page says of the formats' validators is what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_quotes_the_validators() -> None:
    command = [sys.executable, "-m", "tools.validate_formats", "table8"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    lines = [line for line in told.stdout.splitlines() if "not checked" not in line]
    assert len(lines) >= 2
    page = (ROOT / "docs" / "formats.md").read_text("utf-8").splitlines()
    assert [line for line in lines if line not in page] == []
