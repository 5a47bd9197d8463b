"""A wait for another process is said once, with all that tells whom to ask."""

from __future__ import annotations

import getpass
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from harness.run import holder
from harness.run.executors import Executor
from harness.run.holder import holders
from harness.run.inline import InlineExecutor
from harness.run.local import LocalExecutor
from harness.run.progress import progress_on
from harness.store.owner import Owner
from harness.store.store import Store
from tests.run.graphs import Step, ended, graph_of, in_child, run_inline, special, waiting


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    class Waiting(holder.Waiting):
        def __init__(self, store: Store, say: Callable[..., None]) -> None:
            super().__init__(store, say, patience=0.5)

    monkeypatch.setattr("harness.run.inline.Waiting", Waiting)
    monkeypatch.setattr("harness.run.local.Waiting", Waiting)


class Heard(StringIO):
    """Leaves word once a wait was said."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self.place = place

    def write(self, text: str) -> int:
        if text.startswith("waiting"):
            self.place.touch()
        return super().write(text)


def started(store: Store, step: Step, place: Path) -> int:
    child = in_child(lambda: run_inline(graph_of(step), store.root))
    while not place.exists():
        time.sleep(0.01)
    return child


@pytest.mark.parametrize("executor", [InlineExecutor(), LocalExecutor(["cpu"] * 2)])
def test_a_wait_is_said_once(tmp_path: Path, executor: Executor):
    store, place, said = Store(tmp_path / "store"), tmp_path / "word", Heard(tmp_path / "heard")
    slow = special("linger", place, 30.0, label=str(said.place))
    child = started(store, slow, place)
    graph = graph_of(slow, waiting("own", 0.3))
    progress = progress_on(said, {i: [f"table:row:{i[:4]}", "table:row:other"] for i in graph})
    assert executor.run(graph, store, progress).current == [slow.identity]
    (line,) = re.findall("^waiting .*", said.getvalue(), re.MULTILINE)
    assert line.startswith(
        f"waiting for linger (seed 0) of table:row:{slow.identity[:4]} and 1 more: process {child} "
        f"of {getpass.getuser()} on {Owner.current().host}, since "
    )
    assert line.endswith(f"; nothing is to be done; `kill {child}` would free the step")
    assert ended(child) == 0


def test_nobody_waits_who_has_work(tmp_path: Path):
    store, place, said = Store(tmp_path / "store"), tmp_path / "word", StringIO()
    slow = waiting("slow", 1.5, str(place))
    child = started(store, slow, place)
    own = graph_of(slow, *(waiting(str(number), 0.3) for number in range(6)))
    InlineExecutor().run(own, store, progress_on(said))
    assert "waiting" not in said.getvalue()
    assert ended(child) == 0


def test_a_stopped_process_is_told_from_a_running_one(tmp_path: Path):
    store, place = Store(tmp_path / "store"), tmp_path / "word"
    slow = waiting("slow", 60.0, str(place))
    child = started(store, slow, place)
    try:
        for sent, condition in (
            (signal.SIGSTOP, "stopped"),
            (signal.SIGCONT, "running"),
        ):
            os.kill(child, sent)
            time.sleep(0.1)
            held = holders(store, [slow.identity])[slow.identity]
            assert held.condition == condition
            assert (f"kill -CONT {child}" in held.advice) is (condition == "stopped")
            assert held.since == pytest.approx(time.time(), abs=30.0)
    finally:
        os.kill(child, signal.SIGKILL)
        ended(child)


def test_of_another_host_only_its_sign_of_life_is_known(tmp_path: Path):
    store = Store(tmp_path)
    path = tmp_path / "leases" / ("a" * 64)
    path.parent.mkdir()
    path.write_text(replace(Owner.current(), host="elsewhere", pid=4711).token)
    os.utime(path, (time.time() - 12.0,) * 2)
    held = holders(store, [path.name, "b" * 64])[path.name]
    assert str(held) == f"process 4711 of {getpass.getuser()} on elsewhere"
    assert held.condition == "elsewhere"
    assert re.search(r"sign of life was 1[23] s ago; after 60 s", held.advice)
