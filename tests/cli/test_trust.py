"""Commands that only read execute no code of a paper whose folder its user has not trusted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.plan import library
from harness.plan.answers import answer_key, plan_answered
from harness.registry import PAPER_PACKAGES
from harness.study.project import find_project

ROOT = Path(__file__).resolve().parents[2]

PAYLOAD = "\nfrom pathlib import Path\nPath(__file__).with_name('executed').touch()\n"
READING = (
    "list",
    "show table1",
    "show table1 --json",
    "diff table1",
    "verify",
    "status",
    "assumptions table1",
    "audit",
    "runs",
    "compare paper paper",
    "report",
    "make table1 --source reported",
    "store verify",
)


def run(folder: Path, *arguments: str) -> str:
    """The command in a process of its own; its standard output."""
    done = subprocess.run(
        [Path(sys.executable).with_name("repro"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paper with steps of its own, made and published, as its author has it."""
    folder = tmp_path_factory.mktemp("author") / "paper"
    run(folder.parent, "new-paper", str(folder))
    run(folder, "make", "table1", "--executor", "inline")
    run(folder, "store", "export", "store/published", "table1")
    with (folder / "experiment" / "__init__.py").open("a") as file:
        file.write(PAYLOAD)
    shutil.copy(folder / "experiment" / "__init__.py", folder / "torchvision.py")
    return folder


@pytest.fixture
def stranger(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same folder as someone finds it who has trusted nothing."""
    folder = tmp_path / "theirs"
    shutil.copytree(written, folder)
    for path in folder.rglob("executed"):
        path.unlink()
    for name in ("records", "memo", "events"):
        shutil.rmtree(folder / "store" / name, ignore_errors=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    before = {name for name in sys.modules if name.partition(".")[0] == "experiment"}
    yield folder
    for name in {n for n in sys.modules if n.partition(".")[0] == "experiment"} - before:
        del sys.modules[name]
    PAPER_PACKAGES.admitted.clear()
    library._listed.cache_clear()


def repro(monkeypatch: pytest.MonkeyPatch, line: str) -> int:
    monkeypatch.setattr(sys, "argv", ["repro", *line.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def executed(folder: Path) -> bool:
    return any(folder.rglob("executed"))


@pytest.mark.parametrize("line", READING)
def test_what_only_reads_executes_nothing(
    stranger: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
) -> None:
    assert repro(monkeypatch, line) in (0, 1)
    assert not executed(stranger)
    assert not (stranger.parent / "state").exists()
    if line.partition(" ")[0] in ("show", "diff", "verify"):
        assert capsys.readouterr().err.count("not trusted") == 1


def test_published_numbers_are_shown_all_the_same(
    stranger: Path,
    written: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert repro(monkeypatch, "show table1 --json") == 0
    here = json.loads(capsys.readouterr().out)
    theirs = json.loads(run(written, "show", "table1", "--json"))
    assert any(cell["reproduced"] for cell in here["cells"])
    assert here == theirs


def test_what_is_published_later_is_counted_too(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    shutil.copytree(written, folder)
    run(folder, "trust")
    store, published = folder / "store", folder / "store" / "published"
    shutil.rmtree(published)
    kept = ("records", "links", "memo")

    def listed(*parts: str) -> dict[str, int]:
        run(folder, "store", "export", str(published), *parts)
        aside = [(store / name).rename(tmp_path / name) for name in kept if (store / name).exists()]
        if memo.exists():
            shutil.copytree(memo, store / "memo")
        (about,) = json.loads(run(folder, "list", "--json"))["exhibits"]
        shutil.move(store / "memo", memo)
        for place in aside:
            place.rename(store / place.name)
        return about["results"]

    memo = tmp_path / "reader"
    assert listed("table1:Central:5") == {"paper": 1}
    assert listed("table1") == {"paper": 4}


def test_where_specs_have_changed_published_results_say_nothing_of_them(
    stranger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = stranger / "specs" / "tables" / "table1.toml"
    renamed = re.sub(r'^(title|caption|label) = "', r'\1 = "New ', spec.read_text(), flags=re.M)
    spec.write_text(f"{renamed}\n# another thought\n")
    assert repro(monkeypatch, "list --json") == 0
    (listed,) = json.loads(capsys.readouterr().out)["exhibits"]
    assert listed["title"].startswith("New ")
    assert listed["results"], "a title is only shown"
    assert repro(monkeypatch, "show table1 --json") == 0
    assert any(cell["reproduced"] for cell in json.loads(capsys.readouterr().out)["cells"])

    profile = stranger / "specs" / "profiles" / "paper.toml"
    profile.write_text(f"seeds = 2\n{profile.read_text()}")
    assert repro(monkeypatch, "show table1 --json") == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert {cell["verdict"] for cell in cells} == {"not run"}
    assert all("have changed" in cell["reason"] for cell in cells)


@pytest.mark.parametrize("line", ["plan table1", "probe", "trust"])
def test_what_runs_trusts_and_so_does_trust(
    stranger: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
) -> None:
    assert repro(monkeypatch, line) == 0
    assert "is trusted from now on" in capsys.readouterr().err
    assert not list(stranger.rglob("*trust*")), "the mark is not in the folder"
    assert repro(monkeypatch, "show table1") == 0
    assert executed(stranger)


def test_no_code_holds_even_where_trusted(
    stranger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repro(monkeypatch, "trust") == 0
    assert repro(monkeypatch, "show table1 --no-code") == 0
    assert "--no-code: specs and published results" in capsys.readouterr().err
    assert repro(monkeypatch, "make table1 --no-code") == 2
    assert not executed(stranger)


def test_trust_without_code_is_refused_for_what_it_would_do(
    stranger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repro(monkeypatch, "trust --no-code") == 2
    assert "lets the paper's own code be executed" in capsys.readouterr().err
    assert not (stranger.parent / "state").exists()


def test_a_paper_answers_for_no_other_package(stranger: Path) -> None:
    PAPER_PACKAGES.admit({"experiment": stranger})
    assert PAPER_PACKAGES.find_spec("experiment") is not None
    assert PAPER_PACKAGES.find_spec("torchvision") is None
    assert str(stranger) not in sys.path
    assert Path.cwd() == stranger


def test_what_this_paper_publishes_is_of_its_specs_as_they_are() -> None:
    """Else `--no-code` shows nothing; `repro store export store/published all` mends it."""
    project = find_project(ROOT)
    published = project.store.published
    assert published is not None
    planned = [key.split("@") for key in published.answers]
    assert planned
    for exhibit, profile in planned:
        held = published.answers[answer_key(exhibit, profile)]
        plan = plan_answered(project.paper, exhibit, profile, held)
        assert not any("have changed" in item.reason for item in plan.items), (exhibit, profile)
