"""Arrays, options, and the queue reconciled with the records; Slurm's commands are stand-ins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EvidenceError, UserError
from harness.plan.step import Step
from harness.run.cluster.arrays import arrays
from harness.run.cluster.look import cancel, collect, look
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submission import QueuedArray
from harness.run.cluster.submit import submit
from harness.run.lease import acquire
from harness.spec.toml import read_spec
from harness.store.store import Store
from tests.run.graphs import chain, graph_of, make_step, run_inline, waiting

_SBATCH = """#!/bin/sh
cd "{place}"
grep -q "{refuse}" "$1" && echo "sbatch: error: Invalid account" >&2 && exit 1
number=$(($(cat count) + 1))
echo $number > count
cp "$1" $number.sh
echo "Submitted batch job $number"
"""


class Commands:
    """Slurm's commands, which note what they are told and say what a test wants."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "count").write_text("0")
        self.queue()
        self.refuse("no such line")
        self._say("squeue", f'cat "{place}/queue"')
        self._say("scontrol", "echo 'MaxArraySize            = 4'")
        self._say("scancel", f'echo "$@" >> "{place}/cancelled"')
        self._say("srun", "")

    def refuse(self, line: str) -> None:
        """Let sbatch refuse scripts with a text in them."""
        self._write("sbatch", _SBATCH.format(place=self.place, refuse=line))

    def queue(self, **states: str) -> None:
        """What squeue shows, a job's number behind an underscore: `_3_0="RUNNING"`."""
        lines = [f"{job.removeprefix('_')}|{state}\n" for job, state in states.items()]
        (self.place / "queue").write_text("".join(lines))

    def fail(self, name: str) -> None:
        self._say(name, "echo 'Unable to contact slurm controller' >&2; exit 1")

    def script(self, number: int) -> list[str]:
        """The lines of the script of an array."""
        return (self.place / f"{number}.sh").read_text().splitlines()

    def _say(self, name: str, script: str) -> None:
        self._write(name, f"#!/bin/sh\n{script}\n")

    def _write(self, name: str, script: str) -> None:
        path = self.place / name
        path.write_text(script)
        path.chmod(0o755)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return Commands(place)


def queued(graph: dict[str, Step], store: Store, **asked: object) -> list[QueuedArray]:
    return submit(graph, store, Cluster.model_validate(asked), "auto", {"exhibits": []})


@st.composite
def graphs(draw: st.DrawFn) -> list[Step]:
    """Steps of three kinds, each reading some of those before it."""
    steps: list[Step] = []
    for seed in range(draw(st.integers(1, 12))):
        name = draw(st.sampled_from("abc"))
        read = draw(st.lists(st.sampled_from(steps), max_size=3)) if steps else []
        inputs = {f"input{place}": step for place, step in enumerate(read)}
        steps.append(make_step(name, inputs=inputs, seed=seed))
    return steps


@given(graphs(), st.integers(1, 4), st.integers(1, 3))
def test_arrays_hold_every_step_once_after_what_it_reads(
    steps: list[Step], largest: int, together: int
):
    cut = arrays(steps, Cluster(steps=together), largest)
    held = [step.identity for array in cut for step in array.steps]
    assert sorted(held) == sorted(step.identity for step in steps)
    seen: set[str] = set()
    for array in cut:
        assert len(array.jobs) <= largest
        assert all(1 <= len(job) <= together for job in array.jobs)
        assert {step.name for step in array.steps} == {array.step}
        assert all(seen.issuperset(step.inputs.values()) for step in array.steps)
        seen |= {step.identity for step in array.steps}


def test_kinds_of_work_do_not_wait_for_each_other():
    slow, quick = make_step("distil"), make_step("select")
    after_slow = [make_step("student", inputs={"x": slow}, seed=seed) for seed in range(2)]
    after_quick = [make_step("student", inputs={"x": quick}, seed=seed) for seed in range(2)]
    cut = arrays([slow, quick, *after_slow, *after_quick], Cluster(), 100)
    assert [array.steps for array in cut] == [[slow], [quick], after_slow, after_quick]


def test_arrays_are_cut_where_the_cluster_cuts_them(slurm: Commands, store: Store):
    graph = graph_of(*[waiting(str(number)) for number in range(19)])
    made = queued(graph, store, steps=2)
    assert [array.job for array in made] == ["1", "2", "3"]
    assert [len(array.jobs) for array in made] == [4, 4, 2]
    assert list(made[0].jobs) == ["1_0", "1_1", "1_2", "1_3"]
    assert "#SBATCH --array=0-3%4" in slurm.script(1)
    assert "#SBATCH --array=0-1%2" in slurm.script(3)


def draws(count: int) -> list[Step]:
    return [make_step("draw", {"count": 20 + number}) for number in range(count)]


def test_an_array_waits_for_jobs_while_these_are_few(slurm: Commands, store: Store):
    three = draws(3)
    selects = [make_step("select", inputs={"draw": draw}) for draw in three[:2]]
    queued(graph_of(*three, *selects), store)
    assert "#SBATCH --dependency=afterany:1_0:1_1" in slurm.script(2)


def test_an_array_waits_for_arrays_where_jobs_are_many(slurm: Commands, store: Store):
    many = draws(51)
    inputs = {f"draw{number}": draw for number, draw in enumerate(many)}
    queued(graph_of(*many, make_step("select", inputs=inputs)), store)
    [line] = [line for line in slurm.script(14) if "dependency" in line]
    assert sorted(line.split(":")[1:], key=int) == [str(number) for number in range(1, 14)]


