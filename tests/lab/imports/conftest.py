"""A small data set in a data folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.lab.recipe import DatasetRef
from tests.lab.imports.layouts import data_set


@pytest.fixture
def ref(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetRef:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path / "data"))
    return data_set()
