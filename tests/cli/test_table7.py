"""Table 7 of the real paper: its plan as stated, and the stand-in from end to end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.toy.paper import Workplace

ROOT = Path(__file__).parents[2]
ROWS = {"Dyn-Unc", "DUAL", "CAD-Prune", "CA2D"}


def repro(root: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of a command on the real specs, with a store and renders under `root`."""
    places = {
        "REPRO_SPECS": str(ROOT / "specs"),
        "REPRO_STORE": str(root / "store"),
        "REPRO_BUILD": str(root / "build"),
    }
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('torch' in sys.modules, file=sys.stderr))\n"
        "from harness.cli.main import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | places,
    )
    assert done.returncode == 0, done.stderr
    # Training is for the workers; the command itself never imports torch.
    assert done.stderr.rstrip().endswith("False")
    fields: dict[str, Any] = json.loads(done.stdout)
    return fields


def test_the_forecast_as_the_paper_states_it(tmp_path: Path) -> None:
    plan = repro(tmp_path, "plan", "table7", "--profile", "paper")
    totals = plan["totals"]
    assert totals["device"] == "a100"
    trained = [step for step in plan["steps"] if step["step"] == "student"]
    assert len(trained) == 4 * 3 * 3
    # Table 1: 200 epochs. Each run ends with a look at the 50,000 images of the test split.
    images = sum(4 * 3 * ipc * 1000 * 200 for ipc in (10, 50, 100))
    assert sum(step["samples"] for step in trained) == pytest.approx(images, rel=0.01)
    # A training step is three passes of 1.8e9 multiply-adds at 224 pixels.
    assert sum(step["flops"] for step in trained) == pytest.approx(images * 3 * 3.6e9, rel=0.05)
    students = totals["by_step"]["student"]
    assert 8 < students["mid"] / 3600 < 25
    assert students["low"] < students["mid"] < students["high"]
    hours = {row: cost["mid"] / 3600 for row, cost in totals["by_row"].items()}
    assert set(hours) == ROWS
    # One long reference run serves both of the first two, and is what they cost more. The last
    # one cuts and joins patches, which the third does not.
    assert hours["Dyn-Unc"] == pytest.approx(hours["DUAL"])
    assert hours["DUAL"] > 1.2 * hours["CA2D"] > 1.2 * hours["CAD-Prune"]
    # One ResNet-18 fills a GPU.
    assert {step["fused"] for step in plan["steps"]} == {None}


def test_small_students_are_fused_where_the_profile_has_a_gpu(tmp_path: Path) -> None:
    steps = repro(tmp_path, "plan", "table8", "--profile", "paper")["steps"]
    groups: dict[str, set[int]] = defaultdict(set)
    for step in steps:
        if step["fused"]:
            assert step["fused"].startswith(step["step"])
            groups[step["fused"]].add(step["seed"])
    assert groups
    assert set(map(len, groups.values())) == {3}
    on_cpu = repro(tmp_path, "plan", "table8", "--profile", "cifar100")["steps"]
    assert {step["fused"] for step in on_cpu} == {None}


def test_more_images_than_a_class_has_are_refused_with_the_line_of_the_profile(
    tmp_path: Path,
) -> None:
    """The smallest class of the stand-in has 131 images to train on."""
    place = Workplace(tmp_path)
    shutil.copytree(ROOT / "specs", place.specs)
    file = "profiles/digits.toml"
    place.edit(file, "\n10 = 5\n", "\n10 = 132\n")
    outcome = place.repro("make", "table7", "--profile", "digits")
    assert outcome.code == 2
    assert f"{place.specs / file}:{place.line(file, '10 = 132')}: map.ipc.10: " in outcome.err
    assert "132 images per class are asked for, but the smallest class" in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_the_stand_in_from_end_to_end(tmp_path: Path) -> None:
    made = repro(tmp_path, "make", "table7", "--profile", "digits", "--executor", "local")
    (exhibit,) = made["exhibits"]
    cells = exhibit["cells"]
    assert {(c["row"], c["column"]) for c in cells} == {
        (row, f"IPC {ipc}") for row in ROWS for ipc in (10, 50, 100)
    }
    for cell in cells:
        assert cell["reproduced"]["n"] >= 3
        assert cell["missing"] == []
        # Better than one class in ten, and no better than perfect.
        assert 10 < cell["reproduced"]["mean"] <= 100
        assert cell["comparable"] is False
        # A contradiction within the paper comes before any result.
        assert cell["verdict"] == "not comparable"
        assert cell["reason"].startswith("profile digits: dataset digits instead of imagenet1k")
    assert {cell["run"]["ipc"] for cell in cells} == {5, 20, 30}
    for name in exhibit["files"]:
        assert Path(name).stat().st_size > 0

    again = repro(tmp_path, "make", "table7", "--profile", "digits", "--executor", "local")
    assert again["exhibits"][0]["cells"] == cells
    lines = [line for log in (tmp_path / "store" / "events").iterdir() for line in log.open()]
    started = [e["identity"] for e in map(json.loads, lines) if e["event"] == "start"]
    assert len(started) == len(set(started))
