"""The index answers as the records do, whatever state it is in."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import harness.store.index as index_module
from harness.plan.cost import Past
from harness.plan.step import StepResult
from harness.store.index import Index
from harness.store.store import Store
from tests.run.graphs import make_step

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for seed in range(3):
        add(store, seed, float(seed))
    target = store.get(make_step("draw", seed=2).identity)
    assert target is not None
    store.link(make_step("draw", revision=9, seed=2), target)
    return store


def add(store: Store, seed: int, seconds: float, name: str = "draw") -> None:
    store.commit(
        make_step(name, seed=seed),
        StepResult({"seed": seed}),
        inputs={},
        code="",
        environment={"device": "big" if seed else "small"},
        seconds=seconds,
        log="",
    )


def truth(store: Store) -> list[dict]:
    return [record.to_json() for record in store.iterate()]


def test_the_index_holds_the_records(store: Store):
    index = Index(store)
    assert index.records() == truth(store)
    assert index.records("draw") == truth(store)
    assert index.records("select") == []
    add(store, 7, 1.0, "select")
    assert [row["seed"] for row in index.records("select")] == [7]
    assert index.records() == truth(store)
    assert index.rebuild() == 5


def test_a_record_that_went_or_was_made_anew_is_noticed(store: Store):
    index = Index(store)
    index.records()
    store.set_aside(make_step("draw", seed=1).identity)
    assert index.records() == truth(store)
    add(store, 1, 50.0)
    assert index.records() == truth(store)
    assert 50.0 in [row["seconds"] for row in index.records()]
    store.set_aside(make_step("draw", seed=2).identity)
    assert index.records() == truth(store)
    assert len(index.records()) == 2


def test_a_clock_of_whole_seconds_hides_no_record(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FAT, whose stamps are two seconds apart: the second record has that of the first."""
    exact, coarse = Store.stamps, 2 * 10**9
    monkeypatch.setattr(
        Store, "stamps", lambda s, kind: ((i, t // coarse * coarse) for i, t in exact(s, kind))
    )
    # The host's clock is an hour ahead of that of the file system, which alone counts.
    exact_now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: exact_now() + 3600 * 10**9)
    while exact_now() % coarse > coarse // 2:  # so that both fall between two ticks
        time.sleep(0.05)
    index, identity = Index(store), make_step("draw", seed=1).identity
    store.drop(identity)
    add(store, 1, 1.0)
    assert index.records() == truth(store)
    store.drop(identity)
    add(store, 1, 99.0)
    assert index.records() == truth(store)
    expected, later = truth(store), exact_now() + 2 * coarse
    monkeypatch.setattr(index_module, "now_ns", lambda root: later)
    assert index.records() == expected  # once settled, they are read for the last time
    monkeypatch.setattr(Store, "get", None)
    assert index.records() == expected


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_a_damaged_or_deleted_index_is_built_again(store: Store, damage: bytes | None):
    index = Index(store)
    index.records()
    if damage is None:
        index.path.unlink()
    else:
        index.path.write_bytes(damage)
    assert index.records() == truth(store)
    add(store, 5, 1.0)
    assert index.records() == truth(store)


def test_an_index_with_a_spoilt_middle_still_answers(store: Store):
    index = Index(store)
    index.records()
    data = bytearray(index.path.read_bytes())
    data[4096 : len(data)] = b"\xff" * (len(data) - 4096)
    index.path.write_bytes(data)
    assert index.records() == truth(store)


def test_while_another_process_holds_the_index_the_records_are_read(store: Store):
    index = Index(store)
    index.records()
    held = index.path.stat().st_ino
    command = [sys.executable, "-c", HOLD, str(index.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        add(store, 5, 1.0)
        assert index.records() == truth(store)
        assert index.path.stat().st_ino == held
        holder.communicate("")
    assert index.records() == truth(store)


def test_nearest_differs_in_the_fewest_components(store: Store):
    index = Index(store)
    add(store, 1, 1.0, "select")
    near = index.nearest(make_step("draw", {"count": 7}, seed=1))
    assert near is not None
    assert near.identity == make_step("draw", seed=1).identity
    assert index.nearest(make_step("measure", seed=1)) is None
    assert index.nearest(make_step("draw", {"count": 7, "mean": 2.0}, seed=2, revision=9)).link  # type: ignore[union-attr]


def test_costs_are_of_runs_on_that_device(store: Store):
    found = Index(store).past_runs("big")
    assert {name: sorted(run.seconds for run in runs) for name, runs in found.items()} == {
        "draw": [1.0, 2.0]
    }
    assert {run.flops for run in found["draw"]} == {100.0}
    assert Index(store).past_runs("small") == {"draw": [Past(100.0, 0.0)]}
    assert Index(store).past_runs("none") == {}
