"""The steps that a make would run, and how long it would take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.plan.cost import NOTHING, Past, Seconds, forecast
from harness.plan.exhibit import ExhibitPlan
from harness.plan.fusing import programs
from harness.plan.parts import closure, exhibit_of, part_of, steps_below
from harness.plan.step import Step
from harness.run.state import State, states
from harness.spec.parts import Device
from harness.study.evidence import check_evidence, no_results
from harness.study.exhibits import Request, plan_of, seeds_notice
from harness.study.project import Project


@dataclass(frozen=True)
class Forecast:
    """The steps of an exhibit or a part of it, their states, and the seconds that they take."""

    exhibit: str
    profile: str
    device: Device
    """The device that the seconds are of: one of it."""
    steps: Mapping[str, Step]
    """Identity -> step, inputs before the steps that read them."""
    states: Mapping[str, State]
    """By identity: `current`, `run`, `linked`, `blocked`, `running` or `failed`."""
    seconds: Mapping[str, Seconds]
    """By identity: what the step takes, done or not, with an interval."""
    fused: Mapping[str, str]
    """Identity -> the program in which the step may run together with others."""
    unreadable: Mapping[str, str]
    """Identity -> why the record that is there cannot be read, and what to do."""
    rows: Mapping[str, Seconds]
    """Row or panel of what is asked for -> all that it stands on; steps that several share count
    for each."""

    @property
    def todo(self) -> list[str]:
        """Identities of the steps that have no record yet."""
        return [i for i, state in self.states.items() if state not in ("current", "linked")]

    @property
    def remaining(self) -> Seconds:
        """The seconds of all that is left to do."""
        return self.sum(self.todo)

    def sum(self, identities: Iterable[str]) -> Seconds:
        """The seconds of some of the steps; nothing for those without a forecast."""
        return sum((self.seconds.get(i, NOTHING) for i in identities), NOTHING)

    @cached_property
    def longest(self) -> list[str]:
        """The critical path: of the chains of steps to do, each reading the one before it, that
        which takes longest. However many devices there are, a make takes as long.
        """
        return self._longest(lambda identity: self.seconds[identity].mid)

    def without(self, name: str) -> Seconds:
        """The seconds of the longest chain that is left if steps of a name took no time."""
        steps = self.steps
        chain = self._longest(lambda i: 0.0 if steps[i].name == name else self.seconds[i].mid)
        return self.sum(i for i in chain if steps[i].name != name)

    def _longest(self, cost: Callable[[str], float]) -> list[str]:
        todo = {i for i in self.todo if i in self.seconds}
        ends: dict[str, float] = {}
        before: dict[str, str] = {}
        for identity, step in self.steps.items():
            if identity in todo:
                inputs = sorted(i for i in step.inputs.values() if i in ends)
                last = max(inputs, key=ends.__getitem__, default="")
                ends[identity] = cost(identity) + ends.get(last, 0.0)
                before[identity] = last
        chain = [max(sorted(ends), key=ends.__getitem__, default="")]
        while chain[-1]:
            chain.append(before.get(chain[-1], ""))
        return chain[-2::-1]

    def by_step(self) -> dict[str, Seconds]:
        """Name of the step -> what all steps of that name take."""
        names = sorted({step.name for step in self.steps.values()})
        return {
            name: self.sum(i for i, step in self.steps.items() if step.name == name)
            for name in names
        }


def forecast_of(project: Project, name: str, request: Request, whole: bool = True) -> Forecast:
    """Plan an exhibit or a part of it. Changes nothing.

    Args:
        whole: False forecasts no seconds where nothing is left to do, which saves a look at past
            runs.
    """
    planned = plan_of(project, exhibit_of(name), request)
    broken = check_evidence(project, [planned.exhibit.id])
    project.notices.update(dict.fromkeys(no_results(broken)))
    seeds_notice(project, planned, request)
    device = planned.profile.device
    graph = steps_below(planned, [name])
    known = states(graph, project.store)
    left = [i for i in graph if known[i] not in ("current", "linked")]
    seconds = seconds_of(project, graph if left or whole else {}, device)
    return Forecast(
        exhibit=planned.exhibit.id,
        profile=planned.profile.id,
        device=device,
        steps=graph,
        states=known,
        seconds=seconds,
        unreadable={
            i: f"{damage.reason}; {damage.remedy}"
            for i in left
            if (damage := project.store.unreadable(i))
        },
        # A CPU does every step alone.
        fused={} if device == "cpu" else programs(graph[i] for i in left if known[i] == "run"),
        rows=_rows(part_of(planned, [name]), graph, seconds) if seconds else {},
    )


def seconds_of(project: Project, graph: Mapping[str, Step], device: Device) -> dict[str, Seconds]:
    """Identity -> how long the step takes on one of the device, done or not."""
    past: Mapping[str, Sequence[Past]] = {}
    if graph and device == "cpu" and project.root.is_dir():
        from harness.run.environment import device_name
        from harness.store.index import Index

        past = Index(project.store).past_runs(device_name("cpu"))
    kinds = {(step.name, step.work): step for step in graph.values()}
    costs = {kind: forecast(step, device, past) for kind, step in kinds.items()}
    return {i: costs[step.name, step.work] for i, step in graph.items()}


def _rows(
    planned: ExhibitPlan, graph: Mapping[str, Step], seconds: Mapping[str, Seconds]
) -> dict[str, Seconds]:
    wanted: dict[str, set[str]] = {}
    for item in planned.items:
        wanted.setdefault(item.address.row, set()).update(item.identities)
    return {
        row: sum((seconds[i] for i in closure(graph, below)), NOTHING)
        for row, below in wanted.items()
    }
