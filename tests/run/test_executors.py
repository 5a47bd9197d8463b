"""Both executors: what runs, what fails, what is shared, and how it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from harness.run import execute
from harness.run.executors import Executor
from harness.run.inline import InlineExecutor
from harness.run.lease import Lease
from harness.run.local import LocalExecutor
from harness.run.progress import Progress
from harness.store.store import Store
from tests.run.graphs import (
    chain,
    digests,
    ended,
    graph_of,
    in_child,
    make_step,
    run_inline,
    waiting,
)

both = pytest.mark.parametrize(
    "executor",
    [InlineExecutor(), LocalExecutor(["cpu", "cpu"])],
    ids=["inline", "local"],
)


@both
def test_a_graph_is_run_once(executor: Executor, tmp_path: Path):
    graph = chain()
    store = Store(tmp_path)
    report = executor.run(graph, store, Progress())
    assert report.complete
    assert set(report.ran) == set(graph)
    again = executor.run(graph, store, Progress())
    assert again.current == list(graph)
    assert again.ran == []
    assert Counter(event["event"] for event in store.events.read()) == {"start": 4, "finish": 4}


def test_executors_agree_in_every_digest(tmp_path: Path):
    run_inline(chain(), tmp_path / "inline")
    LocalExecutor(["cpu"]).run(chain(), Store(tmp_path / "local"), Progress())
    assert digests(tmp_path / "inline") == digests(tmp_path / "local")


def test_values_are_those_of_the_functions(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path)
    draw, select, measure, _ = (Store(tmp_path).get(identity) for identity in graph)
    assert draw is not None
    assert select is not None
    assert measure is not None
    numbers = draw.array("images")
    np.testing.assert_array_equal(select.array("images"), sorted(numbers, reverse=True)[:5])
    assert measure.values["count"] == 5
    assert measure.input_digests == {"images": select.digest}


@both
def test_a_failure_blocks_what_needs_it_and_nothing_else(executor: Executor, tmp_path: Path):
    good, broken = make_step("draw"), make_step("broken", function="tests.run.graphs:unload")
    first = make_step("select", {}, {"draw": broken})
    second = make_step("measure", {}, {"images": first})
    fine = make_step("measure", {}, {"images": good})
    graph = graph_of(good, broken, first, second, fine)
    store = Store(tmp_path)
    report = executor.run(graph, store, Progress())
    assert set(report.ran) == {good.identity, fine.identity}
    assert report.failed == {broken.identity: "ZeroDivisionError: one over nothing"}
    assert set(report.blocked) == {first.identity, second.identity}
    assert broken.identity[:12] in report.blocked[second.identity]
    assert not report.complete
    failure = store.failures.get(broken.identity)
    assert failure is not None
    assert failure.kind == "ZeroDivisionError"
    assert failure.log.startswith("a word before the end\n")
    assert "Traceback" in failure.log
    starts = [e for e in store.events.read() if e["event"] == "start"]
    assert Counter(e["identity"] for e in starts)[broken.identity] == 1, "not retried"


def test_a_mistake_of_the_user_is_its_message_alone(tmp_path: Path):
    step = make_step("lost", function="tests.run.graphs:wiat")
    report = run_inline(graph_of(step), tmp_path)
    assert "did you mean" in report.failed[step.identity]
    failure = Store(tmp_path).failures.get(step.identity)
    assert failure is not None
    assert "Traceback" not in failure.log


def test_a_failure_is_forgotten_once_the_step_succeeds(tmp_path: Path):
    place = tmp_path / "deaths"
    step = waiting("x", 0.0, str(place / "word"))
    store = Store(tmp_path / "store")
    assert set(run_inline(graph_of(step), store.root).failed) == {step.identity}
    assert store.failures.identities() == {step.identity}
    place.mkdir()
    assert run_inline(graph_of(step), store.root).complete
    assert store.failures.identities() == set()


@pytest.mark.parametrize(("deaths", "succeeds"), [(2, True), (3, False)])
def test_a_worker_that_dies_is_replaced_twice(tmp_path: Path, deaths: int, succeeds: bool):
    place = tmp_path / "deaths"
    place.mkdir()
    params = {"seconds": 0.0, "label": str(deaths), "place": str(place)}
    step = make_step("die", params, function="tests.run.graphs:die_until")
    other = waiting("other")
    store = Store(tmp_path / "store")
    report = LocalExecutor(["cpu"]).run(graph_of(step, other), store, Progress())
    assert other.identity in report.ran
    assert len(list(place.iterdir())) == deaths
    assert list((store.root / "tmp").iterdir()) == []
    assert (step.identity in report.ran) is succeeds
    assert (step.identity in report.failed) is not succeeds
    if not succeeds:
        assert "died 3 times, last by signal 9" in report.failed[step.identity]
    assert list((store.root / "leases").iterdir()) in ([], [store.root / "leases" / step.identity])


def test_two_runs_at_once_share_the_work(tmp_path: Path):
    graph = graph_of(*[waiting(str(number), 0.03) for number in range(8)], *chain().values())

    def work() -> None:
        assert run_inline(graph, tmp_path).complete

    children = [in_child(work), in_child(work)]
    assert [ended(child) for child in children] == [0, 0]
    events = Store(tmp_path).events.read()
    starts = [event for event in events if event["event"] == "start"]
    assert Counter(event["identity"] for event in starts) == dict.fromkeys(graph, 1)
    assert {event["pid"] for event in starts} == set(children)
    assert set(digests(tmp_path)) == set(graph)


def test_a_step_that_another_process_runs_is_waited_for(tmp_path: Path):
    place = tmp_path / "word"
    slow = waiting("slow", 0.6, str(place))
    after = make_step("wait", {"seconds": 0.0}, {"x": slow}, function="tests.run.graphs:wait")
    store = Store(tmp_path / "store")
    child = in_child(lambda: run_inline(graph_of(slow), store.root))
    while not place.exists():
        time.sleep(0.01)
    report = LocalExecutor(["cpu"]).run(graph_of(slow, after), store, Progress())
    assert report.current == [slow.identity]
    assert report.ran == [after.identity]
    assert ended(child) == 0


def test_a_damaged_input_is_set_aside_and_made_anew_by_the_next_run(tmp_path: Path):
    graph = chain()
    draw, select, *_ = graph
    clean = tmp_path / "clean"
    run_inline(graph, clean)
    store = Store(tmp_path / "store")
    run_inline({draw: graph[draw]}, store.root)
    record = store.get(draw)
    assert record is not None
    path = record.directory / "images.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    report = run_inline(graph, store.root)
    assert "is damaged" in report.failed[select]
    assert not store.has(draw)
    assert run_inline(graph, store.root).complete
    assert digests(store.root) == digests(clean)


@pytest.mark.parametrize("name", ["inline", "local"])
def test_ctrl_c_ends_workers_and_releases_leases(tmp_path: Path, name: str):
    place, root = tmp_path / "word", tmp_path / "store"
    command = [sys.executable, "-m", "tests.run.child", str(root), str(place), name]
    repository = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=repository, start_new_session=True) as run:
        while not place.exists():
            time.sleep(0.02)
        # As a terminal does: to the whole group, workers included.
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=10) == 130
    events = Store(root).events.read()
    assert [event["event"] for event in events] == ["start", "stop"]
    assert not Path(f"/proc/{events[0]['pid']}").exists()
    assert list((root / "leases").iterdir()) == []
    assert list((root / "tmp").iterdir()) == []
    assert list(Store(root).iterate()) == []


# Of every process that a first worker brings along, whether Ctrl-C was held back as it began.
_BEGUN = """
import signal, sys
from multiprocessing import util
from pathlib import Path

