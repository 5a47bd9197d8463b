"""The questions that a scheduler of jobs is asked. All else is the same for each of them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.errors import EvidenceError, UserError
from harness.plan.step import Json
from harness.registry import resolve
from harness.run.cluster.arrays import Array
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submission import Submission
from harness.run.cluster.worker import JobWork
from harness.run.executors import executor_entry


class SchedulerSilent(EvidenceError):
    """The scheduler does not answer, so nothing is known of any job."""


class Scheduler(Protocol):
    """A scheduler, made by calling an executor's factory with the cluster file."""

    kept: Mapping[str, Json]
    """The part of the cluster file that looking and cancelling need; kept with a submission."""
    waits: bool
    """Whether a job can be queued behind others. Where not, only what can start is queued."""

    def largest_array(self) -> int:
        """How many jobs one array may have."""
        ...

    def job_states(self) -> Mapping[str, str]:
        """Job -> state, of what is known of this user's jobs; for `Array_index` or for `Array`.

        Raises:
            UserError: the scheduler's commands are not here.
            SchedulerSilent: it does not answer.
        """
        ...

    def queue(
        self,
        array: Array,
        works: Sequence[JobWork],
        submission: Submission,
        number: int,
        after: Sequence[str],
    ) -> Sequence[str]:
        """Queue an array behind the jobs `after`; the jobs that were made, one for each work.

        Args:
            number: the place of the array in its submission.

        Raises:
            EvidenceError: it was refused.
        """
        ...

    def cancel(self, jobs: Sequence[str]) -> None:
        """End arrays, queued or running, in this order. Raises as `job_states` does."""
        ...


def scheduler_of(executor: str, cluster: Cluster) -> Scheduler:
    """The scheduler behind an executor that leaves."""
    made: Scheduler = resolve(executor_entry(executor).factory)(cluster)
    return made


def scheduler_behind(submission: Submission) -> Scheduler:
    """The scheduler that a submission went to."""
    return scheduler_of(submission.executor, Cluster.model_validate(submission.kept))


def ask(command: Sequence[str], nothing: str | None = None) -> str:
    """What a command of a scheduler prints.

    Args:
        nothing: what it says, and fails, where there is nothing to be told; "" is returned.

    Raises:
        UserError: there is no such command here.
        SchedulerSilent: it fails, or takes more than a minute.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} is not here; submit, look and cancel where the scheduler's commands "
            "are, or use another --executor"
        ) from None
    except subprocess.TimeoutExpired:
        raise SchedulerSilent(f"{command[0]} had no answer in a minute; try again later") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        if nothing and nothing in said:
            return ""
        raise SchedulerSilent(f"{command[0]} failed: {said}; try again when the scheduler answers")
    return done.stdout


def array_of(job: str) -> str:
    """The array that a job is in: `12_3` is in `12`. A job that is alone is its own."""
    return job.rpartition("_")[0] or job


ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
}


def lives(job: str, states: Mapping[str, str]) -> bool:
    """Whether a job may do more. One that is not known any more will not."""
    state = states.get(job, states.get(array_of(job)))
    return state is not None and state not in ENDED
