"""Steps through a real Grid Engine of one node, which these tests start and stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.plan.step import Step
from harness.run.cluster.look import cancel, collect, look
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submission import QueuedArray
from harness.run.cluster.submit import submit
from harness.store.store import Store
from harness.store.verify import verify
from tests.run import grid_engine
from tests.run.graphs import chain, digests, graph_of, make_step, run_inline, special, waiting
from tests.run.grid_engine import lose_node, node_of, say
from tests.run.queued import over, repro, starts, values, wait_for

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        bool(grid_engine.missing()),
        reason=f"needs Grid Engine; not here: {', '.join(grid_engine.missing())}",
    ),
]


@contextmanager
def started(place: Path) -> Iterator[dict[str, str]]:
    """A cluster that this process, and the jobs that it queues, speak to."""
    with grid_engine.cluster(place) as environment, pytest.MonkeyPatch.context() as patch:
        for name in environment.keys() - {"PATH"}:
            patch.setenv(name, environment[name])
        # Where jobs find the tests' own steps; the harness comes from the snapshot.
        patch.setenv("PYTHONPATH", str(ROOT))
        yield environment


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with started(tmp_path_factory.mktemp("sge")) as environment:
        yield environment


def queued(graph: dict[str, Step], store: Store, **asked: object) -> list[QueuedArray]:
    cluster = Cluster.model_validate({"minutes": 5, "batch": {"preset": "sge"}} | asked)
    return submit(graph, store, cluster, "cpu", {"exhibits": []}, "batch")


def test_jobs_make_what_one_process_makes(engine: dict[str, str], store: Store, tmp_path: Path):
    draws = [make_step("draw", {"count": number}) for number in (30, 40, 50)]
    selects = [make_step("select", inputs={"draw": draw}) for draw in draws]
    waits = [waiting(str(number)) for number in range(3)]
    graph = graph_of(*chain().values(), *draws, *selects, *waits)
    queued(graph, store, tasks=2, steps=2)
    assert over(store).counts()["done"] == len(graph)
    run_inline(graph, tmp_path / "inline")
    assert digests(store.root) == digests(tmp_path / "inline")
    assert starts(store) == dict.fromkeys(graph, 1)
    assert verify(store) == []
    collect(store)
    assert list((store.root / "slurm").iterdir()) == []


def test_a_job_that_is_run_again_goes_on_from_its_checkpoint(
    engine: dict[str, str], store: Store, tmp_path: Path
):
    step = special("stall", tmp_path / "word")
    after = make_step("wait", inputs={"x": step}, function="tests.run.graphs:wait")
    made = queued(graph_of(step, after), store)
    wait_for((tmp_path / "word").exists, "the step to run")
    say(engine, "qmod", "-rj", made[0].job)
    assert over(store).counts()["done"] == 2
    assert values(store, step) == {"went on from": 3}
    assert starts(store) == {step.identity: 2, after.identity: 1}


def test_what_a_time_limit_ended_is_lost_and_goes_on_when_it_is_queued_again(
    engine: dict[str, str], store: Store, tmp_path: Path
):
    step = special("stall", tmp_path / "word")
    queued(graph_of(step), store, options=["-l h_rt=20"], minutes=1)
    wait_for((tmp_path / "word").exists, "the step to run")
    assert over(store).steps == {step.identity: "lost"}
    collect(store)
    failure = store.failures.get(step.identity)
    assert failure is not None
    assert "before the step had a record" in failure.message
    queued(graph_of(step), store)
    assert over(store).counts()["done"] == 1
    assert values(store, step) == {"went on from": 3}


def test_a_step_whose_node_is_lost_runs_no_more_and_goes_on_once_the_node_is_back(
    store: Store, tmp_path: Path
):
    (tmp_path / "sge").mkdir()
    step = special("stall", tmp_path / "word")
    with started(tmp_path / "sge") as engine:  # of its own, since others need their node
        queued(graph_of(step), store)
        wait_for((tmp_path / "word").exists, "the step to run")
        assert look(store)[0].steps == {step.identity: "running"}
        lose_node(engine)
        wait_for(lambda: look(store)[0].steps == {step.identity: "queued"}, "the loss to be seen")
        assert queued(graph_of(step), store) == []  # the scheduler has the job still
        with node_of(engine):
            assert over(store).counts()["done"] == 1
    assert values(store, step) == {"went on from": 3}
    assert starts(store) == {step.identity: 2}


def test_what_is_cancelled_ends_and_can_be_done_otherwise(
    engine: dict[str, str], store: Store, tmp_path: Path
):
    step = special("stall", tmp_path / "word")
    after = make_step("wait", inputs={"x": step}, function="tests.run.graphs:wait")
    graph = graph_of(step, after)
    queued(graph, store)
    wait_for((tmp_path / "word").exists, "the step to run")
    assert look(store)[0].counts()["running"] == 1
    assert len(cancel(store, [])) == 2
    assert over(store).counts()["cancelled"] == 2
    collect(store)
    assert store.failures.identities() == set()
    assert run_inline(graph, store.root).complete


def test_table_7_through_the_cluster_with_a_job_run_again_midway(
    engine: dict[str, str], tmp_path: Path
):
    store = Store(tmp_path / "store")
    file = tmp_path / "cluster.toml"
    file.write_text('minutes = 30\nsteps = 12\n[batch]\npreset = "sge"\n')
    asked = ("make", "table7", "--profile", "digits", "--executor", "batch", "--cluster")
    submitted = repro(tmp_path, *asked, str(file))["submitted"]
    assert {array["step"] for array in submitted} > {"student"}
    wait_for(lambda: bool(starts(store)), "the first step", 300)
    running = say(engine, "qstat", "-s", "r", "-u", os.environ.get("USER", "root")).splitlines()
    say(engine, "qmod", "-rj", running[2].split()[0])
    over(store, 3000)
    collected = repro(tmp_path, "collect")
    [submission] = collected["submissions"]
    assert submission["done"] == sum(sum(array["steps"].values()) for array in submitted)
    [exhibit] = collected["exhibits"]
    assert len(exhibit["cells"]) == 12
    for cell in exhibit["cells"]:
        assert cell["reproduced"]["n"] >= 3
        assert cell["missing"] == []
    assert verify(store) == []
