"""A method that can be run either way: from its released set, or by synthesis of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.plan.cells import Cell, Plan, plan_exhibit
from harness.spec.paper import load_paper

SPECS = Path(__file__).parents[3] / "specs"
FINGERPRINT = "ab" * 32
METHOD = """
id = "either"
label = "Either"
origin = "invented"
state = "runs"
images = { paper = "official-set", here = "{source}" }

[settings.source]
value = "own"
source = "ours"
why = "The released set has to be downloaded."
alternatives = ["official-set"]

[[settings.released]]
value = "FINGERPRINT"
when = { dataset = ["cifar100"], ipc = [10] }
source = "code"
place = "where it is had"

[[settings.released]]
value = ""
source = "ours"
why = "Not downloaded yet."

[settings.factor]
value = 1
source = "ours"
why = "No patches."

[[steps]]
id = "synthesis"
step = "select_random"
when = { source = ["own"] }
params = { dataset = "{dataset}", per_class = "{ipc}" }

[[steps]]
id = "teacher"
step = "teacher"
when = { source = ["official-set"] }
params = { dataset = "{dataset}", network = "{selection_network}", recipe = "{reference}" }

[[steps]]
id = "released"
step = "released_set"
when = { source = ["official-set"] }
inputs = { teacher = "teacher" }

[steps.params]
dataset = "{dataset}"
per_class = "{ipc}"
fingerprint = "{released}"
network = "{selection_network}"
whitened = "{recipe.zca}"
"""


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """The paper's own specs, where a row of Table 3 is such a method."""
    shutil.copytree(SPECS, tmp_path / "specs")
    method = METHOD.replace("FINGERPRINT", FINGERPRINT)
    (tmp_path / "specs" / "methods" / "either.toml").write_text(method)
    table = tmp_path / "specs" / "tables" / "table3.toml"
    table.write_text(table.read_text("utf-8").replace('method = "dm"', 'method = "either"'))
    return tmp_path / "specs"


def planned(specs: Path, source: str) -> tuple[Plan, Cell]:
    """The plan as the paper states, and the cell of that row at IPC 10 with hard labels."""
    plan = plan_exhibit(
        load_paper(specs), "table3", "paper", seeds=1, variation={"either.source": source}
    )
    return plan, next(cell for cell in plan.cells if cell.address[1:] == ("DM", "HL/IPC 10"))


def test_own_synthesis_is_not_comparable(specs: Path) -> None:
    plan, cell = planned(specs, "own")
    assert cell.reason == "images are own, the paper evaluated official-set"
    assert "released_set" not in {step.name for step in plan.steps.values()}


def test_the_released_set_is_comparable_and_known_by_its_fingerprint(specs: Path) -> None:
    # At IPC 50 no set was downloaded, so that one says so until its fingerprint is written down.
    with pytest.raises(UserError, match=r"either.toml:.*no released set is named here"):
        planned(specs, "official-set")
    method = specs / "methods" / "either.toml"
    method.write_text(method.read_text().replace('value = ""', f'value = "{"cd" * 32}"'))
    plan, cell = planned(specs, "official-set")
    assert (cell.comparable, cell.reason) == (True, "")
    student = plan.steps[cell.terms[0][0]]
    images = plan.steps[student.inputs["images"]]
    assert images.name == "released_set"
    assert images.params["fingerprint"] == FINGERPRINT
    assert plan.steps[images.inputs["teacher"]].name == "teacher"
