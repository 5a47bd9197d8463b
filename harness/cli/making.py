"""`repro make`: run what is missing, judge, render, and say where everything is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cli.exhibits import Judgement, Request, claim_json, judge, judge_all, plan
from harness.cli.output import console, print_json
from harness.cli.project import Project
from harness.errors import EvidenceError, UserError, nearest
from harness.judge.outcomes import about
from harness.plan.cells import Plan
from harness.plan.step import Step
from harness.run.executor import Executor
from harness.run.needed import needed
from harness.run.progress import progress_on
from harness.run.schedule import RunReport
from harness.spec.exhibit import Table
from harness.store.store import Store

EXECUTORS = ("inline", "local")


def make(
    project: Project,
    exhibits: Sequence[str],
    request: Request,
    executor: str,
    device: str,
    cluster: Path | None,
    as_json: bool,
) -> None:
    """Make tables of results, or queue what they lack and leave.

    Raises:
        EvidenceError: some step failed; what could be done is done and shown first.
    """
    names = tables(project, exhibits)
    plans = plans_of(project, names, request)
    graph = steps_of(plans)
    if executor == "slurm" and _lacking(graph, project.store):
        from harness.cli.queueing import submit

        _writable(project.root)
        submit(project, names, request, graph, device, cluster, as_json)
        return
    report = run(project, graph, executor, device)
    shown = present(project, names, plans, request, as_json)
    if as_json:
        print_json({"exhibits": shown})
    if not report.complete:
        raise EvidenceError(failures(report, graph))


def plans_of(project: Project, names: Sequence[str], request: Request) -> dict[str, Plan]:
    """The plan of each exhibit; of its default too, as `NAME (default)`, where it is varied."""
    plans = {name: plan(project, name, request) for name in names}
    if request.variation:
        default = Request(request.profile, request.seeds)
        plans |= {f"{name} (default)": plan(project, name, default) for name in names}
    return plans


def steps_of(plans: Mapping[str, Plan]) -> dict[str, Step]:
    """One graph of all steps."""
    return {identity: step for plan in plans.values() for identity, step in plan.steps.items()}


def present(
    project: Project,
    names: Sequence[str],
    plans: Mapping[str, Plan],
    request: Request,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Judge, render and print exhibits as far as they have records."""
    shown = []
    for name in names:
        judgement = judge(project, plans[name])
        default_plan = plans.get(f"{name} (default)")
        flips = _flips(judgement, judge(project, default_plan)) if default_plan else []
        shown.append(_present(project, name, judgement, request, flips, as_json))
    return shown


def tables(project: Project, exhibits: Sequence[str]) -> list[str]:
    """The tables of results that were asked for; `all` is every one of them."""
    named = [project.paper.table(name).id for name in exhibits if name != "all"]
    if len(named) == len(exhibits):
        return named
    return [name for name, item in project.paper.exhibits.items() if isinstance(item, Table)]


def run(project: Project, graph: Mapping[str, Step], executor: str, device: str) -> RunReport:
    """Bring about every record of a graph; nothing is started when all are there."""
    store = project.store
    if not _lacking(graph, store):
        return RunReport(current=list(graph))
    _writable(project.root)
    return _executor(executor, device).run(graph, store, progress_on())


def _lacking(graph: Mapping[str, Step], store: Store) -> set[str]:
    return needed(graph, store.has, lambda identity: store.whole(identity) is not None)


def _writable(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{root}: the store cannot be written ({error.strerror})") from None


def _executor(name: str, device: str) -> Executor:
    if name not in EXECUTORS:
        raise UserError(f"unknown executor '{name}'; {nearest(name, EXECUTORS)}")
    gpus = [f"cuda:{index}" for index in range(_visible_gpus())]
    if device == "cuda" and not gpus:
        raise UserError("--device cuda: no GPU is visible here; use --device cpu or auto")
    devices = gpus if gpus and device != "cpu" else ["cpu"] * _cores()
    if name == "inline":
        from harness.run.inline import InlineExecutor

        return InlineExecutor(devices[0])
    from harness.run.local import LocalExecutor

    return LocalExecutor(devices)


def _visible_gpus() -> int:
    """GPUs that this process may use, found without importing torch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1")])
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _cores() -> int:
    """Cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _flips(judgement: Judgement, default: Judgement) -> list[str]:
    """Addresses whose verdict under the variation is another one than under the default."""
    return [
        f"{v['address']}: {d['name']} -> {v['name']}"
        for v, d in zip(judgement.verdicts, default.verdicts, strict=True)
        if v["name"] != d["name"]
    ]


def _present(
    project: Project,
    name: str,
    judgement: Judgement,
    request: Request,
    flips: list[str],
    as_json: bool,
) -> dict[str, Any]:
    """Write the renders of one table and print it with its verdicts and claims."""
    from harness.cli.rendering import write_renders

    profile = judgement.plan.profile.id
    files = write_renders(project, judgement, request.variation or {})
    judged = judge_all(project, about(project.paper, name), request)
    fields = {
        "exhibit": name,
        "profile": profile,
        "varied": dict(request.variation or {}),
        "cells": judgement.cells(),
        "flips": flips,
        "claims": [claim_json(item, profile) for item in judged],
        "files": [str(path) for path in files],
    }
    if not as_json:
        _print(judgement, [claim_json(item, profile) for item in judged], flips, files, request)
    return fields


def _print(
    judgement: Judgement,
    claims: Sequence[Mapping[str, Any]],
    flips: Sequence[str],
    files: Sequence[Path],
    request: Request,
) -> None:
    from harness.cli.rendering import print_claims, print_table

    if request.variation:
        varied = ", ".join(f"{name} = {value}" for name, value in request.variation.items())
        console().print(f"Varied: {varied}")
    print_table(judgement)
    for flip in flips:
        console().print(f"Verdict flips: {flip}")
    if claims:
        print_claims(claims)
    for path in files:
        console().print(f"wrote {path}", soft_wrap=True)


def failures(report: RunReport, graph: Mapping[str, Step]) -> str:
    """What failed, in one message."""
    messages = sorted({f"{graph[i].name}: {text}" for i, text in report.failed.items()})
    shown = "\n  ".join(messages[:5])
    return (
        f"{len(report.failed)} steps failed and {len(report.blocked)} wait for them; the rest is "
        f"done:\n  {shown}"
    )
