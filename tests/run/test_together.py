"""Steps that one program does: what is fused, and what each keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan.fusing import programs
from harness.run import inline, local
from harness.run.executors import Executor
from harness.run.inline import InlineExecutor
from harness.run.lease import acquire
from harness.run.local import LocalExecutor
from harness.run.progress import Progress
from harness.run.schedule import Schedule
from harness.run.together import execute_together
from harness.store.store import Store
from tests.run.graphs import graph_of, make_step, seeds_of, waiting

both = pytest.mark.parametrize(
    "executor", [InlineExecutor(), LocalExecutor(["cpu"])], ids=["inline", "local"]
)


@pytest.fixture
def fusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU."""
    for module in (inline, local):
        monkeypatch.setattr(module, "fuses", lambda device: True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "place"
    made.mkdir()
    return made


def words(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


@both
@pytest.mark.usefixtures("fusing")
def test_each_member_has_its_own_record(executor: Executor, tmp_path: Path, place: Path) -> None:
    graph, store = seeds_of(place), Store(tmp_path / "store")
    other = waiting("other")
    report = executor.run(graph | graph_of(other), store, Progress())
    assert words(place) == ["0+1+2+3+4"]
    assert set(report.ran) == {*graph, other.identity}
    for identity, step in graph.items():
        record = store.get(identity)
        assert record is not None
        assert (record.seed, record.values) == (step.seed, {"seed": step.seed})
    events = store.events.read()
    assert {e["together"] for e in events if e["event"] == "start" and "together" in e} == {"5"}
    assert {e["identity"] for e in events if e["event"] == "finish"} == set(report.ran)
    assert list((store.root / "leases").iterdir()) == []


@both
def test_on_a_cpu_each_runs_alone(executor: Executor, tmp_path: Path, place: Path) -> None:
    assert executor.run(seeds_of(place), Store(tmp_path / "store"), Progress()).complete
    assert words(place) == ["0", "1", "2", "3", "4"]


@both
@pytest.mark.usefixtures("fusing")
def test_one_that_fails_fails_alone(executor: Executor, tmp_path: Path, place: Path) -> None:
    graph, store = seeds_of(place, "fails"), Store(tmp_path / "store")
    report = executor.run(graph, store, Progress())
    assert [graph[identity].seed for identity in report.failed] == [2]
    assert list(report.failed.values()) == ["no step has seed 2"]
    assert words(place) == ["0", "1", "3", "4"]
    assert {graph[identity].seed for identity in report.ran} == {0, 1, 3, 4}


@pytest.mark.usefixtures("fusing")
def test_a_program_that_dies_is_not_tried_again(tmp_path: Path, place: Path) -> None:
    store = Store(tmp_path / "store")
    assert LocalExecutor(["cpu"]).run(seeds_of(place, "dies"), store, Progress()).complete
    assert words(place) == ["0", "1", "2", "3", "4"]
    assert list((store.root / "tmp").iterdir()) == []


def test_one_that_another_process_holds_is_left_out(tmp_path: Path, place: Path) -> None:
    graph, store = seeds_of(place), Store(tmp_path)
    held, done = list(graph)[1], list(graph)[3]
    execute_together([graph[done]], store, "cpu", lambda fraction, message: None)
    lease = acquire(store, held, "sown")
    assert lease is not None
    with lease:
        made = execute_together(list(graph.values()), store, "cpu", lambda f, m: None)
    assert words(place) == ["0+2+4", "3"]
    found = {outcome.identity: outcome.status for outcome in made}
    assert [found[identity] for identity in graph] == ["ran", "busy", "ran", "current", "ran"]


def test_ready_steps_are_shared_among_workers(tmp_path: Path, place: Path) -> None:
    graph = seeds_of(place, count=7)
    schedule = Schedule(graph, Store(tmp_path / "store"))
    first = schedule.take()
    assert first is not None
    assert [step.seed for step in schedule.fellows(first, workers=2)] == [1, 2, 3]
    second = schedule.take()
    assert second is not None
    apart = {list(graph)[5]}
    assert [step.seed for step in schedule.fellows(second, workers=1, apart=apart)] == [6]
    third = schedule.take()
    assert third is not None
    assert third.identity in apart
    assert schedule.fellows(third, workers=1, apart=apart) == []


def test_one_program_needs_equal_parameters_and_inputs_of_equal_names(place: Path) -> None:
    one, other = seeds_of(place, count=2), seeds_of(place, "fails", count=2)
    alone = waiting("alone")
    found = programs([*one.values(), *other.values(), alone])
    assert len({found[identity] for identity in one}) == 1
    assert len({found[identity] for identity in other}) == 1
    assert len(set(found.values())) == 2
    assert alone.identity not in found
    assert make_step("draw").fused == ""
