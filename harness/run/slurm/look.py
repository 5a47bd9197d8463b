"""The state of submissions, from the records and the queue together, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from harness.errors import UserError, nearest
from harness.plan.step import Json
from harness.run.lease import clean, held
from harness.run.slurm import queue
from harness.run.slurm.submission import Queued, QueuedArray, Submission, submissions
from harness.store.failures import Failure
from harness.store.store import Store

Stand: TypeAlias = Literal["done", "running", "queued", "failed", "blocked", "cancelled", "lost"]


@dataclass(frozen=True)
class Standing:
    """How a submission stands."""

    submission: Submission
    request: Mapping[str, Json]
    """The request of the submission."""
    steps: Mapping[str, Stand]
    """By identity. done: has a record. running: a living process holds its lease. queued: its job
    waits, or works on another step. For the others the job has ended: failed, or blocked since an
    input has no record, or cancelled, or lost, which is none of these."""
    lost: Sequence[Failure]
    """The message about the lost ones."""
    over: bool
    """Whether all jobs have ended."""

    def counts(self) -> dict[str, int]:
        """How many steps stand how."""
        found = Counter(self.steps.values())
        return {stand: found[stand] for stand in get_args(Stand)}


def look(store: Store) -> list[Standing]:
    """Every submission that was not collected, oldest first. Changes nothing.

    Raises:
        UserError: something was submitted, and Slurm is not installed here.
        SlurmSilent: something was submitted, and Slurm does not answer.
    """
    found = list(submissions(store))
    if not found:
        return []
    looker = _Looker(store, queue.job_states())
    return [looker.standing(submission) for submission in found]


def awaited(store: Store, states: Mapping[str, str]) -> dict[str, str]:
    """Identity -> job, of every step that a living job was given."""
    return {
        step.identity: job
        for submission in submissions(store)
        for array in submission.arrays()
        for job, steps in array.jobs.items()
        for step in steps
        if not array.cancelled and not queue.ended(states.get(job))
    }


def collect(store: Store) -> list[Standing]:
    """Let the records speak: keep a failure for each lost step, and forget what is over.

    Raises as `look` does.
    """
    clean(store)
    store.clean()
    standings = look(store)
    for standing in standings:
        for failure in standing.lost:
            store.failures.put(failure)
            store.events.append("fail", failure.identity, failure.step, message=failure.message)
        if standing.over:
            standing.submission.remove()
    return standings


def cancel(store: Store, jobs: Sequence[str]) -> list[QueuedArray]:
    """End arrays that were submitted from this store, all of them or those with these numbers.

    Records and leases need no care: a job may die at any moment.

    Raises:
        UserError: a number is of no array that is queued or runs.
    """
    found = list(submissions(store))
    states = queue.job_states() if found else {}
    living = [
        (submission, number, array)
        for submission in found
        for number, array in enumerate(submission.arrays())
        if not all(queue.ended(states.get(job)) for job in array.jobs)
    ]
    known = [array.job for _, _, array in living]
    for job in jobs:
        if job not in known:
            raise UserError(
                f"no array '{job}' of this store is in the queue; {nearest(job, known)}"
            )
    chosen = [entry for entry in living if not jobs or entry[2].job in jobs]
    # What waits for others goes first, so that nothing starts because its inputs were cancelled.
    queue.cancel([array.job for _, _, array in reversed(chosen)])
    for submission, number, array in chosen:
        submission.put(number, replace(array, cancelled=True))
    return [array for _, _, array in chosen]


class _Looker:
    def __init__(self, store: Store, states: Mapping[str, str]) -> None:
        self._store = store
        self._states = states
        self._recorded = store.identities()
        self._held = held(store)
        self._failed = store.failures.identities()

    def standing(self, submission: Submission) -> Standing:
        steps: dict[str, Stand] = {}
        lost = []
        lives = False
        for array in submission.arrays():
            for job, given in array.jobs.items():
                job_lives = not queue.ended(self._states.get(job))
                lives = lives or job_lives
                for step in given:
                    stand = self._stand(step, job_lives, array.cancelled)
                    steps[step.identity] = stand
                    if stand == "lost":
                        lost.append(self._loss(submission, array, job, step))
        over = submission.complete and not lives
        return Standing(submission, submission.request, steps, lost, over)

    def _stand(self, step: Queued, job_lives: bool, cancelled: bool) -> Stand:
        if self._has(step.identity):
            return "done"
        if step.identity in self._held:
            return "running"
        if job_lives and not cancelled:
            return "queued"
        if step.identity in self._failed:
            return "failed"
        if cancelled:
            return "cancelled"
        return "lost" if all(self._has(source) for source in step.inputs) else "blocked"

    def _loss(self, submission: Submission, array: QueuedArray, job: str, step: Queued) -> Failure:
        how = self._states.get(job, "some time ago")
        message = f"Slurm job {job} ended ({how}) before the step had a record"
        return Failure(step.identity, array.step, "JobEnded", message, submission.log(job))

    def _has(self, identity: str) -> bool:
        return identity in self._recorded or self._store.whole(identity) is not None
