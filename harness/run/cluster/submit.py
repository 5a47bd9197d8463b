"""Queueing what a graph lacks, and leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.errors import EvidenceError
from harness.plan.parts import needed
from harness.plan.step import Json, Step
from harness.run.cluster.arrays import Array, arrays
from harness.run.cluster.look import awaited
from harness.run.cluster.resources import Cluster, Resources
from harness.run.cluster.scheduler import Scheduler, array_of, scheduler_of
from harness.run.cluster.snapshot import snapshot
from harness.run.cluster.submission import Queued, QueuedArray, Submission
from harness.run.cluster.worker import JobWork
from harness.store.store import Store
from harness.words import counted

ONE_BY_ONE = 50
"""Jobs that an array waits for by number. Long lists are what schedulers are slow at."""


def submit(
    graph: Mapping[str, Step],
    store: Store,
    cluster: Cluster,
    device: str,
    request: Mapping[str, Json],
    executor: str = "slurm",
) -> list[QueuedArray]:
    """Queue every step that lacks a record and is not queued; the arrays that were made.

    An array starts when the jobs that make the inputs of its steps have ended, well or not. A
    scheduler that cannot wait is given only the steps whose inputs are there.

    Args:
        device: "auto" is a GPU where a task is given one.
        request: kept with the submission, for whoever collects it.

    Raises:
        UserError: the scheduler is not installed here.
        EvidenceError: it does not answer, or refuses a job. What it took before stays queued.
    """
    scheduler = scheduler_of(executor, cluster)
    queued = awaited(store, executor)
    lacking = needed(graph, store.has, lambda identity: store.whole(identity) is not None)
    todo = [step for identity, step in graph.items() if identity in lacking - queued.keys()]
    if not scheduler.waits:
        todo = [step for step in todo if lacking.isdisjoint(step.inputs.values())]
    if not todo:
        return []
    cut = arrays(todo, cluster, scheduler.largest_array())
    submission = Submission.new(store, executor, scheduler.kept)
    snapshot({step.function for step in todo}, submission.folder / "code")
    job_of = dict(queued)
    try:
        for number, array in enumerate(cut):
            works = _works(array, store, _device(device, cluster.of(array.step)))
            after = _after(array, job_of)
            taken = _queue(scheduler, array, works, submission, number, after)
            submission.put(number, taken)
            job_of |= {s.identity: job for job, steps in taken.jobs.items() for s in steps}
    finally:
        submission.finish(request)
    return submission.arrays()


def _after(array: Array, job_of: Mapping[str, str]) -> list[str]:
    """The jobs that make what an array reads; where they are many, the arrays that they are in."""
    jobs = {job_of[i] for step in array.steps for i in step.inputs.values() if i in job_of}
    return sorted(jobs if len(jobs) <= ONE_BY_ONE else {array_of(job) for job in jobs})


def _works(array: Array, store: Store, device: str) -> list[JobWork]:
    published = store.published.folder.resolve() if store.published else None
    return [JobWork(store.root.resolve(), published, _plain(job), device) for job in array.jobs]


def _plain(steps: Sequence[Step]) -> list[Step]:
    """The steps without the read-only views of their mappings, which cannot be pickled."""
    return [replace(s, params=dict(s.params), inputs=dict(s.inputs)) for s in steps]


def _device(asked: str, resources: Resources) -> str:
    on_gpu = resources.gpus_per_task > 0 if asked == "auto" else asked == "cuda"
    return "cuda:0" if on_gpu else "cpu"


def _queue(
    scheduler: Scheduler,
    array: Array,
    works: Sequence[JobWork],
    submission: Submission,
    number: int,
    after: Sequence[str],
) -> QueuedArray:
    try:
        jobs = scheduler.queue(array, works, submission, number, after)
    except EvidenceError as error:
        raise EvidenceError(
            f"an array of {counted(len(works), f'{array.step} job')}: {error}; what was queued "
            "before it stays; change the --cluster file and run the command again"
        ) from None
    given = {
        job: [Queued(s.identity, sorted(s.inputs.values())) for s in work.steps]
        for job, work in zip(jobs, works, strict=True)
    }
    return QueuedArray(array_of(jobs[0]), array.step, given)
