"""The commands that look and change nothing: list, show, diff, why, status."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from harness.cli.exhibits import Request, any_plan, claim_json, judge, judge_all
from harness.cli.not_run import print_not_run, reasons_not_run
from harness.cli.output import console, print_grid, print_json
from harness.cli.points import PointsJudgement, print_stated
from harness.cli.project import Project
from harness.cli.standing import standing_lines, standings_json
from harness.errors import UserError, nearest
from harness.judge.outcomes import about
from harness.plan.settings import open_choices
from harness.run.slurm.look import Standing, look
from harness.run.state import states
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
    if name not in project.paper.runnable:
        _show_stated(exhibit, as_json)
        return
    judgement = judge(project, any_plan(project, name, request))
    profile = judgement.plan.profile.id
    judged = judge_all(project, about(project.paper, name), request)
    claims = [claim_json(item, profile) for item in judged]
    not_run = reasons_not_run(project, judgement.plan)
    if as_json:
        fields = {**judgement.fields, "not_run": not_run, "claims": claims}
        print_json({"exhibit": name, "profile": profile, **fields})
        return
    from harness.cli.rendering import print_claims, print_judgement

    print_judgement(judgement)
    print_not_run(not_run)
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
    stated = [
        {"id": key, **item.model_dump(exclude={"ours"}), "reproduced": None}
        for key, item in exhibit.stated.items()
    ]
    if as_json:
        print_json({"exhibit": exhibit.id, "points": [], "stated": stated})
        return
    console().print(f"{exhibit.label}: {exhibit.title}\n{exhibit.caption}")
    if stated:
        rows = [(str(s["id"]), str(s["text"]), str(s["where"])) for s in stated]
        print_grid(("Stated", "Number", "Where"), rows)


def show_diff(project: Project, name: str, request: Request, as_json: bool) -> bool:
    """Print the differences; whether no number deviates or contradicts itself."""
    judgement = judge(project, any_plan(project, name, request))
    if as_json:
        fields = {"exhibit": name, "profile": judgement.plan.profile.id, **judgement.fields}
        print_json(fields)
    elif isinstance(judgement, PointsJudgement):
        print_stated(judgement)
    else:
        _print_diff(judgement.fields["cells"])
    names = judgement.verdict_names.values()
    return not any(name in ("deviates", "paper-inconsistent") for name in names)


def _print_diff(cells: Sequence[Mapping[str, Any]]) -> None:
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
    planned = any_plan(project, name, Request(profile))
    settings = open_choices(used for item in planned.items for used in item.settings)
    listed = [
        {
            "id": setting.used.listed,
            "label": setting.used.label,
            "value": setting.used.value,
            "source": setting.used.choice.source,
            "place": setting.used.choice.place,
            "why": setting.used.choice.why,
            "alternatives": list(setting.used.choice.alternatives),
            "used_by": list(setting.names),
        }
        for setting in settings
    ]
    if as_json:
        print_json({"exhibit": name, "profile": planned.profile.id, "assumptions": listed})
        return
    rows = [
        (
            setting.titled,
            str(item["value"]),
            ", ".join(str(value) for value in item["alternatives"]) or "–",
            f"{item['source']}: {item['why'] or item['place']}",
        )
        for setting, item in zip(settings, listed, strict=True)
    ]
    print_grid(("Choice", "Value", "Alternatives", "Where from"), rows)


def explain(project: Project, address: str, request: Request, as_json: bool) -> None:
    from harness.run.why import why

    exhibit, *_ = address.split(":")
    planned = any_plan(project, exhibit, request)
    items = {str(item.address): item for item in planned.items}
    if address not in items:
        raise UserError(f"unknown cell '{address}'; {nearest(address, items)}")
    item = items[address]
    lines = why((planned.steps[i] for i in item.identities), planned.steps, project.store)
    if not item.identities:
        lines = [f"nothing runs for it: {item.reason}"]
    if as_json:
        print_json({"address": address, "why": lines})
        return
    for line in lines:
        console().print(line, soft_wrap=True)


def show_status(project: Project, profile: str | None, as_json: bool) -> None:
    submitted = _submitted(project)
    queued = {i for s in submitted for i, stand in s.steps.items() if stand == "queued"}
    rows = []
    for name in project.paper.runnable:
        planned = any_plan(project, name, Request(profile))
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
