"""`repro make`: run what is missing, judge, render, and say where everything is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.cli.exhibits import Request, claim_json, judge, judge_all, named, plan_of
from harness.cli.exhibits import fields as exhibit_fields
from harness.cli.not_run import print_not_run, reasons_not_run
from harness.cli.output import console, print_json
from harness.cli.project import Project
from harness.errors import EvidenceError, UserError
from harness.judge.exhibit import Judgement
from harness.judge.outcomes import about
from harness.plan.exhibit import ExhibitPlan
from harness.plan.parts import exhibit_of, steps_below
from harness.plan.step import Step
from harness.registry import resolve
from harness.run.executor import Executor
from harness.run.executors import executor_entry
from harness.run.needed import needed
from harness.run.progress import progress_on
from harness.run.schedule import RunReport
from harness.store.files import clean_temporary
from harness.store.record import DamagedRecord
from harness.store.store import Store


def make(
    project: Project,
    exhibits: Sequence[str],
    request: Request,
    executor: str,
    device: str,
    cluster: Path | None,
    as_json: bool,
) -> None:
    """Make exhibits or parts of them, or queue what they lack and leave.

    Raises:
        EvidenceError: some step failed; what could be done is done and shown first.
    """
    names = named(project, exhibits)
    plans = plans_of(project, names, request)
    graph = steps_of(plans, names)
    if executor_entry(executor).leaves and _lacking(graph, project.store):
        from harness.cli.queueing import submit

        _writable(project.root)
        submit(project, names, request, graph, device, cluster, as_json)
        return
    report = run(project, graph, executor, device)
    shown = present(project, plans, request, as_json)
    if as_json:
        print_json({"exhibits": shown})
    else:
        profile = next(iter(plans.values())).profile.id
        console().print(f"all of it as pages: repro report --profile {profile}")
    if not report.complete:
        raise EvidenceError(failures(report, graph))


def plans_of(project: Project, names: Sequence[str], request: Request) -> dict[str, ExhibitPlan]:
    """The plan of each exhibit; of its default too, as `NAME (default)`, where it is varied.

    Args:
        names: exhibits or parts of them.
    """
    exhibits = dict.fromkeys(exhibit_of(name) for name in names)
    plans = {name: plan_of(project, name, request) for name in exhibits}
    if request.variation:
        default = Request(request.profile, request.seeds)
        plans |= {f"{name} (default)": plan_of(project, name, default) for name in exhibits}
    return plans


def steps_of(plans: Mapping[str, ExhibitPlan], names: Sequence[str]) -> dict[str, Step]:
    """One graph of all steps below what is named, in the order of the names."""
    return {
        identity: step
        for name in names
        for plan in plans.values()
        for identity, step in steps_below(plan, [name]).items()
    }


def present(
    project: Project,
    plans: Mapping[str, ExhibitPlan],
    request: Request,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Judge, render and print exhibits as far as they have records.

    A record that turns out to be damaged is set aside, so that the next make does it anew.
    """
    try:
        return _presented(project, plans, request, as_json)
    except DamagedRecord as damage:
        project.store.set_aside(damage.identity)
        raise


def _presented(
    project: Project,
    plans: Mapping[str, ExhibitPlan],
    request: Request,
    as_json: bool,
) -> list[dict[str, Any]]:
    shown = []
    for name in dict.fromkeys(plan.exhibit.id for plan in plans.values()):
        judgement = judge(project, plans[name])
        default_plan = plans.get(f"{name} (default)")
        flips = _flips(judgement, judge(project, default_plan)) if default_plan else []
        shown.append(_present(project, name, judgement, request, flips, as_json))
    return shown


def run(project: Project, graph: Mapping[str, Step], executor: str, device: str) -> RunReport:
    """Bring about every record of a graph; nothing is started when all are there."""
    store = project.store
    if not _lacking(graph, store):
        with suppress(OSError):  # a store that takes nothing keeps what a dead process left
            clean_temporary(store.root)
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
    entry = executor_entry(name)
    gpus = [f"cuda:{index}" for index in range(_visible_gpus())]
    if device == "cuda" and not gpus:
        raise UserError("--device cuda: no GPU is visible here; use --device cpu or auto")
    devices = gpus if gpus and device != "cpu" else ["cpu"] * _cores()
    made: Executor = resolve(entry.factory)(devices)
    return made


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
    before = default.verdict_names
    return [
        f"{address}: {before[address]} -> {name}"
        for address, name in judgement.verdict_names.items()
        if before[address] != name
    ]


def _present(
    project: Project,
    name: str,
    judgement: Judgement,
    request: Request,
    flips: list[str],
    as_json: bool,
) -> dict[str, Any]:
    """Write the renders of one exhibit and print it with its verdicts and claims."""
    from harness.cli.rendering import write_renders

    profile = judgement.plan.profile.id
    files = write_renders(project, judgement, request.variation or {})
    judged = judge_all(project, about(project.paper, name), request)
    fields = {
        "exhibit": name,
        "profile": profile,
        "varied": dict(request.variation or {}),
        **exhibit_fields(judgement),
        "not_run": reasons_not_run(project, judgement.plan),
        "flips": flips,
        "claims": [claim_json(item, profile) for item in judged],
        "files": [str(path) for path in files],
    }
    if not as_json:
        _print(judgement, fields, request)
    return fields


def _print(judgement: Judgement, fields: Mapping[str, Any], request: Request) -> None:
    from harness.cli.rendering import print_claims, print_judgement

    if request.variation:
        varied = ", ".join(f"{name} = {value}" for name, value in request.variation.items())
        console().print(f"Varied: {varied}")
    print_judgement(judgement)
    print_not_run(fields["not_run"])
    for flip in fields["flips"]:
        console().print(f"Verdict flips: {flip}")
    if fields["claims"]:
        print_claims(fields["claims"])
    for path in fields["files"]:
        console().print(f"wrote {path}", soft_wrap=True)


def failures(report: RunReport, graph: Mapping[str, Step]) -> str:
    """What failed, in one message."""
    messages = sorted({f"{graph[i].name}: {text}" for i, text in report.failed.items()})
    shown = "\n  ".join(messages[:5])
    return (
        f"{len(report.failed)} steps failed and {len(report.blocked)} wait for them; the rest is "
        f"done:\n  {shown}"
    )
