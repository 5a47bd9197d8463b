"""Answers that are kept: whatever they follow from, a change of it makes them anew."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import answers
from harness.study.trust import trust
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace

ROOT = Path(__file__).parents[2]
READER = """
import sys, threading, subprocess, socket, os
from pathlib import Path
from harness.cli import answers
answers._SETTLED = -10**18  # files of this test are young
reading = answers.Reading(Path(sys.argv[1]))
{does}
reading.hear(1, b"said")
reading.keep(0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with specs, a file of results far down, and a store with one record."""
    home = tmp_path / "paper"
    for name in (
        "specs/paper.toml",
        "a/b/c/d/runs.csv",
        "runs/a/seed0/metrics.json",
        "runs/a/seed1/log.txt",
        "store/records/ab/abcd/record.json",
        "store/tmp/x",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("1")
    return home


def kept(project: Path, does: str) -> bool:
    """Whether an answer is kept of a process that does this, in the project's folder."""
    key = project.parent / "answers" / "key.json"
    key.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-c", READER.format(does=does), key],
        cwd=project,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return answers._kept(key) is not None


@pytest.mark.parametrize(
    "does",
    [
        "open('a/b/c/d/runs.csv').read()",
        "os.listdir('a')",
        "open('store/tmp/1', 'w'); os.remove('store/tmp/1')",
        "open(os.devnull, 'w')",
        "Path('a/b').mkdir(parents=True, exist_ok=True)",
        "open(f'/proc/{os.getpid()}/stat').read()",
        "os.makedirs('store/memo/verdicts'); os.rename('store/tmp/x', 'store/memo/verdicts/x')",
    ],
)
def test_what_only_reads_is_kept(project: Path, does: str) -> None:
    assert kept(project, does)


@pytest.mark.parametrize(
    "does",
    [
        "open('new', 'w')",
        "open('a/b/c/d/runs.csv', 'a')",
        "os.open('new', os.O_CREAT | os.O_WRONLY)",
        "os.remove('a/b/c/d/runs.csv')",
        "os.rename('a', 'z')",
        "os.mkdir('new')",
        "os.rename('store/records', 'store/memo')",
        "os.makedirs('store/memo/answers'); os.rename('store/tmp/x', 'store/memo/answers/x')",
        "os.chmod('a', 0o700)",
        "subprocess.run(['true'])",
        "os.system('true')",
        "socket.socket().connect_ex(('127.0.0.1', 9))",
        "open('/dev/stdin').close()",
        "t = threading.Thread(target=lambda: open('new', 'w')); t.start(); t.join()",
        "open(f'/proc/{os.getppid()}/stat').read()",
    ],
)
def test_what_does_more_is_not_kept(project: Path, does: str) -> None:
    assert not kept(project, does)


def test_nothing_is_kept_while_somebody_runs_a_step(project: Path) -> None:
    (project / "store" / "leases").mkdir()
    assert kept(project, "os.listdir('store')")
    (project / "store" / "leases" / "abcd").write_text("1")
    assert not kept(project, "os.listdir('store')")


def test_a_folder_that_cannot_be_listed_is_none_to_keep_an_answer_by(project: Path) -> None:
    (project / "a" / "loop").symlink_to("loop")
    assert kept(project, "os.listdir('a')")
    (project / "a" / "b" / "loop").symlink_to("loop")
    assert answers._kept(project.parent / "answers" / "key.json") is not None
    assert not kept(project, "answers._MOST_FILES = 0; os.listdir('specs')")


def test_what_changes_meanwhile_is_not_kept(project: Path) -> None:
    changed = (
        "open('a/b/c/d/runs.csv').read(); os.posix_spawn('/bin/sh', ['sh', '-c', 'echo 2 > x'], {})"
    )
    assert not kept(project, changed)
    reading = "open('a/b/c/d/runs.csv').read(); reading._only_read = False; "
    reading += "open('a/b/c/d/new', 'w').close(); reading._only_read = True"
    assert not kept(project, reading)


def test_what_was_changed_lately_is_not_kept(project: Path) -> None:
    assert not kept(project, "answers._SETTLED = 10**11; open('a/b/c/d/runs.csv').read()")


def same_size_and_time(path: Path) -> None:
    about = path.stat()
    path.write_text("2")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def renamed_over(path: Path) -> None:
    path.with_name("other").write_text("1")
    path.with_name("other").rename(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda home: same_size_and_time(home / "a/b/c/d/runs.csv"),
        lambda home: renamed_over(home / "a/b/c/d/runs.csv"),
        lambda home: (home / "a/b/c/d/runs.csv").unlink(),
        lambda home: (home / "a/b/c/d/runs.csv").chmod(0),
        lambda home: (home / "a/b/c/d/more.csv").write_text("1"),
        lambda home: shutil.rmtree(home / "a"),
        lambda home: (home / "e/f/g.csv").mkdir(parents=True),
        lambda home: (home / "runs/a/seed1/metrics.json").write_text("1"),
        lambda home: (home / "runs/b/seed0").mkdir(parents=True),
        lambda home: (home / "specs/more.toml").write_text("1"),
        lambda home: (home / "store/records/ab/abce").mkdir(),
        lambda home: (home / "store/records/cd/cdef").mkdir(parents=True),
        lambda home: (home / "store/failures/cd/cdef").mkdir(parents=True),
        lambda home: same_size_and_time(home / "store/records/ab/abcd/record.json"),
        *(
            lambda home, kind=kind: (home / "store/memo" / kind / "cd/cdef").mkdir(parents=True)
            for kind in ("answers", "answers-files", "probed")
        ),
        lambda home: (home / "a/b/c/d/link").symlink_to("nowhere"),
    ],
)
def test_an_answer_ends_with_what_it_follows_from(
    project: Path, change: Callable[[Path], object]
) -> None:
    assert kept(
        project,
        "open('store/records/ab/abcd/record.json'); open('a/b/c/d/runs.csv');"
        "Path('e/f/g.csv').exists(); os.path.isfile('specs/more.toml');"
        "list(Path('.').glob('runs/*/seed*/metrics.json'));"
        "[os.path.exists(f'store/{kind}/cd/cdef') for kind in ('records', 'failures',"
        "'memo/answers', 'memo/answers-files', 'memo/probed')];"
        "os.listdir('store/records/ab')",
    )
    change(project)
    assert answers._kept(project.parent / "answers" / "key.json") is None


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"states": {}}', '{"states": [1]}'])
def test_a_damaged_answer_counts_as_none(project: Path, damage: str) -> None:
    assert kept(project, "open('a/b/c/d/runs.csv').read()")
    key = project.parent / "answers" / "key.json"
    key.write_text(damage)
    assert answers._kept(key) is None


