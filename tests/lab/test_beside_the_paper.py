"""Methods that no exhibit prints run all the same, in the table that docs/recipes.md shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.step import Step
from harness.spec.paper import load_paper

ROOT = Path(__file__).parents[2]
MAIN = "from harness.cli.main import main; main()"
ROW = """
[[rows]]
name = "{0}"
label = "{0}"
bind = {{ method = "{0}" }}
cells = {{}}
"""
METHODS = {"g-vbsm": "distill_gvbsm", "edc": "distill_edc"}
"""Method, and the step that makes its images."""
EACH = pytest.mark.parametrize("method", METHODS)


def table_of(*methods: str) -> str:
    """The table of the recipe, with a row for each method."""
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    shown = re.search(r"\$ cat > specs/tables/beside.toml <<'END'\n(.*?)> END", page, re.DOTALL)
    assert shown
    lines = [line.removeprefix(">").removeprefix(" ") for line in shown[1].splitlines()]
    return "\n".join(lines).partition("[[rows]]")[0] + "".join(map(ROW.format, methods))


def beside(folder: Path, *methods: str) -> Path:
    """The paper's own specs, and that table."""
    shutil.copytree(ROOT / "specs", folder / "specs")
    (folder / "specs" / "tables" / "beside.toml").write_text(table_of(*methods), "utf-8")
    return folder / "specs"


def planned(folder: Path, method: str, profile: str) -> tuple[ExhibitPlan, Step]:
    plan = plan_exhibit(load_paper(beside(folder, method)), "beside", profile, seeds=1)
    (cell,) = plan.items
    return plan, plan.steps[plan.steps[cell.sources["recipe"][0][0]].inputs["images"]]


@EACH
@pytest.mark.parametrize("profile", ["paper", "digits", "cifar100", "imagenet-mini"])
def test_a_table_of_ones_own_plans_it_under_every_profile(
    tmp_path: Path, method: str, profile: str
) -> None:
    plan, images = planned(tmp_path, method, profile)
    assert images.name == METHODS[method]
    networks = [plan.steps[identity].params["network"] for identity in _teachers(images)]
    assert networks == images.params["networks"]
    assert len(set(networks)) == len(networks)
    assert images.work.flops > 0


def _teachers(images: Step) -> list[str]:
    named = {name: given for name, given in images.inputs.items() if name.startswith("teacher.")}
    return [named[f"teacher.{number}"] for number in range(len(named))]


def repro(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", MAIN, *arguments]
    there = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=there)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@EACH
@pytest.mark.slow
def test_it_runs_on_digits(tmp_path: Path, method: str) -> None:
    beside(tmp_path, method)
    repro(tmp_path, "make", "beside", "--profile", "digits", "--executor", "inline")
    shown = repro(tmp_path, "show", "beside", "--profile", "digits", "--json")
    (cell,) = json.loads(shown)["cells"]
    # Ten classes: four times chance is not reached by accident.
    assert cell["reproduced"]["mean"] > 25
    assert cell["comparable"] is False
