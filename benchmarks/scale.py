"""What planning, queueing, leases, records and the index cost at the size of a whole laboratory.

    python -m benchmarks.scale PLACE [--students 10000] [--gpus 500] [--processes 2]

The plan is that of Table 7 as the paper states it, with as many seeds as make so many students. The
steps do nothing, so what is measured is what the harness adds. Slurm's commands are stand-ins that
answer at once. PLACE should lie where a store would.
"""

from __future__ import annotations

import argparse
import heapq
import multiprocessing
import os
import random
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import ConfigDict

from harness.judge.results import collect
from harness.plan.cost import forecast
from harness.plan.exhibit import plan_exhibit
from harness.plan.parts import needed
from harness.plan.step import Step, StepContext, StepInput, StepParams, StepResult
from harness.run.cluster.arrays import Array, arrays
from harness.run.cluster.look import look
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submit import ONE_BY_ONE, submit
from harness.run.cluster.worker import JobWork
from harness.run.lease import acquire, clean, held
from harness.run.state import states
from harness.spec.paper import load_paper
from harness.store.digest import digest_json
from harness.store.index import Index
from harness.store.owner import Owner
from harness.store.store import Store

ROOT = Path(__file__).parents[1]
CELLS = 12
LARGEST_ARRAY = 1001
SBATCH = """#!/bin/sh
number=$(($(cat "{place}/count") + 1))
echo $number > "{place}/count"
echo "Submitted batch job $number"
"""
T = TypeVar("T")


class Anything(StepParams):
    """Parameters of any step."""

    model_config = ConfigDict(frozen=True, extra="allow")


