"""Steps through a real Slurm of one node, which these tests start and stop."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.plan.step import Step
from harness.run.cluster.look import cancel, collect, look
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submission import QueuedArray
from harness.run.cluster.submit import submit
from harness.store.store import Store
from harness.store.verify import verify
from tests.run import slurm_cluster
from tests.run.graphs import chain, digests, graph_of, make_step, run_inline, special, waiting
from tests.run.queued import over, repro, starts, values, wait_for
from tests.run.slurm_cluster import LARGEST_ARRAY, say

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        bool(slurm_cluster.missing()),
        reason=f"needs Slurm and munge; not here: {', '.join(slurm_cluster.missing())}",
    ),
]


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("slurm")
    with slurm_cluster.cluster(place) as conf, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(conf))
        # Where jobs find the tests' own steps; the harness comes from the snapshot.
        patch.setenv("PYTHONPATH", str(ROOT))
        yield conf


def queued(graph: dict[str, Step], store: Store, **asked: Any) -> list[QueuedArray]:
    return submit(graph, store, Cluster.model_validate(asked), "cpu", {"exhibits": []})


def requeued(conf: Path, job: str) -> None:
    """Wait until a job is in the queue again, and spare it the two minutes that Slurm lets pass."""
    asked = ("squeue", "--noheader", f"--jobs={job}", "--format=%T")
    wait_for(lambda: say(conf, *asked) == "PENDING", "the job to be queued again", 240)
    # The node refuses a job whose last run it has not forgotten; it counts in whole seconds.
    node = ("sinfo", "--noheader", "--format=%t")
    wait_for(lambda: say(conf, *node).strip("*") in ("idle", "mix"), "the node to be done with it")
    time.sleep(3)
    say(conf, "scontrol", "update", f"jobid={job}", "starttime=now")


def test_jobs_make_what_one_process_makes(conf: Path, store: Store, tmp_path: Path):
    draws = [make_step("draw", {"count": number}) for number in (30, 40, 50)]
    selects = [make_step("select", inputs={"draw": draw}) for draw in draws]
    waits = [waiting(str(number)) for number in range(9)]
    graph = graph_of(*chain().values(), *draws, *selects, *waits)
    made = queued(graph, store, tasks=2, steps=2, minutes=5)
    assert max(len(array.jobs) for array in made) == LARGEST_ARRAY
    standing = over(store)
    assert standing.counts()["done"] == len(graph)
    run_inline(graph, tmp_path / "inline")
    assert digests(store.root) == digests(tmp_path / "inline")
    assert starts(store) == dict.fromkeys(graph, 1)
    assert verify(store) == []
    collect(store)
    assert list((store.root / "slurm").iterdir()) == []


def test_each_worker_of_an_allocation_has_its_gpu_and_leaves_the_index_alone(
    conf: Path, store: Store, tmp_path: Path
):
    steps = [special("surroundings", tmp_path, 4.0, seed=seed) for seed in range(2)]
    [array] = queued(graph_of(*steps), store, tasks=2, steps=2, gpus_per_task=1, minutes=5)
    assert len(array.jobs) == 1
    over(store)
    found = [values(store, step) for step in steps]
    assert {each["task"] for each in found} == {"0", "1"}
    assert len({each["gpus"] for each in found}) == 2
    assert not any(each["duckdb"] for each in found)
    assert not (store.root / "repro.duckdb").exists()


def test_a_job_that_is_killed_and_queued_again_goes_on_from_its_checkpoint(
    conf: Path, store: Store, tmp_path: Path
):
    step = special("stall", tmp_path / "word")
    after = make_step("wait", inputs={"x": step}, function="tests.run.graphs:wait")
    made = queued(graph_of(step, after), store, minutes=5)
    wait_for((tmp_path / "word").exists, "the step to run")
    say(conf, "scontrol", "requeue", made[0].job)
    requeued(conf, made[0].job)
    assert over(store).counts()["done"] == 2
    assert values(store, step) == {"went on from": 3}
    assert starts(store) == {step.identity: 2, after.identity: 1}


def test_a_job_that_runs_into_its_time_limit_goes_on(conf: Path, store: Store, tmp_path: Path):
    step = special("stall", tmp_path / "word")
    # The word that the limit is near comes a minute and a half before it, or up to a minute sooner.
    sbatch = {"partition": "spare", "requeue": True}
    [array] = queued(graph_of(step), store, minutes=3, sbatch=sbatch)
    wait_for((tmp_path / "word").exists, "the step to run")
    requeued(conf, array.job)
    over(store)
    assert values(store, step) == {"went on from": 3}
    assert starts(store) == {step.identity: 2}
    [stop] = [event for event in store.events.read() if event["event"] == "stop"]
    assert stop["identity"] == step.identity


def test_requeue_and_time_limits_on_a_node_with_other_work(
    conf: Path, store: Store, tmp_path: Path
):
    """Four other processes keep its two cores busy: one job is queued again, two run out of time,
    and short jobs come in between."""
    stalls = [special("stall", tmp_path / f"word{seed}", seed=seed) for seed in range(3)]
    waits = [waiting(str(number), seconds=1.0) for number in range(6)]
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        sbatch = {"partition": "spare", "requeue": True}
        made = queued(graph_of(*stalls, *waits), store, steps=1, minutes=3, sbatch=sbatch)
        (array,) = (each for each in made if each.step == "stall")
        wait_for(lambda: len(list(tmp_path.glob("word*"))) == 2, "two steps to run")
        first = next(s for s in stalls if (tmp_path / f"word{s.seed}").exists())
        job = next(j for j, steps in array.jobs.items() if steps[0].identity == first.identity)
        say(conf, "scontrol", "requeue", job)
        for name in (job, *(array.jobs.keys() - {job})):
            requeued(conf, name)
        over(store, 600)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert look(store)[0].counts()["done"] == len(stalls) + len(waits)
    assert [values(store, step) for step in stalls] == [{"went on from": 3}] * 3
    assert starts(store) == {s.identity: 2 for s in stalls} | {s.identity: 1 for s in waits}
    stops = [event["identity"] for event in store.events.read() if event["event"] == "stop"]
    assert {s.identity for s in stalls} - {first.identity} <= set(stops)
    assert verify(store) == []


def test_a_worker_that_dies_leaves_a_failure_and_can_be_queued_again(
    conf: Path, store: Store, tmp_path: Path
):
    place = tmp_path / "deaths"
    place.mkdir()
    step = special("die_until", place, label="1")
    after = make_step("wait", inputs={"x": step}, function="tests.run.graphs:wait")
    graph = graph_of(step, after)
    made = queued(graph, store, minutes=5)
    standing = over(store)
    assert standing.steps == {step.identity: "lost", after.identity: "blocked"}
    collect(store)
    failure = store.failures.get(step.identity)
    assert failure is not None
    assert f"Slurm job {made[0].job} ended (FAILED)" in failure.message
    assert "Killed" in failure.log or "signal 9" in failure.log.lower()
    queued(graph, store, minutes=5)
    assert over(store).counts()["done"] == 2
    assert store.failures.identities() == set()


def test_what_is_cancelled_ends_and_can_be_done_otherwise(conf: Path, store: Store, tmp_path: Path):
    step = special("stall", tmp_path / "word")
    after = make_step("wait", inputs={"x": step}, function="tests.run.graphs:wait")
    graph = graph_of(step, after)
    queued(graph, store, minutes=5)
    wait_for((tmp_path / "word").exists, "the step to run")
    assert look(store)[0].counts()["running"] == 1
    assert len(cancel(store, [])) == 2
    assert over(store).counts()["cancelled"] == 2
    collect(store)
    assert store.failures.identities() == set()
    assert run_inline(graph, store.root).complete


def test_jobs_run_the_code_that_was_submitted(
    conf: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "edited"
    package.mkdir()
    (package / "__init__.py").touch()
    code = (
        "from harness.plan.step import StepResult\n"
        "from tests.run.graphs import WaitParams\n"
        "def say(params: WaitParams, inputs, context):\n"
        "    return StepResult({'said': 'before'})\n"
    )
    (package / "functions.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    # The folder in which the command is given has the package too, as a clone has.
    monkeypatch.chdir(tmp_path)
    step = make_step("say", {"seconds": 0.0}, function="edited.functions:say")
    [array] = queued(graph_of(step), store, minutes=5, sbatch={"hold": True})
    (package / "functions.py").write_text(code.replace("before", "after"))
    say(conf, "scontrol", "release", array.job)
    over(store)
    assert values(store, step) == {"said": "before"}


def test_table_7_through_the_cluster_with_a_job_killed_midway(conf: Path, tmp_path: Path):
    store = Store(tmp_path / "store")
    (tmp_path / "cluster.toml").write_text("minutes = 30\nsteps = 12\nmemory_gb = 1\n")
    asked = ("make", "table7", "--profile", "digits", "--executor", "slurm", "--cluster")
    submitted = repro(tmp_path, *asked, str(tmp_path / "cluster.toml"))["submitted"]
    assert {array["step"] for array in submitted} > {"student"}
    wait_for(lambda: bool(starts(store)), "the first step", 300)
    running = say(conf, "squeue", "--noheader", "--array", "--states=R", "--format=%i").split()
    say(conf, "scontrol", "requeue", running[0])
    requeued(conf, running[0])
    over(store, 3000)
    collected = repro(tmp_path, "collect")
    [submission] = collected["submissions"]
    assert submission["done"] == sum(sum(array["steps"].values()) for array in submitted)
    [exhibit] = collected["exhibits"]
    assert len(exhibit["cells"]) == 12
    for cell in exhibit["cells"]:
        assert cell["reproduced"]["n"] >= 3
        assert cell["missing"] == []
    assert sum(count > 1 for count in starts(store).values()) <= 1
    assert verify(store) == []
