from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy.paper import Workplace, new_workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return new_workplace(tmp_path)
