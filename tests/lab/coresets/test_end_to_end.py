"""Every selector from its spec to a student, on the digits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.toy.paper import Workplace

SPECS = Path(__file__).parents[3] / "specs"
SELECTORS = (
    "random",
    "k-centers",
    "herding",
    "facility-location",
    "graph-cut",
    "craig",
    "glister",
    "least-confidence",
    "entropy",
    "margin",
    "forgetting",
    "grand",
    "el2n",
    "el2n-easy",
    "el2n-pareto",
    "el2n-sl",
    "cal",
)
TABLE = """
id = "selectors"
kind = "table"
label = "Selectors"
title = "Every selector"
section = "none"
caption = "Students of every selector."
stub = "Method"
reporting = { spread = "unknown", n = "unknown", margin = 1.0 }
measure = { value = "accuracy", scale = 100 }

[bind]
dataset = "imagenet1k"
network = "resnet18"
selection_network = "resnet18"
recipe = "large-scale-hl"
reference = "large-scale-reference"

[[columns]]
name = "IPC 10"
label = "IPC 10"
bind = { ipc = 10 }
"""
ROW = '\n[[rows]]\nname = "{0}"\nlabel = "{0}"\nbind = {{ method = "{0}" }}\ncells = {{}}\n'


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """The specs of the paper, and a table of all selectors."""
    shutil.copytree(SPECS, tmp_path / "specs")
    made = Workplace(tmp_path)
    made.add("tables/selectors.toml", TABLE + "".join(ROW.format(name) for name in SELECTORS))
    return made


def test_every_selector_can_be_planned_as_the_paper_states_it(place: Workplace) -> None:
    outcome = place.repro("plan", "selectors", "--profile", "paper", "--json")
    assert outcome.code == 0, outcome.err
    plan = json.loads(outcome.out)
    selected = [step for step in plan["steps"] if step["step"].startswith("select_")]
    # Random is drawn for each of three seeds.
    assert len(selected) == len(SELECTORS) - 1 + 3


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_selector_teaches_a_student(place: Workplace) -> None:
    for name in ("grand", "el2n", "el2n-sl"):  # others by EL2N take their runs from `el2n`
        place.edit(
            f"methods/{name}.toml", "[settings.runs]\nvalue = 10", "[settings.runs]\nvalue = 2"
        )
    place.edit("methods/forgetting.toml", "value = 200", "value = 30")
    outcome = place.repro(
        "make", "selectors", "--profile", "digits", "--executor", "inline", "--json"
    )
    assert outcome.code == 0, outcome.err
    (exhibit,) = json.loads(outcome.out)["exhibits"]
    means = {cell["row"]: cell["reproduced"]["mean"] for cell in exhibit["cells"]}
    assert set(means) == set(SELECTORS)
    # One class in ten is chance, which nothing but the most misleading choice comes near to.
    assert min(means.values()) > 15, means
    # At five images a class, typical examples teach more than the hardest.
    for typical in ("herding", "k-centers", "el2n-easy"):
        assert means[typical] > means["el2n"], means
