"""Sources of papers, written where a test needs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.importing import read_tables
from harness.importing.model import Sources

Read = Callable[..., Sources]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads the text of a file; further files stand beside it."""

    def reads(text: str, name: str = "main.tex", **beside: str) -> Sources:
        for stem, inner in beside.items():
            (tmp_path / f"{stem}.tex").write_text(inner, encoding="utf-8")
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_tables(path)

    return reads