begin, held = util.spawnv_passfds, []

def noted(*arguments):
    held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
    return begin(*arguments)

util.spawnv_passfds = noted
from harness.run.worker import Worker
Worker(Path(sys.argv[1]), None, "cpu").end()
print(all(held), len(held), signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_the_first_worker_too_begins_deaf_to_ctrl_c(tmp_path: Path):
    command = [sys.executable, "-c", _BEGUN, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.stdout == "True 2 set()\n", done.stderr


@pytest.mark.parametrize("label", ["numpy", pytest.param("torch", marks=pytest.mark.slow)])
def test_threads_are_one_under_every_executor(
    tmp_path: Path, label: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    step = make_step("threads", {"label": label}, function="tests.run.graphs:count_threads")
    for place, executor in (("a", InlineExecutor()), ("b", LocalExecutor(["cpu"]))):
        store = Store(tmp_path / place)
        executor.run(graph_of(step), store, Progress())
        record = store.get(step.identity)
        assert record is not None
        assert record.values == {"threads": [1]}


def test_a_record_that_came_while_the_lease_was_waited_for_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    step = waiting("x", 0.0)
    store = Store(tmp_path)
    real = execute.acquire

    def late(store: Store, identity: str, name: str) -> Lease | None:
        monkeypatch.undo()
        run_inline(graph_of(step), store.root)
        return real(store, identity, name)

    monkeypatch.setattr(execute, "acquire", late)
    assert run_inline(graph_of(step), tmp_path).current == [step.identity]
    assert [event["event"] for event in store.events.read()] == ["start", "finish"]
