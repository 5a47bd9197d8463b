"""Queueing what a graph lacks, and leaving."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import submitit

from harness.errors import EvidenceError
from harness.plan.parts import needed
from harness.plan.step import Json, Step
from harness.run.slurm.arrays import Array, arrays
from harness.run.slurm.cluster import Cluster, Resources
from harness.run.slurm.look import awaited
from harness.run.slurm.queue import job_states, largest_array
from harness.run.slurm.snapshot import snapshot
from harness.run.slurm.submission import Queued, QueuedArray, Submission
from harness.run.slurm.worker import JobWork
from harness.store.store import Store

ONE_BY_ONE = 50
"""Jobs that an array waits for by number. Long lists are what schedulers are slow at."""


def submit(
    graph: Mapping[str, Step],
    store: Store,
    cluster: Cluster,
    device: str,
    request: Mapping[str, Json],
) -> list[QueuedArray]:
    """Queue every step that lacks a record and is not queued; the arrays that were made.

    An array starts when the jobs that make the inputs of its steps have ended, well or not.

    Args:
        device: "auto" is a GPU where a task is given one.
        request: kept with the submission, for whoever collects it.

    Raises:
        UserError: Slurm is not installed here.
        EvidenceError: it does not answer, or refuses a job. What it took before stays queued.
    """
    queued = awaited(store, job_states())
    lacking = needed(graph, store.has, lambda identity: store.whole(identity) is not None)
    todo = [step for identity, step in graph.items() if identity in lacking - queued.keys()]
    if not todo:
        return []
    cut = arrays(todo, cluster, largest_array())
    submission = Submission.new(store)
    snapshot({step.function for step in todo}, submission.folder / "code")
    job_of = dict(queued)
    try:
        for number, array in enumerate(cut):
            works = _works(array, store, _device(device, cluster.of(array.step)))
            taken = _queue(array, works, submission, cluster, _after(array, job_of))
            submission.put(number, taken)
            job_of |= {s.identity: job for job, steps in taken.jobs.items() for s in steps}
    finally:
        submission.finish(request)
    return submission.arrays()


def _after(array: Array, job_of: Mapping[str, str]) -> list[str]:
    """The jobs that make what an array reads; where they are many, the arrays that they are in."""
    jobs = {job_of[i] for step in array.steps for i in step.inputs.values() if i in job_of}
    return sorted(jobs if len(jobs) <= ONE_BY_ONE else {job.partition("_")[0] for job in jobs})


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
    array: Array,
    works: Sequence[JobWork],
    submission: Submission,
    cluster: Cluster,
    after: Sequence[str],
) -> QueuedArray:
    executor = submitit.SlurmExecutor(submission.folder.resolve() / "jobs", cluster.requeues)
    code = submission.folder.resolve() / "code"
    executor.update_parameters(
        **options(cluster.of(array.step), array.step, len(works), code, after)
    )
    try:
        jobs = executor.submit_array(works)
    except submitit.core.utils.FailedJobError as error:
        raise EvidenceError(
            f"sbatch refused an array of {len(works)} {array.step} jobs: {error}; what was queued "
            "before it stays; change the --cluster file and run the command again"
        ) from None
    return QueuedArray(
        jobs[0].job_id.partition("_")[0],
        array.step,
        {
            job.job_id: [Queued(s.identity, sorted(s.inputs.values())) for s in work.steps]
            for job, work in zip(jobs, works, strict=True)
        },
    )


def options(
    resources: Resources, step: str, jobs: int, code: Path, after: Sequence[str]
) -> dict[str, Json]:
    """The parameters that submitit gets for an array of `jobs` jobs after the jobs `after`."""
    chosen: dict[str, Json] = {
        "job_name": f"repro-{step}",
        "partition": resources.partition,
        "time": resources.minutes,
        "ntasks_per_node": resources.tasks,
        "cpus_per_task": resources.cpus_per_task,
        # Slurm's job steps do not take this from the allocation since 22.05.
        "srun_args": [f"--cpus-per-task={resources.cpus_per_task}"],
        "gpus_per_task": resources.gpus_per_task or None,
        "mem": f"{resources.memory_gb * 1024:.0f}M" if resources.memory_gb else None,
        "array_parallelism": resources.at_once or jobs,
        "dependency": f"afterany:{':'.join(after)}" if after else None,
        "setup": [
            *resources.setup,
            f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}",
            # Else the folder in which the command was given comes first.
            "export PYTHONSAFEPATH=1",
        ],
        "additional_parameters": dict(resources.sbatch),
    }
    return {name: value for name, value in chosen.items() if value is not None}
