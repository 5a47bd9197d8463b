from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.sites import made_workplace, poison, report
from tests.toy.paper import Workplace


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Everything is made, and reported in `site`. Only to be looked at."""
    place = made_workplace(tmp_path_factory.mktemp("reported"))
    report(place)
    return place


@pytest.fixture(scope="session")
def site(made: Workplace) -> Path:
    return made.root / "site"


@pytest.fixture(scope="session")
def poisoned(made: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the same paper with hostile text in every field."""
    place = made.copy(tmp_path_factory.mktemp("poisoned"))
    poison(place)
    return report(place)
