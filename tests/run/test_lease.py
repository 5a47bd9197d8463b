"""A lease has one living owner."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.run import lease as lease_module
from harness.run.lease import Lease, acquire, held
from harness.store.owner import Owner
from harness.store.store import Store
from tests.run.graphs import chain, ended, graph_of, in_child, run_inline

STEP = "a" * 64


def plant(store: Store, owner: Owner, age: float = 0.0) -> Path:
    path = store.root / "leases" / STEP
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(owner.token)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def take(store: Store) -> Lease | None:
    return acquire(store, STEP, "draw", limit=30.0)


def test_one_at_a_time(tmp_path: Path):
    store = Store(tmp_path)
    lease = take(store)
    assert lease is not None
    with lease:
        assert take(store) is None
        assert held(store) == {STEP}
    assert held(store) == set()
    assert take(store) is not None
    assert store.events.read() == []


def test_a_dead_process_loses_its_lease(tmp_path: Path):
    store = Store(tmp_path)

    def die() -> None:
        take(store)
        os.kill(os.getpid(), signal.SIGKILL)

    pid = in_child(die)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped yet
    assert take(store) is not None, "a zombie is dead"
    assert ended(pid) == -signal.SIGKILL
    (event,) = store.events.read()
    assert event["event"] == "takeover"
    assert str(pid) in event["previous"]


def test_a_process_number_that_was_used_again_does_not_count(tmp_path: Path):
    store = Store(tmp_path)
    plant(store, replace(Owner.current(), started="1"))
    assert held(store) == set()
    assert take(store) is not None


# A heartbeat that lies ahead is one from before the clock was put back.
@pytest.mark.parametrize(
    ("age", "free"), [(0.0, False), (20.0, False), (40.0, True), (-86400.0, True)]
)
def test_another_host_is_judged_by_its_heartbeat(tmp_path: Path, age: float, free: bool):
    store = Store(tmp_path)
    plant(store, replace(Owner.current(), host="elsewhere"), age)
    assert (held(store, limit=30.0) == set()) is free
    assert (take(store) is not None) is free


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_clock_that_is_changed_takes_no_lease_from_the_living(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
):
    """The machine of a living owner elsewhere, and its file system, get another time."""
    store, passed, stamped = Store(tmp_path), time.monotonic, lease_module.now_ns

    def put(seconds: float) -> None:
        monkeypatch.setattr(lease_module, "now_ns", lambda root: stamped(root) + int(seconds * 1e9))

    path = plant(store, replace(Owner.current(), host="elsewhere"))
    assert take(store) is None
    put(jump)
    assert take(store) is None, "its next beat is not due"
    then = time.time() + jump
    os.utime(path, (then, then))
    assert take(store) is None, "it beats by the new clock"
    put(jump + 31.0)
    monkeypatch.setattr(time, "monotonic", lambda: passed() + 31.0)
    assert take(store) is not None, "it is silent"


def test_the_heart_beats_while_the_lease_is_open(tmp_path: Path):
    path = plant(Store(tmp_path), Owner.current(), age=1000.0)
    with Lease(path, beat=0.01):
        deadline = time.monotonic() + 5
        while path.stat().st_mtime < time.time() - 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > time.time() - 10
    assert not path.exists()


def test_a_lease_that_was_taken_over_is_not_released_by_its_former_owner(tmp_path: Path):
    store = Store(tmp_path)
    lease = take(store)
    assert lease is not None
    with lease:
        plant(store, replace(Owner.current(), host="elsewhere"))
    assert held(store) == {STEP}


def test_cleaning_leaves_what_has_to_be_taken_over(tmp_path: Path):
    store, graph = Store(tmp_path), chain()
    done, *_, undone = graph
    run_inline(graph_of(graph[done]), tmp_path)
    for identity in (done, undone):
        path = plant(store, replace(Owner.current(), started="1"))
        path.rename(path.with_name(identity))
    assert run_inline(graph, tmp_path).complete
    assert list((tmp_path / "leases").iterdir()) == []
    takeovers = [event for event in store.events.read() if event["event"] == "takeover"]
    assert [event["identity"] for event in takeovers] == [undone]


def test_of_many_takers_at_once_one_gets_a_dead_lease(tmp_path: Path):
    for trial in range(10):
        store = Store(tmp_path / str(trial))
        plant(store, replace(Owner.current(), started="1"))
        begin = time.time() + 0.03
        tried = tmp_path / f"tried {trial}"
        tried.mkdir()

        def contend(store: Store = store, begin: float = begin, tried: Path = tried) -> None:
            time.sleep(max(0.0, begin - time.time()))
            got = take(store)
            # The one that has it lives until all have tried, or a late one would rightly take it.
            (tried / str(os.getpid())).touch()
            while len(list(tried.iterdir())) < 4:
                time.sleep(0.01)
            os._exit(7 if got else 0)

        results = Counter(ended(pid) for pid in [in_child(contend) for _ in range(4)])
        assert results == {7: 1, 0: 3}
        assert len(store.events.read()) == 1


def test_leases_do_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refused)
    store = Store(tmp_path)
    plant(store, replace(Owner.current(), host="elsewhere"), age=100.0)
    lease = take(store)
    assert lease is not None
    with lease:
        assert take(store) is None
    assert not (tmp_path / "leases" / STEP).exists()
    assert [event["event"] for event in store.events.read()] == ["takeover"]


def test_many_leases_of_other_hosts_cost_one_look_at_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = Store(tmp_path)
    for number in range(20):
        path = plant(store, replace(Owner.current(), host="elsewhere"))
        path.rename(path.with_name(f"{number:064}"))
    looks = []
    real = lease_module.now_ns
    monkeypatch.setattr(lease_module, "now_ns", lambda root: looks.append(root) or real(root))
    assert len(held(store)) == 20
    assert len(looks) == 1


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(lease_module.os, "link", refuse)
    store = Store(tmp_path)
    with take(store) or pytest.fail("a free step was refused"):
        assert take(store) is None
    path = plant(store, replace(Owner.current(), pid=2**22 + 1))
    assert take(store) is not None, "a dead owner's lease is taken over"
    path.write_text("")  # its owner has not written its name yet
    assert take(store) is None
    os.utime(path, (0, 0))
    assert take(Store(tmp_path)) is not None, "by a process that comes later"
