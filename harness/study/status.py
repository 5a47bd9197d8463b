"""How far exhibits are, and why the steps of a number will run or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UserError, nearest
from harness.plan.exhibit import ExhibitPlan
from harness.plan.parts import needed_for
from harness.plan.step import Step
from harness.run.cluster.look import Standing, look
from harness.run.holder import Holder, holders
from harness.run.state import State, states
from harness.study.evidence import check_evidence, no_results
from harness.study.exhibits import Request, plan_of
from harness.study.project import Project
from harness.study.trust import NEEDS_CODE


@dataclass(frozen=True)
class Progress:
    """How far one exhibit is."""

    exhibit: str
    profile: str
    states: Mapping[str, State]
    """By identity of the step."""
    queued: int
    """How many of its steps wait on a cluster."""

    def count(self, state: State) -> int:
        """How many steps are in a state."""
        return sum(value == state for value in self.states.values())


@dataclass(frozen=True)
class AtWork:
    """A process that holds a step of some exhibit."""

    step: Step
    numbers: Sequence[str]
    """The addresses of what the step is needed for."""
    holder: Holder


@dataclass(frozen=True)
class Status:
    """How far every exhibit is for which something is run, and what waits on a cluster."""

    exhibits: Sequence[Progress]
    at_work: Sequence[AtWork]
    submissions: Sequence[Standing]
    problems: Sequence[str]
    """Why nothing is known of the cluster, and which files of results cannot be read, if so."""


def status_of(project: Project, profile: str | None) -> Status:
    """How far every exhibit is, from the records and from Slurm."""
    submitted, problems = _submitted(project)
    problems += no_results(check_evidence(project, project.paper.exhibits))
    queued = {i for s in submitted for i, stand in s.steps.items() if stand == "queued"}
    found, plans = [], []
    for name in project.paper.runnable:
        planned = plan_of(project, name, Request(profile))
        known = states(planned.steps, project.store)
        found.append(Progress(name, planned.profile.id, known, len(queued & known.keys())))
        plans.append(planned)
    running = {i for one in found for i, state in one.states.items() if state == "running"}
    return Status(found, _at_work(project, plans, sorted(running)), submitted, problems)


def _at_work(
    project: Project, plans: Sequence[ExhibitPlan], running: Sequence[str]
) -> list[AtWork]:
    steps = {identity: step for plan in plans for identity, step in plan.steps.items()}
    numbers = needed_for(plans, running)
    return [
        AtWork(steps[i], numbers[i], holder)
        for i, holder in holders(project.store, running).items()
    ]


def _submitted(project: Project) -> tuple[list[Standing], list[str]]:
    """Submissions to Slurm that were not collected; nothing where Slurm cannot say."""
    try:
        return look(project.store), []
    except UserError as error:
        return [], [f"{error}; the table is of the records alone"]


def explained(project: Project, address: str, request: Request) -> list[str]:
    """Lines that say why the steps of a number will run or not.

    Raises:
        UserError: there is no such address.
    """
    from harness.run.why import why

    if not project.executes:
        raise UserError(f"why: {NEEDS_CODE}")
    planned = plan_of(project, address.split(":")[0], request)
    items = {str(item.address): item for item in planned.items}
    if address not in items:
        raise UserError(f"unknown cell '{address}'; {nearest(address, items)}")
    item = items[address]
    if not item.identities:
        return [f"nothing runs for it: {item.reason}"]
    return why((planned.steps[i] for i in item.identities), planned.steps, project.store)
