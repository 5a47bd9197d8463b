"""The wheel in an environment of its own, without torch: its size, and the commands that work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.docs.console import commands
from tests.importing.test_from_sources import SOURCE

ROOT = Path(__file__).parents[2]
MEGABYTES = 450
SECONDS = 60
"""For an install from a warm cache; on a free machine it takes two."""
ABSENT = ("torch", "torchvision", "timm", "sklearn", "diffusers", "pylatexenc")
WORK = (
    ("list",),
    ("show", "table3", "--profile", "paper"),
    ("assumptions", "table7"),
    ("plan", "table7", "--profile", "paper"),
    ("why", "table7:DUAL:IPC 10"),
    ("verify",),
    ("status",),
    ("data", "list"),
    ("compare", "digits", "paper", "table8"),
    ("make", "table7", "--source", "reported"),
    ("report", "--out", "site"),
)
"""Commands on the project's own paper that end with 0 there."""
RUN = (
    ("make", "table7"),
    ("probe",),
    ("data", "prepare", "cifar100"),
    ("data", "fetch", "cifar100"),
)
"""Commands that run the paper's own code, which needs the extra."""


@pytest.fixture(scope="module")
def bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("light")
    source = folder / "source"
    for name in ("harness", "pyproject.toml", "repro_harness.py", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    called(UV, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", source)
    (wheel,) = (folder / "dist").glob("*.whl")
    called(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    began = time.monotonic()
    python = folder / "venv" / "bin" / "python"
    called(UV, "pip", "install", "--quiet", "--python", python, wheel)
    print(f"installed in {time.monotonic() - began:.1f} s")
    return folder / "venv" / "bin"


UV = Path(sys.executable).with_name("uv")


def called(
    *command: object, cwd: Path | None = None, code: int = 0, env: Mapping[str, str] = {}
) -> str:
    """What a command prints, with its errors if it is to fail. It has to end with that code."""
    named = {"REPRO_SPECS", "REPRO_STORE", "REPRO_BUILD", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in named} | env
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=kept, text=True, capture_output=True, check=False)
    said = f"{words} ended with {done.returncode}: {done.stderr[-2000:]}"
    assert done.returncode == code, said
    return done.stdout if code == 0 else done.stdout + done.stderr


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """The project's paper with its published results, without its code."""
    for name in ("specs", "paper", "store/published"):
        unwanted = shutil.ignore_patterns("build", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unwanted)
    return tmp_path


@pytest.mark.slow
def test_it_is_small_and_has_no_torch(bin: Path) -> None:
    found = json.loads(called(UV, "pip", "list", "--format", "json", "--python", bin / "python"))
    assert "repro-harness" in {each["name"] for each in found}
    asked = f"from importlib.util import find_spec as f; print([m for m in {ABSENT} if f(m)])"
    assert called(bin / "python", "-c", asked).strip() == "[]"
    files = (bin.parent).rglob("*")
    size = sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())
    print(f"{size / 1e6:.0f} MB")
    assert size < MEGABYTES * 1e6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_everything_but_running_the_papers_training_works(bin: Path, paper: Path) -> None:
    for words in WORK:
        called(bin / "repro", *words, cwd=paper)
    assert "table3:K-centers:HL/IPC 10" not in called(bin / "repro", "audit", cwd=paper)
    assert "deviates" in called(
        bin / "repro", "diff", "table3", "--profile", "paper", cwd=paper, code=1
    )
    shown = json.loads(called(bin / "repro", "show", "table3", "--json", cwd=paper))
    assert shown["profile"] == "paper"  # the default has no results of it, and this one has
    assert (paper / "site" / "index.html").is_file()
    results = paper / "runs.csv"
    results.write_text("row,column,seed,value\nRandom Real,HL/IPC 10,0,18.2\n")
    told = called(bin / "repro", "evidence", "add", "table3", "runs.csv", cwd=paper)
    assert "table3" in told
    document = shutil.which("latexmk") is None
    called(bin / "repro", "paper", cwd=paper, code=3 if document else 0)
    assert list((paper / "paper" / "build").rglob("main.tex"))


@pytest.mark.slow
@pytest.mark.parametrize("words", RUN, ids=" ".join)
def test_what_runs_the_papers_code_names_the_extra_on_one_line(
    words: tuple[str, ...], bin: Path, paper: Path
) -> None:
    said = called(bin / "repro", *words, cwd=paper, code=3).splitlines()
    (told,) = [line for line in said if line.strip()]  # a bar that was begun leaves an empty one
    assert told.startswith("repro: nothing was run: the paper's code needs torch")
    assert told.endswith("pip install 'repro-harness[lab]'")
    assert not (paper / "store" / "records").exists()


@pytest.mark.slow
def test_a_paper_of_files_alone_is_made_and_a_new_one_names_what_it_needs(
    bin: Path, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "examples" / "univariate", tmp_path / "univariate")
    called(bin / "repro", "make", "table1", cwd=tmp_path / "univariate")
    called(bin / "repro", "new-paper", "mine", cwd=tmp_path)
    shown = called(bin / "repro", "verify", "--all", cwd=tmp_path / "mine")
    assert "Central examples are better" in shown
    told = called(bin / "repro", "make", "table1", cwd=tmp_path / "mine", code=3)
    assert told.splitlines() == [
        "repro: nothing was run: the paper's code needs sklearn; pip install 'scikit-learn'"
    ]


@pytest.fixture
def released(bin: Path) -> dict[str, str]:
    """Settings with which uv finds the wheel, as it finds a release of this package."""
    return {
        "UV_FIND_LINKS": str(bin.parents[1] / "dist"),
        "PATH": f"{UV.parent}{os.pathsep}{os.environ['PATH']}",
    }


def run_again(mine: Path, env: Mapping[str, str]) -> tuple[int, int]:
    """Run what a project's page and its workflow say; how many commands each of them has."""
    jobs = yaml.safe_load((mine / ".github" / "workflows" / "repro.yml").read_text())["jobs"]
    steps = [step["run"] for step in jobs["repro"]["steps"] if "run" in step]
    page = [command.text for command in commands(mine / "README.md")]
    for line in page + steps:
        called("sh", "-c", line, cwd=mine, env=env)
    if shutil.which("latexmk"):
        called("sh", "-c", "uv run repro paper", cwd=mine, env=env)
    return len(page), len(steps)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_new_paper_is_run_again_by_its_page_and_by_its_workflow(
    bin: Path, released: dict[str, str], tmp_path: Path
) -> None:
    called(bin / "repro", "new-paper", "mine", cwd=tmp_path)
    mine = tmp_path / "mine"
    assert run_again(mine, released) == (5, 6)
    assert "Central (ours)" in next((mine / "site").rglob("table1.html")).read_text()
    pins = (ROOT / "requirements.lock").read_text()
    for pinned in ("scikit-learn==", "pytest=="):
        (version,) = re.findall(rf'"{pinned}([\d.]+)"', (mine / "pyproject.toml").read_text())
        assert f"\n{pinned}{version} " in pins


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_paper_begun_from_its_source_is_run_again_and_kept_in_step_with_it(
    bin: Path, released: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "main.tex").write_text(SOURCE, encoding="utf-8")
    told = called(bin / "repro", "new-paper", "mine", "--from", "main.tex", cwd=tmp_path, code=2)
    assert told.strip().endswith("pip install 'repro-harness[latex]'")
    assert not (tmp_path / "mine").exists()
    (wheel,) = (bin.parents[1] / "dist").glob("*.whl")
    once = (UV, "tool", "run", "--from", f"{wheel}[latex]", "repro")  # which is `uvx --from`
    called(*once, "new-paper", "mine", "--from", "main.tex", cwd=tmp_path)
    mine = tmp_path / "mine"
    assert run_again(mine, released) == (5, 3)
    assert "88.1 ± 0.4" in next((mine / "site").rglob("table1.html")).read_text()
    shutil.copy(tmp_path / "main.tex", mine)
    again = called("sh", "-c", "uv run repro tables sync main.tex", cwd=mine, env=released)
    assert "88.1" not in again


@pytest.mark.slow
def test_the_other_names_of_the_command_work(bin: Path, paper: Path) -> None:
    for module in ("harness", "repro_harness"):
        assert "table7" in called(bin / "python", "-m", module, "list", cwd=paper)


def test_another_package_of_that_name_is_named(tmp_path: Path) -> None:
    other = tmp_path / "harness"
    other.mkdir()
    (other / "__init__.py").write_text("raise RuntimeError('not meant to be run')\n")
    script = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import repro_harness as r; r.main()"
    told = called(sys.executable, "-c", script, "list", cwd=ROOT, code=2)
    assert told.startswith(f"repro: 'harness' is another package here ({other}")
    assert "uvx --from repro-harness repro" in told
