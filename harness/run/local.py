"""The local executor: one spawned process a device, so a crash costs one step's attempt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait

from harness.plan.step import Step
from harness.run.execute import Outcome, fail
from harness.run.executors import POLL
from harness.run.holder import Waiting
from harness.run.lease import clean
from harness.run.progress import Progress
from harness.run.schedule import RunReport, Schedule
from harness.run.stopping import GRACE
from harness.run.together import fuses
from harness.run.watch import LOOK, Watch
from harness.run.worker import Advance, Worker
from harness.store.failures import Failure
from harness.store.store import Store

RETRIES = 2
"""How often a step is tried again after the process that ran it has died."""


class LocalExecutor:
    """Runs steps in spawned processes, one for each entry of `devices`. Satisfies `Executor`.

    `["cpu"] * n` are n CPU workers of one thread each; `["cuda:0", "cuda:1"]` one worker a GPU.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self._devices = tuple(devices)

    def run(self, graph: Mapping[str, Step], store: Store, progress: Progress) -> RunReport:
        """See `Executor.run`."""
        store.clean()
        clean(store)
        schedule = Schedule(graph, store)
        with progress:
            progress.begin(schedule.unsettled)
            _Run(schedule, store, progress, self._devices).loop()
        return schedule.report


class _Run:
    """One run: which worker does what. A worker starts when there is a step for it."""

    def __init__(
        self, schedule: Schedule, store: Store, progress: Progress, devices: Sequence[str]
    ) -> None:
        self._schedule = schedule
        self._store = store
        self._progress = progress
        self._devices = devices
        self._workers: dict[int, Worker] = {}
        self._deaths: Counter[str] = Counter()
        self._later: dict[str, float] = {}
        self._watch = Watch(store)
        self._waiting = Waiting(store, progress.waiting)

    def loop(self) -> None:
        try:
            while not self._schedule.finished:
                self._offer_again()
                self._assign()
                self._listen()
                if not self._at_work():
                    self._waiting.say()
        finally:
            self._end_all()

    def _offer_again(self) -> None:
        now = time.monotonic()
        for identity in [i for i, due in self._later.items() if due <= now]:
            del self._later[identity]
            self._schedule.give_back(identity)

    def _assign(self) -> None:
        for slot, device in enumerate(self._devices):
            worker = self._workers.get(slot)
            if worker is not None and worker.steps:
                continue
            step = self._schedule.take()
            if step is None:
                return
            if worker is None:
                shown = self._store.published
                published = shown.folder if shown else None
                worker = self._workers[slot] = Worker(self._store.root, published, device)
            self._progress.working(step, 0.0, "")
            # What a worker has died of is found out alone.
            fellows = (
                self._schedule.fellows(step, len(self._devices), self._deaths)
                if fuses(device)
                else []
            )
            try:
                worker.send([step, *fellows])
            except BrokenPipeError:
                self._bury(slot, worker)

    def _at_work(self) -> bool:
        """Whether a worker does more than to find that another process holds its step."""
        in_hand = [step for worker in self._workers.values() for step in worker.steps]
        return not all(self._waiting.waits(step.identity) for step in in_hand)

    def _listen(self) -> None:
        slots = {worker.connection: slot for slot, worker in self._workers.items() if worker.steps}
        if not slots:
            time.sleep(POLL)
            return
        self._end_hung()
        for ready in wait(list(slots), timeout=POLL if self._later else LOOK):
            slot = next(slot for connection, slot in slots.items() if connection is ready)
            worker = self._workers[slot]
            try:
                message = worker.receive()
            except (EOFError, ConnectionError):
                self._bury(slot, worker)
                continue
            self._hear(worker, message)

    def _end_hung(self) -> None:
        """Kill workers that give no sign of life; they are then buried like any that died."""
        at_work = {step.identity: w for w in self._workers.values() for step in w.steps}
        for identity in self._watch.hung(list(at_work)):
            at_work[identity].kill()

    def _hear(self, worker: Worker, message: Outcome | Advance | OSError) -> None:
        if isinstance(message, OSError):
            raise message  # the store takes nothing more, from nobody
        if isinstance(message, Advance):
            self._progress.working(worker.steps[0], message.fraction, message.message)
            return
        if message.status == "stopped":
            return  # somebody ended this worker alone; its end is heard next
        step = next(each for each in worker.steps if each.identity == message.identity)
        worker.steps.remove(step)
        if message.status == "busy":
            self._waiting.busy(step)
            self._later[step.identity] = time.monotonic() + POLL
        else:
            self._settle(step, message)

    def _settle(self, step: Step, outcome: Outcome) -> None:
        self._waiting.over(step.identity)
        self._schedule.settle(outcome)
        self._progress.settled(step, outcome, self._schedule.unsettled)

    def _bury(self, slot: int, worker: Worker) -> None:
        """A worker has died: try its steps again in a new one, unless that was tried enough."""
        cause = worker.how_it_died()
        worker.reap(time.monotonic())
        del self._workers[slot]
        self._store.clean()  # of what it was writing
        for step in worker.steps:
            self._retry(step, cause)

    def _retry(self, step: Step, cause: str) -> None:
        self._deaths[step.identity] += 1
        deaths = self._deaths[step.identity]
        if deaths <= RETRIES:
            self._store.events.append("retry", step.identity, step.name, cause=cause)
            self._schedule.give_back(step.identity)
            return
        message = f"its worker process died {deaths} times, last by {cause} (out of memory?)"
        failure = Failure(step.identity, step.name, "WorkerDied", message, "")
        self._settle(step, fail(self._store, step, failure))

    def _end_all(self) -> None:
        for worker in self._workers.values():
            worker.end()
        deadline = time.monotonic() + GRACE
        for worker in self._workers.values():
            by_identity = {step.identity: step for step in worker.steps}
            for outcome in worker.last_words(deadline) if by_identity else ():
                self._progress.stopped(by_identity[outcome.identity], outcome)
            worker.reap(deadline)
