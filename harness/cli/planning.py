"""`repro plan`: what a make would do, and how long it would take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.cli.exhibits import Request, plan_of
from harness.cli.output import console, hours, print_grid, print_json
from harness.cli.project import Project
from harness.plan.cost import NOTHING, Past, Seconds, forecast
from harness.plan.exhibit import ExhibitPlan
from harness.plan.fusing import programs
from harness.plan.parts import closure, exhibit_of, steps_below
from harness.plan.step import Step
from harness.run.state import State, states
from harness.spec.profile import Device


def show_plan(project: Project, name: str, request: Request, as_json: bool) -> None:
    planned = plan_of(project, exhibit_of(name), request)
    graph = steps_below(planned, [name])
    known = states(graph, project.store)
    todo = [i for i in graph if known[i] not in ("current", "linked")]
    # Where nothing is to do, nothing is forecast for a reader, and no past runs are looked up.
    # A CPU does every step alone.
    on_cpu = planned.profile.device == "cpu"
    fused = {} if on_cpu else programs(graph[i] for i in todo if known[i] == "run")
    costs = _forecasts(project, graph if todo or as_json else {}, planned.profile.device)
    if not costs:
        _print_plan(graph, planned.profile.device, known, costs, todo)
        return
    totals: dict[str, Any] = {
        "steps": len(graph),
        "current": len(graph) - len(todo),
        "seconds": asdict(_sum(costs[i] for i in todo)),
        "all": asdict(_sum(costs.values())),
        "by_step": _by_step(graph, costs),
        "by_row": _by_row(planned, graph, costs),
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
                "fused": fused.get(identity),
            }
            for identity, step in graph.items()
        ]
        print_json(
            {
                "exhibit": planned.exhibit.id,
                "profile": planned.profile.id,
                "steps": steps,
                "totals": totals,
            }
        )
        return
    print_grid(
        ("Row", f"All that it stands on, on {planned.profile.device}"),
        [(row, _interval(Seconds(**cost))) for row, cost in totals["by_row"].items()],
    )
    _print_plan(graph, planned.profile.device, known, costs, todo)
    _print_fused(graph, fused)


def _print_fused(graph: Mapping[str, Step], fused: Mapping[str, str]) -> None:
    """How many steps of each kind may run together, and how many at once."""
    groups = Counter(fused.values())
    sizes = Counter((graph[i].name, groups[program]) for i, program in fused.items())
    parts = [
        f"{count} {name}, {size} at once"
        for (name, size), count in sorted(sizes.items())
        if size > 1
    ]
    if parts:
        told = "; ".join(parts)
        console().print(f"May be fused, as they differ in seed and set alone: {told}")


def _forecasts(project: Project, graph: Mapping[str, Step], device: Device) -> dict[str, Seconds]:
    past: Mapping[str, Sequence[Past]] = {}
    if graph and device == "cpu" and project.root.is_dir():
        from harness.run.environment import device_name
        from harness.store.index import Index

        past = Index(project.store).past_runs(device_name("cpu"))
    kinds = {(step.name, step.work): step for step in graph.values()}
    costs = {kind: forecast(step, device, past) for kind, step in kinds.items()}
    return {i: costs[step.name, step.work] for i, step in graph.items()}


def _sum(costs: Iterable[Seconds]) -> Seconds:
    return sum(costs, NOTHING)


def _by_step(steps: Mapping[str, Step], costs: Mapping[str, Seconds]) -> dict[str, Any]:
    names = sorted({step.name for step in steps.values()})
    return {
        name: asdict(_sum(costs[i] for i, step in steps.items() if step.name == name))
        for name in names
    }


def _by_row(
    planned: ExhibitPlan, graph: Mapping[str, Step], costs: Mapping[str, Seconds]
) -> dict[str, Any]:
    """Cost of all that a row or a panel stands on; steps that several share count for each."""
    wanted: dict[str, set[str]] = {}
    for item in planned.items:
        wanted.setdefault(item.address.row, set()).update(i for i in item.identities if i in graph)
    return {
        row: asdict(_sum(costs[i] for i in closure(graph, below))) for row, below in wanted.items()
    }


def _print_plan(
    graph: Mapping[str, Step],
    device: Device,
    known: Mapping[str, State],
    costs: Mapping[str, Seconds],
    todo: Sequence[str],
) -> None:
    wanted = set(todo)
    rows = []
    by_name: dict[str, list[str]] = defaultdict(list)
    for identity, step in graph.items():
        by_name[step.name].append(identity)
    for name, own in sorted(by_name.items()):
        counts = Counter(known[i] for i in own)
        states_text = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        cost = _sum(costs[i] for i in own if i in wanted)
        rows.append((name, states_text, _interval(cost)))
    print_grid(("Step", "State", f"To do, on {device}"), rows)
    total = _sum(costs[i] for i in todo)
    console().print(
        f"{len(todo)} of {len(graph)} steps to run: {hours(total.mid)} "
        f"({hours(total.low)} to {hours(total.high)}) of one {device}",
    )


def _interval(cost: Seconds) -> str:
    return f"{hours(cost.mid)} ({hours(cost.low)}–{hours(cost.high)})"