def test_options_reach_sbatch(slurm: Commands, store: Store, tmp_path: Path):
    path = tmp_path / "cluster.toml"
    path.write_text(
        """
        partition = "gpu"
        minutes = 90
        tasks = 2
        cpus_per_task = 3
        gpus_per_task = 1
        memory_gb = 1.5
        at_once = 2
        setup = ["module load cuda"]
        [sbatch]
        account = "lab"
        exclusive = true
        [kinds.select]
        partition = "cpu"
        gpus_per_task = 0
        """
    )
    submit(chain(), store, read_spec(path, Cluster), "auto", {})
    first, second = slurm.script(1), slurm.script(2)
    for option in (
        "partition=gpu",
        "time=90",
        "ntasks-per-node=2",
        "cpus-per-task=3",
        "gpus-per-task=1",
        "mem=1536M",
        "account=lab",
        "exclusive",
        "job-name=repro-draw",
    ):
        assert f"#SBATCH --{option}" in first
    assert "module load cuda" in first
    assert any(line.startswith("srun") and "--cpus-per-task=3" in line for line in first)
    assert not any("dependency" in line for line in first)
    assert "#SBATCH --partition=cpu" in second
    assert not any("gpus" in line for line in second)
    assert "#SBATCH --dependency=afterany:1" in second


def test_what_is_queued_is_not_queued_again_but_waited_for(slurm: Commands, store: Store):
    draw, select, *_ = graph = chain()
    queued({draw: graph[draw]}, store)
    slurm.queue(_1="PENDING")
    made = queued({draw: graph[draw], select: graph[select]}, store)
    assert [array.step for array in made] == ["select"]
    assert "#SBATCH --dependency=afterany:1" in slurm.script(2)
    slurm.queue(_1="RUNNING", _2="PENDING")
    assert queued({draw: graph[draw], select: graph[select]}, store) == []


def test_what_has_a_record_is_not_queued(slurm: Commands, store: Store):
    draw, *_ = graph = chain()
    run_inline({draw: graph[draw]}, store.root)
    made = queued(graph, store)
    assert [array.step for array in made] == ["select", "measure", "measure"]
    assert not any("dependency" in line for line in slurm.script(1))


def test_what_was_queued_before_sbatch_refused_is_known(slurm: Commands, store: Store):
    slurm.refuse("repro-select")
    with pytest.raises(EvidenceError, match="Invalid account"):
        queued(chain(), store)
    slurm.queue(_1="PENDING")
    [standing] = look(store)
    assert standing.counts()["queued"] == 1
    slurm.refuse("no such line")
    assert [array.step for array in queued(chain(), store)] == ["select", "measure", "measure"]


def test_records_leases_and_queue_say_how_a_step_stands(slurm: Commands, store: Store):
    graph = chain()
    draw, select, measure, other = graph
    queued(graph, store)
    assert look(store)[0].steps == {
        draw: "lost",
        select: "blocked",
        measure: "blocked",
        other: "blocked",
    }
    slurm.queue(_1="COMPLETED", _2="COMPLETED", _3="PENDING", _4="RUNNING")
    run_inline({draw: graph[draw]}, store.root)
    lease = acquire(store, other, "measure")
    assert lease is not None
    with lease:
        [standing] = look(store)
    expected = {draw: "done", select: "lost", measure: "queued", other: "running"}
    assert standing.steps == expected
    assert not standing.over


def test_collecting_keeps_a_failure_for_what_was_lost(slurm: Commands, store: Store):
    draw, select, *_ = graph = chain()
    queued({draw: graph[draw], select: graph[select]}, store)
    log = store.root / "slurm" / "1" / "jobs" / "1_0_log.err"
    log.write_text("Killed\n")
    slurm.queue(_1="OUT_OF_MEMORY")
    [standing] = collect(store)
    assert standing.over
    failure = store.failures.get(draw)
    assert failure is not None
    assert failure.message == "Slurm job 1 ended (OUT_OF_MEMORY) before the step had a record"
    assert failure.log == "Killed\n"
    assert store.failures.identities() == {draw}
    assert collect(store) == []


def test_what_is_still_queued_is_not_forgotten(slurm: Commands, store: Store):
    queued(chain(), store)
    slurm.queue(_4="PENDING")
    assert not collect(store)[0].over
    slurm.queue()
    assert collect(store)[0].over
    assert look(store) == []


def test_cancelling_ends_what_waits_first(slurm: Commands, store: Store):
    queued(chain(), store)
    slurm.queue(_1="RUNNING", _2="PENDING", _3="PENDING", _4="COMPLETED")
    with pytest.raises(UserError, match="no array '7' of this store"):
        cancel(store, ["7"])
    assert [array.job for array in cancel(store, [])] == ["1", "2", "3"]
    assert (slurm.place / "cancelled").read_text() == "3 2 1\n"
    slurm.queue(_1="CANCELLED", _2="CANCELLED", _3="CANCELLED")
    [standing] = collect(store)
    assert standing.counts()["cancelled"] == 3
    assert store.failures.identities() == set()


def test_one_array_is_cancelled_alone(slurm: Commands, store: Store):
    queued(chain(), store)
    slurm.queue(_1="COMPLETED", _2="PENDING", _3="PENDING", _4="PENDING")
    assert [array.job for array in cancel(store, ["4"])] == ["4"]
    assert look(store)[0].counts()["queued"] == 2


def test_without_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="scontrol is not here"):
        queued(chain(), Store(tmp_path / "store"))


def test_a_silent_controller_is_said(slurm: Commands, store: Store):
    queued(chain(), store)
    slurm.fail("squeue")
    with pytest.raises(EvidenceError, match="Unable to contact slurm controller"):
        look(store)
