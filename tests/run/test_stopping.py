"""However a run ends, its workers end with it, keep what they can, and say so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.run.local import LocalExecutor
from harness.run.progress import Progress
from harness.store.store import Store
from tests.run.graphs import Step, graph_of, special

REPOSITORY = Path(__file__).parents[2]
END = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}


@pytest.fixture
def step(tmp_path: Path, request: pytest.FixtureRequest) -> Step:
    return special(request.param, tmp_path / "word", label="endless")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def run(tmp_path: Path, step: Step, store: Store) -> Iterator[subprocess.Popen[str]]:
    """A run with one worker, which is at work; what it says goes to a file."""
    command = [sys.executable, "-m", "tests.run.child", str(store.root), str(tmp_path / "word")]
    with (tmp_path / "said").open("w") as said:
        started = subprocess.Popen(
            [*command, "local", step.name],
            cwd=REPOSITORY,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        while not (tmp_path / "word").exists():
            assert started.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.02)
        time.sleep(0.3)
        yield started
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)


def worker_of(store: Store) -> int:
    return next(int(event["pid"]) for event in store.events.read() if event["event"] == "start")


def gone(pid: int, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("sent", END)
@pytest.mark.parametrize("step", ["train", "wait"], indirect=True)
def test_workers_stop_with_their_run(
    run: subprocess.Popen[str], step: Step, store: Store, tmp_path: Path, sent: signal.Signals
):
    run.send_signal(sent)
    assert run.wait(timeout=60) == END[sent]
    assert gone(worker_of(store), within=15.0), "its worker goes on"
    events = [(event["event"], event.get("next")) for event in store.events.read()]
    kept = "goes on from its last checkpoint" if step.name == "train" else "begins anew"
    assert events == [("start", None), ("stop", kept)]
    assert list((store.root / "leases").iterdir()) == []
    said = (tmp_path / "said").read_text()
    assert said.count(f"stopped {step.name} (seed 0) {step.identity[:12]}: {kept}") == 1, said
    assert "Traceback" not in said
    if step.name == "train":
        assert LocalExecutor(["cpu"]).run(graph_of(step), store, Progress()).complete
        record = store.get(step.identity)
        assert record is not None
        assert record.values == {"went on": True}


@pytest.mark.parametrize("step", ["deaf"], indirect=True)
def test_a_worker_deep_in_a_call_ends_too(run: subprocess.Popen[str], store: Store, tmp_path: Path):
    run.kill()
    run.wait()
    assert gone(worker_of(store), within=30.0)
    assert "begins anew" in (tmp_path / "said").read_text()
