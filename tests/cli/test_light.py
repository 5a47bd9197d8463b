"""What commands import: looking and planning are quick, whatever the science behind is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy.paper import Workplace

ROOT = Path(__file__).parents[2]
HEAVY = (
    "jinja2",
    "submitit",
    "torch",
    "torchvision",
    "sklearn",
    "scipy",
    "matplotlib",
    "numpy",
    "duckdb",
)
SCRIPT = (
    "import atexit, sys\n"
    "sys.argv[0] = 'repro'\n"
    f"heavy = {HEAVY!r}\n"
    "said = lambda: print('\\nIMPORTED', *[m for m in heavy if m in sys.modules])\n"
    "atexit.register(said)\n"
    "from harness.cli.main import main\n"
    "main()\n"
)


def imported(specs: Path, root: Path, *arguments: str, code: int = 0) -> set[str]:
    """The heavy libraries that a command imports, in a process of its own."""
    places = {
        "REPRO_SPECS": str(specs),
        "REPRO_STORE": str(root / "store"),
        "REPRO_BUILD": str(root / "build"),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | places,
    )
    assert done.returncode == code, done.stderr
    return set(done.stdout.rpartition("IMPORTED")[2].split())


def test_help_builds_no_model_of_specs() -> None:
    wrong = "{'pydantic', 'rich', 'importlib.metadata', 'harness.spec.base'}"
    script = f"import sys, harness.cli.main; sys.exit(' '.join({wrong} & set(sys.modules)) or None)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("command", [["list"], ["assumptions", "table7"], ["plan", "table7"]])
def test_looking_at_the_real_paper_imports_nothing_heavy(
    command: list[str], tmp_path: Path
) -> None:
    # What is published is read once, and then remembered.
    assert imported(ROOT / "specs", tmp_path, *command, "--json") <= {"duckdb", "numpy"}
    assert imported(ROOT / "specs", tmp_path, *command, "--json") == set()


def test_judgements_are_made_once_and_then_remembered(tmp_path: Path) -> None:
    command = (ROOT / "specs", tmp_path, "show", "table7", "--json")
    assert imported(*command) <= {"duckdb", "numpy", "scipy"}
    assert imported(*command) == set()


def test_an_audit_is_made_once_and_then_remembered(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    command = (ROOT / "specs", tmp_path, "audit", "--json")
    assert imported(*command) <= {"numpy", "scipy"}
    assert imported(*command) == set()


@pytest.mark.parametrize(
    ("command", "code"),
    [(["make", "verdicts", "averaged"], 0), (["show", "verdicts"], 0), (["diff", "averaged"], 1)],
)
def test_what_is_made_is_shown_without_anything_heavy(
    made: Workplace, command: list[str], code: int
) -> None:
    assert made.repro(*command).code == code
    assert imported(made.specs, made.root, *command, code=code) == set()


def test_planning_with_past_records_reads_the_index_and_nothing_else(made: Workplace) -> None:
    assert imported(made.specs, made.root, "plan", "broken") <= {"duckdb", "numpy"}