def nothing(params: Anything, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """What a student leaves, without the training: an accuracy and a bit for each test image.

    It differs with everything that the step stands on, so no step is linked to another.
    """
    known = {name: held.values["stands on"] for name, held in inputs.items()}
    digest = digest_json([params.model_dump(), context.step, context.seed, known])
    bits = np.random.default_rng(int(digest, 16)).integers(0, 256, 6250, np.uint8)
    return StepResult({"accuracy": 50.0, "stands on": digest}, {"correct": bits})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path)
    parser.add_argument("--students", type=int, default=10_000)
    parser.add_argument("--gpus", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    asked.place.mkdir(parents=True)
    store = Store(asked.place / "store")
    paper = load_paper(ROOT / "specs")
    seeds = -(-asked.students // CELLS)
    plan = timed("plan it", lambda: plan_exhibit(paper, "table7", "paper", seeds))
    graph = {
        identity: replace(step, function="benchmarks.scale:nothing")
        for identity, step in plan.steps.items()
    }
    say("steps, of them students", f"{len(graph):,}, {count(graph, 'student'):,}")
    queueing(graph, store, asked.place)
    leasing(graph, store, asked.gpus)
    working(list(graph.values()), store, asked.processes)
    looking(plan, graph, store)
    makespan(graph, asked.gpus)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("largest memory of this process", f"{memory:,.0f} MiB")


def queueing(graph: Mapping[str, Step], store: Store, place: Path) -> None:
    """Cut the graph into arrays and hand them to an sbatch that takes all."""
    timed("find what lacks a record", lambda: needed(graph, store.has, store.has))
    with stand_ins(place):
        cluster = Cluster(steps=1)
        made = timed("submit, one step a job", lambda: submit(graph, store, cluster, "cpu", {}))
        say("arrays, jobs", f"{len(made)}, {sum(len(array.jobs) for array in made):,}")
        timed("look at queue and records", lambda: look(store))
    folder = store.root / "slurm"
    say("size of the submission", f"{size(folder) / 2**20:,.0f} MiB")


def leasing(graph: Mapping[str, Step], store: Store, gpus: int) -> None:
    """As many leases as GPUs, each of a worker on another host."""
    chosen = list(graph)[:gpus]
    for number, identity in enumerate(chosen):
        lease = acquire(store, identity, "x")
        assert lease is not None
        token = replace(Owner.current(), host=f"node{number}").token
        (store.root / "leases" / identity).write_text(token)
    timed(f"list {gpus} leases of other hosts", lambda: held(store))
    timed(f"look for dead ones among {gpus}", lambda: clean(store))
    timed("find that one is taken", lambda: acquire(store, chosen[0], "x"))
    for identity in chosen:
        (store.root / "leases" / identity).unlink()


def working(steps: Sequence[Step], store: Store, processes: int) -> None:
    """Do every step through its lease, as workers do."""
    began, before = time.perf_counter(), processor()
    for step in steps:
        if step.name != "student":
            quietly(JobWork(store.root, None, [step], "cpu"))
    rest = [step for step in steps if step.name == "student"]
    shares = [rest[start::processes] for start in range(processes)]
    works = [JobWork(store.root, None, share, "cpu") for share in shares]
    workers = [multiprocessing.Process(target=quietly, args=(work,)) for work in works]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds, busy = time.perf_counter() - began, processor() - before
    assert not store.failures.identities()
    assert len(store.listing("records")) == len(steps)
    say(f"run {len(steps):,} steps that do nothing, {processes} workers", unit(seconds))
    each = f"{unit(seconds * processes / len(steps))}, {unit(busy / len(steps))} of the processor"
    say("one worker, one step", each)
    say("size of the records", f"{size(store.root / 'records') / 2**20:,.0f} MiB")


def quietly(work: JobWork) -> None:
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        work()


def looking(plan: Any, graph: Mapping[str, Step], store: Store) -> None:
    """What a person waits for."""
    index = Index(store)
    timed("build the index", index.rebuild)
    timed("ask it again", lambda: index.records("student"))
    say("size of the index", f"{index.path.stat().st_size / 2**20:,.1f} MiB")
    timed("states of all steps, all current", lambda: states(graph, store))
    timed("read all results", lambda: collect(plan, store))
    with stand_ins(store.root.parent):
        timed("look at queue and records, all done", lambda: look(store))


def makespan(graph: Mapping[str, Step], gpus: int) -> None:
    """Simulated: arrays that wait for whole arrays, against steps that start when they can."""
    draws = random.Random(0)
    seconds = {
        identity: forecast(step, "a100", {}).mid * draws.lognormvariate(0.0, 0.2)
        for identity, step in graph.items()
    }
    total = sum(seconds.values())
    say(f"work on {gpus} GPUs, shared evenly", f"{total / gpus / 3600:.2f} h")
    inputs = {identity: list(step.inputs.values()) for identity, step in graph.items()}
    alone = simulated(seconds, inputs, len(graph))
    say("the longest chain of steps, with a GPU for each", f"{alone / 3600:.2f} h")
    say("steps that start when they can", f"{simulated(seconds, inputs, gpus) / 3600:.2f} h")
    cut = arrays(graph.values(), Cluster(), LARGEST_ARRAY)
    waits = after_arrays(cut)
    say("arrays that wait for arrays", f"{simulated(seconds, waits, gpus) / 3600:.2f} h")


def after_arrays(cut: Sequence[Array]) -> dict[str, list[str]]:
    """What each step waits for, one step a job: all that its array reads, or their whole arrays."""
    array_of = {step.identity: array for array in cut for step in array.steps}
    waits = {}
    for array in cut:
        before = {source for step in array.steps for source in step.inputs.values()}
        if len(before) > ONE_BY_ONE:
            before = {step.identity for source in before for step in array_of[source].steps}
        waits |= {step.identity: sorted(before) for step in array.steps}
    return waits


def simulated(
    seconds: Mapping[str, float], inputs: Mapping[str, Sequence[str]], gpus: int
) -> float:
    """Seconds until the last step ends, when a free GPU takes what has been ready longest."""
    missing = {identity: len(before) for identity, before in inputs.items()}
    readers: dict[str, list[str]] = defaultdict(list)
    for identity, before in inputs.items():
        for source in before:
            readers[source].append(identity)
    ready = [(0.0, identity) for identity, left in missing.items() if not left]
    free = [0.0] * gpus
    latest: dict[str, float] = defaultdict(float)
    while ready:
        since, identity = heapq.heappop(ready)
        end = max(heapq.heappop(free), since) + seconds[identity]
        heapq.heappush(free, end)
        for reader in readers[identity]:
            missing[reader] -= 1
            latest[reader] = max(latest[reader], end)
            if not missing[reader]:
                heapq.heappush(ready, (latest[reader], reader))
    return max(free)


@contextmanager
def stand_ins(place: Path) -> Iterator[None]:
    """Slurm's commands, which take everything and know nothing."""
    folder = place / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "count").write_text("0")
    scripts = {
        "sbatch": SBATCH.format(place=folder),
        "squeue": "#!/bin/sh\n",
        "srun": "#!/bin/sh\n",
        "scontrol": f"#!/bin/sh\necho 'MaxArraySize = {LARGEST_ARRAY}'\n",
    }
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def timed(what: str, work: Callable[[], T]) -> T:
    """Do it, and say how long it took and how much of that the processor did, children included."""
    began, before = time.perf_counter(), processor()
    result = work()
    seconds = time.perf_counter() - began
    say(what, f"{unit(seconds)}, {unit(processor() - before)} of the processor")
    return result


def processor() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def unit(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def say(what: str, value: str) -> None:
    print(f"| {what} | {value} |", flush=True)


def count(graph: Mapping[str, Step], name: str) -> int:
    return sum(step.name == name for step in graph.values())


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
