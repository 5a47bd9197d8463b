"""`repro new-paper`: what it writes can be made, shown, verified and probed at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.spec.paper import load_paper
from harness.store.store import Store
from tests.toy.paper import Workplace

ROOT = Path(__file__).parents[2]


def repro(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since a paper's steps are imported by name."""
    named = {"REPRO_SPECS", "REPRO_STORE", "REPRO_BUILD"}
    kept = {name: value for name, value in os.environ.items() if name not in named}
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli.main import main; main()", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=kept | {"PYTHONPATH": str(ROOT)},
    )


def test_a_new_paper_is_sound_and_named_after_its_folder(tmp_path: Path) -> None:
    done = repro(tmp_path, "new-paper", "Our Great Paper")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "Our Great Paper"
    paper = load_paper(folder / "specs")
    assert paper.about.id == "our-great-paper"
    assert paper.runnable == ["table1"]
    assert (folder / "specs" / "schema" / "table.json").is_file()
    assert 'title: "Runs of My paper"' in (folder / "CITATION.cff").read_text()
    assert "store/*" in (folder / ".gitignore").read_text()


def test_a_folder_that_holds_something_is_left_alone(place: Workplace) -> None:
    outcome = place.repro("new-paper", str(place.root))
    assert outcome.code == 2
    assert "name a new folder" in outcome.err


@pytest.mark.slow
def test_it_makes_shows_verifies_and_probes_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    assert repro(tmp_path, "new-paper", "paper").returncode == 0
    made = repro(folder, "make", "table1", "--executor", "inline")
    assert made.returncode == 0, made.stderr
    shown = repro(folder, "show", "table1").stdout
    assert all(word in shown for word in ("reproduced", "deviates", "inconclusive"))
    assert repro(folder, "verify", "--require").returncode == 0
    repro(folder, "make", "table1:Central:5", "--seeds", "9", "--executor", "inline")
    told = json.loads(repro(folder, "diff", "table1", "--seeds", "9", "--json").stdout)
    central = next(c for c in told["cells"] if (c["row"], c["column"]) == ("Central", "5"))
    assert (central["reproduced"]["n"], central["deterministic"]) == (1, True)
    assert (central["verdict"], central["method"]) == ("deviates", "exact")
    varied = repro(folder, "make", "table1", "--vary", "central.around=median")
    assert "table1:Central:5: deviates -> reproduced" in varied.stdout
    assert repro(folder, "probe", "--update").returncode == 0
    assert repro(folder, "probe").returncode == 0
    # 28 of the three seeds and the alternative, 6 of the cell that was asked for at nine seeds.
    assert len(Store(folder / "store").identities()) == 34


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_code_that_makes_other_numbers_is_told_when_read_and_refused_by_make(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "paper"
    assert repro(tmp_path, "new-paper", "paper").returncode == 0
    make = ("make", "table1", "--executor", "inline")
    assert repro(folder, "probe").returncode == 0
    made = repro(folder, *make)
    assert made.returncode == 0
    assert "has changed" not in made.stderr
    code = folder / "experiment" / "functions.py"
    sound, scored = code.read_text(), "float(nearest.score(digits.test, digits.test_labels))"
    assert sound.count(scored) == 1

    code.write_text(sound.replace(scored, "0.9"))
    for command in (("show", "table1"), ("diff", "table1"), ("verify",), ("report",)):
        told = repro(folder, *command).stderr
        assert told.count("the code of classify has changed since its records were made") == 1
    (notice,) = json.loads(repro(folder, "show", "table1", "--json").stdout)["notices"]
    assert "classify" in notice
    made = repro(folder, *make)
    assert made.returncode == 2
    assert "step classify: revision 1 gives different numbers (values.accuracy: " in made.stderr
    assert made.stdout == ""

    # The same numbers by other code: probed once, remembered, and used without a word.
    code.write_text(sound.replace(scored, f"1.0 * {scored}"))
    assert "classify" in repro(folder, "show", "table1").stderr
    made = repro(folder, *make)
    assert made.returncode == 0
    assert "has changed" not in made.stderr
    assert repro(folder, "show", "table1").stderr == ""

    steps = folder / "experiment" / "steps.py"
    named = 'probe="experiment.functions:probe_classify"'
    steps.write_text(steps.read_text().replace(named, 'probe=""'))
    code.write_text(sound.replace(scored, f"2.0 * {scored} / 2"))
    assert "classify (which has no probe)" in repro(folder, "show", "table1").stderr
    assert "and it has no probe" in repro(folder, *make).stderr
    assert "step classify has no probe" in repro(folder, "probe").stdout
