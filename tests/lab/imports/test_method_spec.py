"""Methods that can be run either way: from their released set, or by synthesis of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.item import Item
from harness.spec.paper import load_paper

SPECS = Path(__file__).parents[3] / "specs"
FINGERPRINT = "ab" * 32
METHODS = {"dm": "DM", "dc": "DC", "dsa": "DM", "tm": "TM", "datm": "DM"}
"""Method, and the row of Table 3 that it has or is put into."""
NAMED = """
[[settings.released]]
value = "{0}"
when = {{ ipc = [{1}] }}
source = "code"
place = "a download"

"""
EACH = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def specs(tmp_path: Path, method: str) -> Path:
    """The paper's own specs, with the method in Table 3."""
    shutil.copytree(SPECS, tmp_path / "specs")
    if METHODS[method] == "DM":
        table = tmp_path / "specs" / "tables" / "table3.toml"
        bound = f'method = "{method}", expert_recipe = "small-scale-experts"'
        table.write_text(table.read_text("utf-8").replace('method = "dm"', bound))
    return tmp_path / "specs"


def planned(specs: Path, method: str, source: str) -> tuple[ExhibitPlan, Item]:
    """The plan as the paper states, and the cell of the method at IPC 10 with hard labels."""
    plan = plan_exhibit(
        load_paper(specs), "table3", "paper", seeds=1, variation={f"{method}.source": source}
    )
    where = (METHODS[method], "HL/IPC 10")
    return plan, next(cell for cell in plan.items if cell.address[1:] == where)


@EACH
def test_own_synthesis_is_not_comparable(specs: Path, method: str) -> None:
    plan, cell = planned(specs, method, "own")
    assert cell.reason == "images are own, the paper evaluated official-set"
    assert "released_set" not in {step.name for step in plan.steps.values()}


@EACH
def test_the_released_set_is_comparable_and_known_by_its_fingerprint(
    specs: Path, method: str
) -> None:
    path = specs / "methods" / f"{method}.toml"
    with pytest.raises(UserError, match=rf"{method}.toml:.*no released set is named here"):
        planned(specs, method, "official-set")
    both = NAMED.format(FINGERPRINT, 10) + NAMED.format("cd" * 32, 50)
    spec = path.read_text("utf-8")
    path.write_text(spec.replace("[settings.released]\n", f"{both}[[settings.released]]\n"))
    plan, cell = planned(specs, method, "official-set")
    assert (cell.comparable, cell.reason) == (True, "")
    student = plan.steps[cell.sources["recipe"][0][0]]
    images = plan.steps[student.inputs["images"]]
    assert images.name == "released_set"
    assert images.params["fingerprint"] == FINGERPRINT
    assert plan.steps[images.inputs["teacher"]].name == "teacher"
    assert not {step.name for step in plan.steps.values() if step.name == f"distill_{method}"}
