"""An executor that does the steps of a graph in this process, and notes what it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.plan.step import Step
from harness.run.executors import ExecutorEntry
from harness.run.inline import InlineExecutor
from harness.run.progress import Progress
from harness.run.schedule import RunReport
from harness.store.store import Store


class NotingExecutor(InlineExecutor):
    """Runs as inline does."""

    noted: list[str] = []  # noqa: RUF012 (all instances note in one place)

    def __init__(self, devices: Sequence[str]) -> None:
        super().__init__(devices[0])

    def run(self, graph: Mapping[str, Step], store: Store, progress: Progress) -> RunReport:
        self.noted.extend(graph)
        return super().run(graph, store, progress)


ENTRY = ExecutorEntry("noting", "tests.toy_kind.noting:NotingExecutor")
