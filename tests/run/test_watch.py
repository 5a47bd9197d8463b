"""A worker that hangs is noticed; one that is slow, or a machine that slept, is not."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from harness.run import local, watch
from harness.run.local import LocalExecutor
from harness.run.progress import Progress
from harness.run.watch import Watch
from harness.store.store import Store
from tests.run.graphs import graph_of, special

STEP = "a" * 64


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("harness.run.watch.time.monotonic", lambda: now[0])
    return now


def looked(store: Store, clock: list[float], pauses: list[float], beats: bool) -> list[list[str]]:
    """What each look after a pause says of a step whose owner's heart beats or not."""
    path = store.root / "leases" / STEP
    path.parent.mkdir(parents=True)
    path.touch()
    guard = Watch(store, silence=60.0)
    found = []
    for number, pause in enumerate(pauses):
        clock[0] += pause
        if beats:
            os.utime(path, (number, number))
        found.append(guard.hung([STEP]))
    return found


def test_silence_is_noticed_and_a_heartbeat_heard(tmp_path: Path, clock: list[float]):
    found = looked(Store(tmp_path / "silent"), clock, [5.0] * 15, beats=False)
    assert found == [[]] * 13 + [[STEP]] * 2
    assert not any(looked(Store(tmp_path / "beating"), clock, [5.0] * 50, beats=True))


def test_a_worker_that_never_takes_its_lease_hangs_too(tmp_path: Path, clock: list[float]):
    guard = Watch(Store(tmp_path), silence=60.0)
    found = []
    for _ in range(15):
        clock[0] += 5.0
        found.append(guard.hung([STEP]))
    assert found == [[]] * 13 + [[STEP]] * 2


def test_a_night_is_no_silence(tmp_path: Path, clock: list[float]):
    assert not any(looked(Store(tmp_path), clock, [5.0, 5.0, 30_000.0, 5.0], beats=False))


@pytest.mark.slow
def test_a_stopped_worker_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch, "LOOK", 1.0)
    monkeypatch.setattr(local, "Watch", lambda store: Watch(store, silence=15.0))
    store = Store(tmp_path / "store")
    step = special("stall", tmp_path / "word")

    def stop() -> None:
        while not (tmp_path / "word").exists():
            time.sleep(0.05)
        pid = next(e["pid"] for e in store.events.read() if e["event"] == "start")
        os.kill(pid, signal.SIGSTOP)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert LocalExecutor(["cpu"]).run(graph_of(step), store, Progress()).complete
    stopper.join()
    record = store.get(step.identity)
    assert record is not None
    assert record.values == {"went on from": 3}
    assert [event["event"] for event in store.events.read()] == [
        *("start", "retry", "takeover", "start", "finish")
    ]
