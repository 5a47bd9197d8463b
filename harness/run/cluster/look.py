"""The state of submissions, from the records and the queue together, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, TypeAlias, get_args

from harness.errors import UserError, nearest
from harness.plan.step import Json
from harness.run.cluster.scheduler import lives, scheduler_behind
from harness.run.cluster.submission import Queued, QueuedArray, Submission, submissions
from harness.run.lease import clean, held
from harness.store.digest import canonical
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
        UserError: something was submitted, and its scheduler is not here.
        SchedulerSilent: something was submitted, and its scheduler does not answer.
    """
    found = list(submissions(store))
    if not found:
        return []
    looker, states = _Looker(store), _States()
    return [looker.standing(submission, states.of(submission)) for submission in found]


class _States:
    """What schedulers say of their jobs. Each is asked once, though it has several submissions."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Mapping[str, str]] = {}

    def of(self, submission: Submission) -> Mapping[str, str]:
        name = (submission.executor, canonical(dict(submission.kept)))
        if name not in self._known:
            self._known[name] = scheduler_behind(submission).job_states()
        return self._known[name]


def awaited(store: Store, executor: str) -> dict[str, str]:
    """Identity -> job, of every step that a living job of an executor was given.

    Raises:
        UserError: there are living jobs of another executor, which nothing here could wait for.
    """
    states = _States()
    found: dict[str, str] = {}
    for submission in submissions(store):
        for array in submission.arrays():
            for job, steps in array.jobs.items():
                if not array.cancelled and lives(job, states.of(submission)):
                    if submission.executor != executor:
                        raise UserError(
                            f"jobs of --executor {submission.executor} are queued from this "
                            "store; wait for them, or end them with `repro cancel`"
                        )
                    found |= {step.identity: job for step in steps}
    return found


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
    states = _States()
    living = [
        (submission, number, array)
        for submission in submissions(store)
        for number, array in enumerate(submission.arrays())
        if any(lives(job, states.of(submission)) for job in array.jobs)
    ]
    known = [array.job for _, _, array in living]
    for job in jobs:
        if job not in known:
            raise UserError(
                f"no array '{job}' of this store is in the queue; {nearest(job, known)}"
            )
    chosen = [entry for entry in living if not jobs or entry[2].job in jobs]
    # What waits for others goes first, so that nothing starts because its inputs were cancelled.
    for submission, group in groupby(reversed(chosen), lambda entry: entry[0]):
        scheduler_behind(submission).cancel([array.job for _, _, array in group])
    for submission, number, array in chosen:
        submission.put(number, replace(array, cancelled=True))
    return [array for _, _, array in chosen]


class _Looker:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._recorded = store.identities()
        self._held = held(store)
        self._failed = store.failures.identities()

    def standing(self, submission: Submission, states: Mapping[str, str]) -> Standing:
        steps: dict[str, Stand] = {}
        lost = []
        any_lives = False
        for number, array in enumerate(submission.arrays()):
            for place, (job, given) in enumerate(array.jobs.items()):
                job_lives = lives(job, states)
                any_lives = any_lives or job_lives
                for step in given:
                    stand = self._stand(step, job_lives, array.cancelled)
                    steps[step.identity] = stand
                    if stand == "lost":
                        log = submission.log(job, number, place)
                        message = _how_lost(submission.executor, job, states)
                        lost.append(Failure(step.identity, array.step, "JobEnded", message, log))
        over = submission.complete and not any_lives
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

    def _has(self, identity: str) -> bool:
        return identity in self._recorded or self._store.whole(identity) is not None


def _how_lost(executor: str, job: str, states: Mapping[str, str]) -> str:
    how = states.get(job, "some time ago")
    return f"{executor.capitalize()} job {job} ended ({how}) before the step had a record"
