"""The commands that look and change nothing: list, show, plan, diff, why, status."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.cli.exhibits import Judgement, Request, claim_json, judge, judge_all
from harness.cli.exhibits import plan as plan_of
from harness.cli.output import console, hours, print_grid, print_json
from harness.cli.project import Project
from harness.cli.standing import standing_lines, standings_json
from harness.errors import UserError, nearest
from harness.judge.outcomes import about
from harness.plan.cells import Plan
from harness.plan.cost import NOTHING, Seconds, forecast
from harness.plan.settings import Used
from harness.plan.step import Step
from harness.run.slurm.look import Standing, look
from harness.run.state import State, states
from harness.spec.exhibit import Exhibit, Table
from harness.spec.others import SettingsTable


def list_exhibits(project: Project, as_json: bool) -> None:
    exhibits = project.paper.exhibits.values()
    if as_json:
        listed = [{"id": e.id, "kind": e.kind, "title": e.title} for e in exhibits]
        print_json({"exhibits": listed})
        return
    print_grid(("Exhibit", "Kind", "Title"), [(e.id, e.kind, e.title) for e in exhibits])


def show(project: Project, name: str, request: Request, as_json: bool) -> None:
    exhibit = project.paper.exhibit(name)
    if isinstance(exhibit, SettingsTable):
        _show_settings(project, exhibit, as_json)
        return
    if not isinstance(exhibit, Table):
        _show_stated(exhibit, as_json)
        return
    judgement = judge(project, plan_of(project, name, request))
    profile = judgement.plan.profile.id
    judged = judge_all(project, about(project.paper, name), request)
    claims = [claim_json(item, profile) for item in judged]
    if as_json:
        print_json(
            {"exhibit": name, "profile": profile, "cells": judgement.cells(), "claims": claims}
        )
        return
    from harness.cli.rendering import print_claims, print_table

    print_table(judgement)
    if claims:
        print_claims(claims)


def _show_settings(project: Project, exhibit: SettingsTable, as_json: bool) -> None:
    from harness.cli.rendering import printed
    from harness.render import terminal

    model = printed(project.paper, exhibit)
    if as_json:
        cells = [
            {"row": row.name, "column": column.name, "printed": cell.reported}
            for row in model.rows
            for column, cell in zip(model.columns, row.cells, strict=True)
        ]
        print_json({"exhibit": exhibit.id, "cells": cells})
        return
    terminal.show(model, "reported", console())


def _show_stated(exhibit: Exhibit, as_json: bool) -> None:
    stated = [{"id": key, **item.model_dump()} for key, item in exhibit.stated.items()]
    if as_json:
        print_json({"exhibit": exhibit.id, "points": [], "stated": stated})
        return
    console().print(f"{exhibit.label}: {exhibit.title}\n{exhibit.caption}")
    if stated:
        rows = [(str(s["id"]), str(s["text"]), str(s["where"])) for s in stated]
        print_grid(("Stated", "Number", "Where"), rows)


def show_plan(project: Project, name: str, request: Request, as_json: bool) -> None:
    planned = plan_of(project, name, request)
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


def _forecasts(project: Project, planned: Plan) -> dict[str, Seconds]:
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


def _by_row(planned: Plan, costs: Mapping[str, Seconds]) -> dict[str, Any]:
    """Cost of all that a row stands on; steps that rows share count for each."""
    return {
        row.name: asdict(_sum(costs[i] for i in _closure(planned, row.name)))
        for row in planned.exhibit.rows
    }


def _closure(planned: Plan, row: str) -> list[str]:
    wanted = {i for c in planned.cells if c.address.row == row for term in c.terms for i in term}
    for identity, step in reversed(list(planned.steps.items())):
        if identity in wanted:
            wanted |= set(step.inputs.values())
    return [identity for identity in planned.steps if identity in wanted]


def _print_plan(
    planned: Plan, known: Mapping[str, State], costs: Mapping[str, Seconds], todo: Sequence[str]
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


def show_diff(project: Project, name: str, request: Request, as_json: bool) -> bool:
    """Print the differences; whether no cell deviates or contradicts itself."""
    judgement = judge(project, plan_of(project, name, request))
    cells = judgement.cells()
    if as_json:
        print_json({"exhibit": name, "profile": judgement.plan.profile.id, "cells": cells})
    else:
        _print_diff(judgement, cells)
    return not any(cell["verdict"] in ("deviates", "paper-inconsistent") for cell in cells)


def _print_diff(judgement: Judgement, cells: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for cell in cells:
        ours = cell["reproduced"]
        interval = cell["interval"]
        rows.append(
            (
                f"{cell['row']} / {cell['column']}",
                cell["reported"]["text"] if cell["reported"] else "–",
                f"{ours['mean']:.2f} (n={ours['n']})" if ours else "–",
                "–" if cell["difference"] is None else f"{cell['difference']:+.2f}",
                "–" if interval is None else f"{interval[0]:+.2f} to {interval[1]:+.2f}",
                cell["verdict"],
            )
        )
    print_grid(("Cell", "Reported", "Reproduced", "Difference", "95 % interval", "Verdict"), rows)
    for reason in sorted({cell["why"] for cell in cells if cell["verdict"] == "not comparable"}):
        console().print(reason)


def show_assumptions(project: Project, name: str, profile: str | None, as_json: bool) -> None:
    planned = plan_of(project, name, Request(profile))
    used: dict[tuple[str, str], Used] = {}
    for cell in planned.cells:
        for setting in cell.settings:
            if setting.choice.source != "paper":
                used.setdefault((setting.name, repr(setting.value)), setting)
    listed = [
        {
            "id": item.name,
            "value": item.value,
            "source": item.choice.source,
            "place": item.choice.place,
            "why": item.choice.why,
            "alternatives": list(item.choice.alternatives),
        }
        for _, item in sorted(used.items())
    ]
    if as_json:
        print_json({"exhibit": name, "profile": planned.profile.id, "assumptions": listed})
        return
    rows = [
        (
            str(item["id"]),
            str(item["value"]),
            ", ".join(str(value) for value in item["alternatives"]) or "–",
            f"{item['source']}: {item['why'] or item['place']}",
        )
        for item in listed
    ]
    print_grid(("Choice", "Value", "Alternatives", "Where from"), rows)


def explain(project: Project, address: str, request: Request, as_json: bool) -> None:
    from harness.run.why import why

    exhibit, *_ = address.split(":")
    planned = plan_of(project, exhibit, request)
    cells = {str(cell.address): cell for cell in planned.cells}
    if address not in cells:
        raise UserError(f"unknown cell '{address}'; {nearest(address, cells)}")
    cell = cells[address]
    identities = dict.fromkeys(i for terms in cell.terms for i in terms)
    lines = why((planned.steps[i] for i in identities), planned.steps, project.store)
    if not identities:
        lines = [f"nothing runs for it: {cell.reason}"]
    if as_json:
        print_json({"address": address, "why": lines})
        return
    for line in lines:
        console().print(line, soft_wrap=True)


def show_status(project: Project, profile: str | None, as_json: bool) -> None:
    submitted = _submitted(project)
    queued = {i for s in submitted for i, stand in s.steps.items() if stand == "queued"}
    rows = []
    for name, exhibit in project.paper.exhibits.items():
        if not isinstance(exhibit, Table):
            continue
        planned = plan_of(project, name, Request(profile))
        known = states(planned.steps, project.store)
        count = {s: sum(value == s for value in known.values()) for s in set(known.values())}
        rows.append(
            {
                "exhibit": name,
                "profile": planned.profile.id,
                "steps": len(known),
                "current": count.get("current", 0),
                "running": count.get("running", 0),
                "queued": len(queued & known.keys()),
                "failed": count.get("failed", 0),
            }
        )
    if as_json:
        print_json({"exhibits": rows, "submissions": standings_json(submitted)})
        return
    headings = ("exhibit", "profile", "steps", "current", "running", "queued", "failed")
    print_grid(headings, [[str(row[key]) for key in headings] for row in rows])
    for line in standing_lines(submitted):
        console().print(line)


def _submitted(project: Project) -> list[Standing]:
    """What was submitted to Slurm and not collected; nothing where Slurm cannot say."""
    try:
        return look(project.store)
    except UserError as error:
        print(f"repro: {error}; the table is of the records alone", file=sys.stderr)
        return []


def _printed_tables(project: Project, exhibits: Sequence[str]) -> list[Table | SettingsTable]:
    known = project.paper.exhibits
    named = [project.paper.exhibit(name) for name in exhibits if name != "all"]
    chosen = known.values() if "all" in exhibits else named
    found = [exhibit for exhibit in chosen if isinstance(exhibit, Table | SettingsTable)]
    if not found:
        raise UserError(f"{', '.join(exhibits)}: no table; only tables have printed cells")
    return found


def render_reported(project: Project, exhibits: Sequence[str], as_json: bool) -> None:
    from harness.cli.rendering import write_reported

    printed = _printed_tables(project, exhibits)
    files = [path for table in printed for path in write_reported(project, table)]
    if as_json:
        print_json({"files": [str(path) for path in files]})
        return
    for path in files:
        console().print(f"wrote {path}", soft_wrap=True)
