"""Small graphs of invented steps, with identities made as simply as can be."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.errors import UserError
from harness.plan.step import (
    Json,
    Share,
    Step,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
)
from harness.run.inline import InlineExecutor
from harness.run.progress import Progress
from harness.run.schedule import RunReport
from harness.store.files import temporary
from harness.store.store import Store
from tests.toy.steps import STEPS

TYPES = {kind.name: kind for kind in STEPS}


def make_step(
    name: str,
    params: Mapping[str, Json] | None = None,
    inputs: Mapping[str, Step] | None = None,
    seed: int = 0,
    revision: int = 1,
    function: str = "",
) -> Step:
    """One step; its identity covers what the design says and nothing else."""
    kind = TYPES.get(name)
    complete = kind.params(**(params or {})).model_dump() if kind else dict(params or {})
    sources = {key: step.identity for key, step in (inputs or {}).items()}
    text = json.dumps([name, revision, complete, seed, sources], sort_keys=True)
    return Step(
        name=name,
        revision=revision,
        params=complete,
        seed=seed,
        inputs=sources,
        identity=hashlib.sha256(text.encode()).hexdigest(),
        function=function or (kind.function if kind else ""),
        work=Work(1.0, 100.0),
    )


def graph_of(*steps: Step) -> dict[str, Step]:
    """A graph in the order given."""
    return {step.identity: step for step in steps}


def chain(revision: int = 1, keep: int = 5, fail: bool = False) -> dict[str, Step]:
    """draw -> select -> measure, and a second measure that stands on draw alone."""
    draw = make_step("draw", {"count": 20})
    select = make_step("select", {"keep": keep}, {"draw": draw}, revision=revision)
    return graph_of(
        draw,
        select,
        make_step("measure", {"std": 0.1, "fail": fail}, {"images": select}, seed=1),
        make_step("measure", {"std": 0.1}, {"images": draw}, seed=2),
    )


def named(graph: Mapping[str, Step], identities: object) -> list[str]:
    """Step names of identities, in the order of the graph."""
    wanted = set(identities)  # type: ignore[call-overload]
    return [step.name for identity, step in graph.items() if identity in wanted]


def run_inline(graph: Mapping[str, Step], root: Path) -> RunReport:
    """One inline run without display."""
    return InlineExecutor().run(graph, Store(root), Progress())


def digests(root: Path) -> dict[str, str]:
    """Identity -> content digest of everything in a store."""
    return {record.identity: record.digest for record in Store(root).iterate()}


def in_child(work: Callable[[], object], environment: Mapping[str, str] | None = None) -> int:
    """Start `work` in a forked process and return its number at once."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ.update(environment or {})
        work()
        code = 0
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a child; minus the signal that killed it, or its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class WaitParams(StepParams):
    """How long to wait, and where to leave word."""

    seconds: float = 0.05
    label: str = ""
    place: str = ""


def wait(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Take its time."""
    if params.place:
        Path(params.place).touch()
    time.sleep(params.seconds)
    return StepResult({"label": params.label})


def stall(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Save a checkpoint, leave word and hang; return when called again with the checkpoint."""
    before = context.checkpoints.load()
    if before is None:
        context.checkpoints.save({"done": np.array(3)})
        Path(params.place).touch()
        time.sleep(params.seconds)
        return StepResult({"went on from": None})
    return StepResult({"went on from": int(before["done"])})


def surroundings(
    params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """What is around the process that runs this."""
    time.sleep(params.seconds)
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
    task = os.environ.get("SLURM_PROCID")
    return StepResult({"gpus": gpus, "task": task, "duckdb": "duckdb" in sys.modules})


def die_until(
    params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """Kill its own process, leaving a file each time, until as many files as `label` lie there."""
    place = Path(params.place)
    deaths = len(list(place.iterdir()))
    if deaths < int(params.label):
        (place / str(deaths)).touch()
        temporary(place.parent / "store").touch()  # as if it were writing
        os.kill(os.getpid(), signal.SIGKILL)
    return StepResult({"deaths": deaths})


def unload(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Print, then break."""
    print("a word before the end")
    raise ZeroDivisionError("one over nothing")


def count_threads(
    params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """How many threads the numeric libraries may use, torch's own count if it is asked for."""
    import numpy.linalg  # loaded only now, as by a function that imports when it is called
    from threadpoolctl import threadpool_info

    assert numpy.linalg
    counts = {int(library["num_threads"]) for library in threadpool_info()}
    if params.label == "torch":
        import torch

        counts.add(torch.get_num_threads())
    return StepResult({"threads": sorted(counts)})


def waiting(label: str, seconds: float = 0.05, place: str = "") -> Step:
    """A step that sleeps."""
    params: dict[str, Json] = {"label": label, "seconds": seconds, "place": place}
    return make_step("wait", params, function="tests.run.graphs:wait")


def special(name: str, place: Path, seconds: float = 600.0, label: str = "", seed: int = 0) -> Step:
    """A step of this module, by the name of its function."""
    params: dict[str, Json] = {"seconds": seconds, "label": label, "place": str(place)}
    return make_step(name, params, seed=seed, function=f"tests.run.graphs:{name}")


def sown(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """The seed; fails for seed 2 where the label says so."""
    if params.label == "fails" and context.seed == 2:
        raise UserError("no step has seed 2")
    Path(params.place, str(context.seed)).touch()
    return StepResult({"seed": context.seed})


def sown_together(
    params: WaitParams, shares: Sequence[Share], context: StepContext
) -> list[StepResult]:
    """The same of several at once, which leaves word of their seeds; or dies."""
    seeds = [share.context.seed for share in shares]
    context.report(0.5, f"{len(seeds)} at once")
    if params.label == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if params.label == "fails" and 2 in seeds:
        raise ValueError("one of them has seed 2")
    Path(params.place, "+".join(map(str, seeds))).touch()
    return [StepResult({"seed": seed}) for seed in seeds]


def seeds_of(place: Path, label: str = "", count: int = 5) -> dict[str, Step]:
    """Steps that one program can do, equal but for their seeds."""
    params: Mapping[str, Json] = {"seconds": 0.0, "label": label, "place": str(place)}
    steps = [
        make_step("sown", params, seed=seed, function="tests.run.graphs:sown")
        for seed in range(count)
    ]
    return graph_of(*(replace(step, fused="tests.run.graphs:sown_together") for step in steps))


def train(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Updates of a tenth of a second, with checkpoints; without end where the label says so."""
    before = context.checkpoints.load()
    done = int(before["done"]) if before else 0
    while not done or (before is None and params.label == "endless"):
        done += 1
        time.sleep(0.1)
        Path(params.place).touch()
        if context.checkpoints.due():
            context.checkpoints.save({"done": np.array(done)})
    return StepResult({"went on": before is not None})


def deaf(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Hear no signal that could be heard, as in a call of a library that takes long."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGALRM])
    Path(params.place).touch()
    time.sleep(params.seconds)
    return StepResult({})


def linger(params: WaitParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Wait for word at the place that the label names, and a second more."""
    Path(params.place).touch()
    deadline = time.monotonic() + params.seconds
    while not Path(params.label).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    return StepResult({})
