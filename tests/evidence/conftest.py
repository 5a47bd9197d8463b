from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy.paper import Workplace, new_workplace

TABLE = """
id = "table2"
kind = "table"
label = "Table 2"
title = "Results that exist"
section = "4"
caption = "Accuracy."
stub = "Method"

[reporting]
spread = "std"
n = 3
unit = "percent accuracy"

[measure]
value = "accuracy"

[[columns]]
name = "Wine"
label = "Wine"

[[columns]]
name = "Iris"
label = "Iris"

[[rows]]
name = "ResNet-18"
label = "ResNet-18"
cells = { Wine = "90.00 ± 0.10", Iris = "80.00 ± 0.10" }

[[rows]]
name = "Plain"
label = "Plain (ours)"
cells = { Wine = "70.00 ± 0.10", Iris = "60.00 ± 0.10" }
"""
RUNS = """method,dataset,seed,accuracy
resnet_18,wine,0,0.9001
resnet_18,wine,1,0.8999
resnet_18,wine,2,0.9000
resnet_18,iris,0,0.7501
resnet_18,iris,1,0.7499
resnet_18,iris,2,0.7500
Plain (ours),wine,0,0.7003
other,wine,0,0.1
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """The invented paper with a table for which nothing runs, and a file of its results."""
    workplace = new_workplace(tmp_path)
    workplace.add("tables/table2.toml", TABLE)
    (tmp_path / "runs.csv").write_text(RUNS, encoding="utf-8")
    return workplace


@pytest.fixture
def added(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """With the evidence added as a newcomer would, with nothing said."""
    monkeypatch.chdir(place.root)
    assert place.repro("evidence", "add", "table2", "runs.csv").code == 0
    return place