def test_the_same_is_said_again_without_importing(tmp_path: Path) -> None:
    """Of a real command: the same bytes on both streams, the same exit code, no command line."""
    home = tmp_path / "paper"
    shutil.copytree(ROOT / "specs", home / "specs")
    kept = tmp_path / "answers"
    variables = {**os.environ, "REPRO_ANSWERS": str(kept), "PYTHONPROFILEIMPORTTIME": "1"}

    def told(*words: str) -> tuple[int, bytes, list[bytes], bool]:
        command = [sys.executable, "-m", "repro_harness", *words]
        done = subprocess.run(command, cwd=home, env=variables, capture_output=True)
        lines = done.stderr.splitlines()
        said = [line for line in lines if not line.startswith(b"import time:")]
        return done.returncode, done.stdout, said, b"harness.cli.main" in done.stderr

    first = told("show", "table7", "--no-code")
    for _ in range(20):  # what Python compiled for another test may be too young
        if kept.exists():
            break
        time.sleep(1)
        assert told("show", "table7", "--no-code") == first
    assert first[3]
    assert told("show", "table7", "--no-code") == (*first[:3], False)
    (home / "specs" / "paper.toml").touch()
    assert told("show", "table7", "--no-code") == first
    variables["REPRO_ANSWERS"] = "off"
    assert told("show", "table7", "--no-code") == first


