"""A store that two members of a group share: what one has made, the other goes on with.

It needs root, to be two users.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toy.paper import Workplace, new_workplace

ROOT = Path(__file__).resolve().parents[2]
GROUP, FIRST, SECOND = 42_000, 42_001, 42_002
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv"
    ),
]


def as_user(user: int, place: Workplace, home: Path, *arguments: str) -> str:
    """The command as a member of the group, whose umask lets the group write."""
    done = subprocess.run(
        [
            *("setpriv", f"--reuid={user}", f"--regid={GROUP}", "--clear-groups"),
            # To read an interpreter that lies in a folder of root's; to write takes its own rights.
            *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
            *(sys.executable, "-m", "harness", *arguments),
        ],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / str(user)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "REPRO_SPECS": str(place.specs),
            "REPRO_STORE": str(place.root / "store"),
            "REPRO_BUILD": str(home / f"build{user}"),
        },
        umask=0o002,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shared(place: Workplace) -> list[Path]:
    root = place.root / "store"
    return [root, *sorted(root.rglob("*"))]


@pytest.fixture
def open_place() -> Iterator[Workplace]:
    """In a folder that other users may enter, which pytest's own may not be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield new_workplace(Path(folder))


def test_both_go_on_with_the_work_of_the_other(open_place: Workplace) -> None:
    place, home = open_place, open_place.root / "homes"
    for folder in (home, place.root / "store"):
        folder.mkdir()
        os.chown(folder, FIRST, GROUP)
        folder.chmod(0o2775)
    as_user(FIRST, place, home, "make", "verdicts:Faithful:Small", "--executor", "inline")
    as_user(SECOND, place, home, "make", "verdicts", "--executor", "inline")
    as_user(FIRST, place, home, "store", "verify")
    as_user(FIRST, place, home, "make", "averaged", "--executor", "local")
    owners = {path.stat().st_uid for path in shared(place) if path.is_file()}
    assert owners == {FIRST, SECOND}
    closed = [path for path in shared(place) if not path.stat().st_mode & 0o020]
    assert not closed, "the group may write every file and folder"
