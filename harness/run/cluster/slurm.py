"""Slurm, through submitit. The accounting database is never asked: many clusters have none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import submitit

from harness.errors import EvidenceError
from harness.plan.step import Json
from harness.run.cluster.arrays import Array
from harness.run.cluster.resources import Cluster, Resources
from harness.run.cluster.scheduler import ask
from harness.run.cluster.submission import Submission
from harness.run.cluster.worker import JobWork, environment_lines


class Slurm:
    """Satisfies `Scheduler`."""

    waits = True
    kept: Mapping[str, Json] = {}

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def largest_array(self) -> int:
        """See `Scheduler.largest_array`."""
        found = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask(["scontrol", "show", "config"]), re.M)
        return int(found[1]) if found else 1001

    def job_states(self) -> dict[str, str]:
        """See `Scheduler.job_states`. Jobs that ended minutes ago are not in it any more."""
        command = ["squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i|%T"]
        return dict(line.split("|", 1) for line in ask(command).splitlines())

    def cancel(self, jobs: Sequence[str]) -> None:
        """See `Scheduler.cancel`."""
        if jobs:
            ask(["scancel", *jobs])

    def queue(
        self,
        array: Array,
        works: Sequence[JobWork],
        submission: Submission,
        number: int,
        after: Sequence[str],
    ) -> list[str]:
        """See `Scheduler.queue`."""
        place = submission.folder.resolve()
        executor = submitit.SlurmExecutor(place / "jobs", self._cluster.requeues)
        resources = self._cluster.of(array.step)
        chosen = options(resources, array.step, len(works), place / "code", after)
        executor.update_parameters(**chosen)
        try:
            return [job.job_id for job in executor.submit_array(works)]
        except submitit.core.utils.FailedJobError as error:
            raise EvidenceError(f"sbatch refused: {error}") from None


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
        "mem": f"{resources.memory_mb}M" if resources.memory_mb else None,
        "array_parallelism": resources.at_once or jobs,
        "dependency": f"afterany:{':'.join(after)}" if after else None,
        "setup": [*environment_lines(resources.setup, code)],
        "additional_parameters": dict(resources.sbatch),
    }
    return {name: value for name, value in chosen.items() if value is not None}