def test_a_list_follows_from_what_was_judged_since(copied: Workplace) -> None:
    """A profile is edited: what is there is not known, then shown, and known by text and JSON."""
    kept, root = copied.root / "answers", copied.root
    places = {"SPECS": copied.specs, "STORE": root / "store", "BUILD": root / "build"}
    variables = {f"REPRO_{name}": str(place) for name, place in places.items()}
    young = "import sys; from harness.cli import answers; answers._SETTLED = -10**18; "
    trust(root.resolve())

    def told(*words: str) -> str:
        command = [sys.executable, "-c", f"{young}answers.command(sys.argv[1:])()", *words]
        environment = {**os.environ, **variables, "REPRO_ANSWERS": str(kept)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed() -> tuple[dict[str, int], str]:
        found = json.loads(told("list", "--json"))["exhibits"]
        about = next(each for each in found if each["id"] == "averaged")
        text = " ".join(told("list").split())
        assert all(f"{n} {profile}" in text for profile, n in about["results"].items())
        assert about["remark"] in text
        return about["results"], about["remark"]

    before = listed()
    assert (list(before[0]), before[1]) == (["stated"], "")
    copied.edit("profiles/stated.toml", "seeds = 5", "seeds = 4")
    see = "see `repro show averaged --profile stated`"
    assert [listed(), listed()] == [({}, f"not counted since the specs changed: stated; {see}")] * 2
    assert len([*kept.rglob("*.json")]) == 2
    told("show", "averaged")
    assert listed() == before
    copied.edit("recipes/measuring.toml", 'mean = "{truth}"', 'mean = "{scatter}"')
    assert listed()[0] == {}
    assert see in listed()[1]
    told("show", "averaged")
    assert listed() == ({}, "")


def test_the_profile_that_is_shown_is_the_same_the_second_time(copied: Workplace) -> None:
    """What is not known of one, since it was edited, is found out before it is chosen."""
    copied.edit("paper.toml", 'default_profile = "stated"', 'default_profile = "small"')
    assert copied.repro("make", "averaged", "--profile", "small", *INLINE).code == 0
    copied.edit("profiles/small.toml", "20 = 15", "20 = 14")
    told = [copied.repro("show", "averaged", "--json") for _ in range(2)]
    assert [each.json["profile"] for each in told] == ["stated", "stated"]
    assert told[0].err == told[1].err


def test_what_a_process_starts_with_names_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_ANSWERS", str(tmp_path))
    monkeypatch.setattr(answers, "_terminal", lambda number: (80, 24))
    first = answers._key(["show", "table7"])
    assert first == answers._key(["show", "table7"])
    found = [first, answers._key(["show", "table8"]), answers._key(["diff", "table7"])]
    for change in (
        lambda: monkeypatch.setenv("NO_COLOR", "1"),
        lambda: monkeypatch.setattr(answers, "_terminal", lambda number: (60, 24)),
        lambda: monkeypatch.chdir(tmp_path),
        lambda: monkeypatch.setattr(sys, "argv", ["another"]),
        lambda: monkeypatch.setattr(answers, "_installed", list),
        lambda: monkeypatch.setattr(os, "getuid", lambda: 4711),
    ):
        change()
        found.append(answers._key(["show", "table7"]))
    assert len(set(found)) == len(found)


def test_only_answers_are_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRO_ANSWERS", str(tmp_path))
    monkeypatch.setattr(answers, "_MOST_ANSWERS", 2)
    mine = tmp_path / "mine.json"
    mine.write_text("{}")
    keys = [answers._key(["show", f"table{number}"]) for number in range(4)]
    for age, key in enumerate(filter(None, keys)):
        answers._write(key, {"said": []})
        os.utime(key, (age, age))
    assert mine.exists()
    assert [key for key in keys if key and key.exists()] == keys[2:]
