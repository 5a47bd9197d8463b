"""The simplest executor: one step after another, in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from harness.plan.step import Step
from harness.run.executors import POLL
from harness.run.holder import Waiting
from harness.run.lease import clean
from harness.run.progress import Progress
from harness.run.schedule import RunReport, Schedule
from harness.run.together import execute_together, fuses
from harness.store.store import Store


class InlineExecutor:
    """Runs steps in this process on one device. Satisfies `Executor`."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device

    def run(self, graph: Mapping[str, Step], store: Store, progress: Progress) -> RunReport:
        """See `Executor.run`."""
        store.clean()
        clean(store)
        schedule, waiting = Schedule(graph, store), Waiting(store, progress.waiting)
        with progress:
            progress.begin(schedule.unsettled)
            while not schedule.finished:
                if not self._sweep(schedule, store, progress, waiting):
                    waiting.say()
                    time.sleep(POLL)
        return schedule.report

    def _sweep(
        self, schedule: Schedule, store: Store, progress: Progress, waiting: Waiting
    ) -> bool:
        """Try every step that is ready once; whether any was settled."""
        busy = []
        settled = False
        while (step := schedule.take()) is not None:
            progress.working(step, 0.0, "")
            fellows = schedule.fellows(step, workers=1) if fuses(self._device) else []
            steps = {each.identity: each for each in (step, *fellows)}
            report = partial(progress.working, step)
            for outcome in execute_together(list(steps.values()), store, self._device, report):
                if outcome.status == "busy":
                    busy.append(outcome.identity)
                    waiting.busy(steps[outcome.identity])
                    continue
                waiting.over(outcome.identity)
                schedule.settle(outcome)
                progress.settled(steps[outcome.identity], outcome, schedule.unsettled)
                settled = True
        for identity in busy:
            schedule.give_back(identity)
        return settled


def inline(devices: Sequence[str]) -> InlineExecutor:
    """The executor on the first of the devices."""
    return InlineExecutor(devices[0])
