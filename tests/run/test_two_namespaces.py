"""Two containers with one host name and tables of processes of their own share a store.

It needs root and `unshare`, to make a table of processes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.run.lease import acquire, held
from harness.store.files import temporary
from harness.store.owner import Owner
from harness.store.store import Store
from tests.run.graphs import graph_of, run_inline, waiting

ROOT = Path(__file__).resolve().parents[2]
CONTAINED = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
WORK = """
import sys
from pathlib import Path
from harness.store.owner import Owner
from tests.run.graphs import graph_of, run_inline, waiting
root, place = sys.argv[1:]
run_inline(graph_of(waiting("contained", seconds=4.0, place=place)), Path(root))
"""
needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare"
)


@needs_root
def test_a_step_of_the_other_container_is_not_done_twice(tmp_path: Path) -> None:
    store, place = Store(tmp_path / "store"), tmp_path / "begun"
    other = subprocess.Popen(
        [*CONTAINED, sys.executable, "-c", WORK, str(store.root), str(place)], cwd=ROOT
    )
    try:
        while not place.exists():
            assert other.poll() is None
            time.sleep(0.05)
        step = waiting("contained", seconds=4.0, place=str(place))
        assert held(store) == {step.identity}
        assert acquire(store, step.identity, step.name) is None
        (lease,) = (store.root / "leases").glob("*")
        owner = Owner.parse(lease.read_text())
        assert owner is not None
        assert owner.host == Owner.current().host
        assert owner.alive() is None, "it cannot be asked from here"
        draft = store.root / "tmp" / f"{owner.token}~99"
        draft.mkdir()
        store.clean()
        assert draft.exists(), "it is of the living"
        run_inline(graph_of(step), store.root)
    finally:
        code = other.wait()
    assert code == 0
    events = [event["event"] for event in store.events.read()]
    assert events.count("start") == 1
    assert "takeover" not in events


def test_a_token_names_the_table_of_processes() -> None:
    owner = Owner.current()
    assert Owner.parse(owner.token) == owner
    assert owner.alive()
    assert replace(owner, space="0" * 12).alive() is None
    assert Owner.parse("node-1~77~123") == Owner("node-1", 77, "123"), "as older versions wrote it"


def test_a_temporary_name_names_its_owner(tmp_path: Path) -> None:
    name = temporary(tmp_path).name
    assert Owner.parse(name.rpartition("~")[0]) == Owner.current()
