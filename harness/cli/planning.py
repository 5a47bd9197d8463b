"""`repro plan`: what a make would do, and how long it would take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.cli.exhibits import Request, any_plan
from harness.cli.output import console, hours, print_grid, print_json
from harness.cli.project import Project
from harness.plan.cells import Plan
from harness.plan.cost import NOTHING, Seconds, forecast
from harness.plan.points import PointsPlan
from harness.plan.step import Step
from harness.run.state import State, states


def show_plan(project: Project, name: str, request: Request, as_json: bool) -> None:
    planned = any_plan(project, name, request)
    known = states(planned.steps, project.store)
    costs = _forecasts(project, planned)
    todo = [i for i in planned.steps if known[i] not in ("current", "linked")]
    totals = {
        "steps": len(planned.steps),
        "current": len(planned.steps) - len(todo),
        "seconds": asdict(_sum(costs[i] for i in todo)),
        "all": asdict(_sum(costs.values())),
        "by_step": _by_step(planned.steps, costs),
        "by_row": _by_row(planned, costs),
        "device": planned.profile.device,
    }
    if as_json:
        steps = [
            {
                "identity": identity,
                "step": step.name,
                "seed": step.seed,
                "state": known[identity],
                "samples": step.work.samples,
                "flops": step.work.flops,
                "seconds": asdict(costs[identity]),
            }
            for identity, step in planned.steps.items()
        ]
        print_json(
            {"exhibit": name, "profile": planned.profile.id, "steps": steps, "totals": totals}
        )
        return
    _print_plan(planned, known, costs, todo)


def _forecasts(project: Project, planned: Plan | PointsPlan) -> dict[str, Seconds]:
    past: Mapping[str, Sequence[float]] = {}
    if planned.profile.device == "cpu" and project.root.is_dir():
        from harness.run.environment import device_name
        from harness.store.index import Index

        past = Index(project.store).seconds_per_flop(device_name("cpu"))
    device = planned.profile.device
    return {i: forecast(step, device, past) for i, step in planned.steps.items()}


def _sum(costs: Iterable[Seconds]) -> Seconds:
    return sum(costs, NOTHING)


def _by_step(steps: Mapping[str, Step], costs: Mapping[str, Seconds]) -> dict[str, Any]:
    names = sorted({step.name for step in steps.values()})
    return {
        name: asdict(_sum(costs[i] for i, step in steps.items() if step.name == name))
        for name in names
    }


def _by_row(planned: Plan | PointsPlan, costs: Mapping[str, Seconds]) -> dict[str, Any]:
    """Cost of all that a row or a panel stands on; steps that several share count for each."""
    names = dict.fromkeys(item.address.row for item in planned.items)
    return {name: asdict(_sum(costs[i] for i in _closure(planned, name))) for name in names}


def _closure(planned: Plan | PointsPlan, row: str) -> list[str]:
    wanted = {i for item in planned.items if item.address.row == row for i in item.identities}
    for identity, step in reversed(list(planned.steps.items())):
        if identity in wanted:
            wanted |= set(step.inputs.values())
    return [identity for identity in planned.steps if identity in wanted]


def _print_plan(
    planned: Plan | PointsPlan,
    known: Mapping[str, State],
    costs: Mapping[str, Seconds],
    todo: Sequence[str],
) -> None:
    rows = []
    for name in sorted({step.name for step in planned.steps.values()}):
        own = [i for i, step in planned.steps.items() if step.name == name]
        counts = {s: sum(known[i] == s for i in own) for s in sorted(set(known.values()))}
        states_text = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        cost = _sum(costs[i] for i in own if i in set(todo))
        rows.append(
            (name, states_text, f"{hours(cost.mid)} ({hours(cost.low)}–{hours(cost.high)})")
        )
    print_grid(("Step", "State", f"To do, on {planned.profile.device}"), rows)
    total = _sum(costs[i] for i in todo)
    console().print(
        f"{len(todo)} of {len(planned.steps)} steps to run: {hours(total.mid)} "
        f"({hours(total.low)} to {hours(total.high)}) of one {planned.profile.device}",
    )
