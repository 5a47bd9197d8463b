"""The steps that may run next: the graph's bookkeeping, without processes or clocks."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from harness.plan.fusing import programs
from harness.plan.parts import needed
from harness.plan.step import Step
from harness.run.execute import Outcome
from harness.run.together import AT_ONCE
from harness.store.store import Store


@dataclass
class RunReport:
    """The end of every step of a graph, in the order in which it was settled."""

    current: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Identity -> message."""
    blocked: dict[str, str] = field(default_factory=dict)
    """Identity -> which failed step it waits for."""

    @property
    def complete(self) -> bool:
        """Whether every step has a record now."""
        return not self.failed and not self.blocked


class Schedule:
    """Hands out steps whose inputs are settled, first those that come first in the graph."""

    def __init__(self, graph: Mapping[str, Step], store: Store) -> None:
        self.report = RunReport()
        self._graph = graph
        self._place = {identity: place for place, identity in enumerate(graph)}
        self._order = list(graph)
        self._dependants: dict[str, list[str]] = defaultdict(list)
        self._missing: dict[str, int] = {}
        self._ready: list[int] = []
        self._unsettled = 0
        todo = needed(graph, store.has, lambda identity: store.whole(identity) is not None)
        for identity, step in graph.items():
            if identity in todo:
                self._enter(step, todo)
            else:
                self.report.current.append(identity)

    @property
    def finished(self) -> bool:
        """Whether every step is settled."""
        return self._unsettled == 0

    @property
    def unsettled(self) -> int:
        """How many steps are still to be settled."""
        return self._unsettled

    def take(self) -> Step | None:
        """The next step that may run, or None while all wait for others."""
        if not self._ready:
            return None
        return self._graph[self._order[heapq.heappop(self._ready)]]

    def fellows(self, step: Step, workers: int, apart: Container[str] = ()) -> list[Step]:
        """Take what may run and can be done together with a step that was taken, if fairly shared.

        Args:
            workers: among how many such steps are shared evenly.
            apart: identities of those that are to run alone.
        """
        own = self._programs.get(step.identity)
        if own is None or step.identity in apart:
            return []
        names = {place: self._order[place] for place in sorted(self._ready)}
        alike = [
            place
            for place, name in names.items()
            if self._programs.get(name) == own and name not in apart
        ]
        count = min(ceil((len(alike) + 1) / workers), AT_ONCE) - 1
        taken = alike[:count]
        self._ready = [place for place in names if place not in set(taken)]
        return [self._graph[names[place]] for place in taken]

    @cached_property
    def _programs(self) -> dict[str, str]:
        return programs(self._graph.values())

    def give_back(self, identity: str) -> None:
        """Offer a step again that was taken and did not run."""
        heapq.heappush(self._ready, self._place[identity])

    def settle(self, outcome: Outcome) -> None:
        """Record what became of a step that was taken; its dependants become ready or blocked."""
        identity = outcome.identity
        self._unsettled -= 1
        if outcome.status == "failed":
            self.report.failed[identity] = outcome.message
            self._block(identity)
            return
        settled: list[str] = getattr(self.report, outcome.status)
        settled.append(identity)
        for dependant in self._dependants[identity]:
            self._missing[dependant] -= 1
            if self._missing[dependant] == 0 and dependant not in self.report.blocked:
                self.give_back(dependant)

    def _enter(self, step: Step, todo: set[str]) -> None:
        needed = set(step.inputs.values()) & todo
        for source in needed:
            self._dependants[source].append(step.identity)
        self._missing[step.identity] = len(needed)
        self._unsettled += 1
        if not needed:
            self.give_back(step.identity)

    def _block(self, failed: str) -> None:
        reason = f"needs {self._graph[failed].name} {failed[:12]}, which failed"
        waiting = list(self._dependants[failed])
        while waiting:
            identity = waiting.pop()
            if identity not in self.report.blocked:
                self.report.blocked[identity] = reason
                self._unsettled -= 1
                waiting += self._dependants[identity]
