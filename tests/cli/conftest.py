from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy.paper import Workplace, new_workplace

INLINE = ("--executor", "inline")


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """Nothing is made yet."""
    return new_workplace(tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Everything is made, but for the row that fails. Only to be looked at: tests share it."""
    workplace = new_workplace(tmp_path_factory.mktemp("made"))
    assert workplace.repro("make", "verdicts", "averaged", *INLINE).code == 0
    assert workplace.repro("make", "broken", *INLINE).code == 3
    return workplace


@pytest.fixture
def copied(made: Workplace, tmp_path: Path) -> Workplace:
    """A copy of `made` that a test may change."""
    return made.copy(tmp_path)
