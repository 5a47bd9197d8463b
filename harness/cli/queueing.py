"""Exhibits on a cluster: submit and leave, collect, cancel."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cli.exhibits import Request
from harness.cli.making import failures, plans_of, present, steps_of
from harness.cli.output import console, print_json
from harness.cli.project import Project
from harness.cli.standing import standing_lines, standings_json
from harness.errors import EvidenceError, UserError, nearest
from harness.plan.library import step_types
from harness.plan.step import Json, Step
from harness.run.schedule import RunReport
from harness.run.slurm.cluster import Cluster
from harness.run.slurm.look import cancel as cancel_arrays
from harness.run.slurm.look import collect as reconcile
from harness.run.slurm.submit import submit as queue
from harness.run.state import states
from harness.spec.toml import read_spec


def submit(
    project: Project,
    names: Sequence[str],
    request: Request,
    graph: Mapping[str, Step],
    device: str,
    cluster: Path | None,
    as_json: bool,
) -> None:
    """Queue what a graph lacks, say what was queued, and leave.

    Raises:
        UserError: the cluster file is wrong, or Slurm is not here.
        EvidenceError: Slurm refused, or did not answer.
    """
    asked: dict[str, Json] = {
        "exhibits": list(names),
        "profile": request.profile,
        "seeds": request.seeds,
        "variation": dict(request.variation or {}),
    }
    arrays = queue(graph, project.store, _cluster(project, cluster), device, asked)
    if as_json:
        print_json({"submitted": [_array(array.job, array.step, array.jobs) for array in arrays]})
        return
    for array in arrays:
        steps = sum(len(steps) for steps in array.jobs.values())
        console().print(f"queued {array.job}: {steps} {array.step} in {len(array.jobs)} jobs")
    if not arrays:
        console().print("Everything that lacks a record is queued already.")
    console().print("`repro status` tells how far it is, `repro collect` what came of it.")


def collect(project: Project, as_json: bool) -> None:
    """Reconcile queue and records; judge and render what is over.

    Raises:
        EvidenceError: steps of what is over have failed, or have no job that could do them.
    """
    standings = reconcile(project.store)
    if not as_json:
        for line in standing_lines(standings) or ["Nothing was submitted."]:
            console().print(line)
    shown: list[dict[str, Any]] = []
    problems = []
    for asked in _distinct([s.request for s in standings if s.over]):
        names = asked.pop("exhibits")
        request = Request(**asked)
        plans = plans_of(project, names, request)
        shown += present(project, plans, request, as_json)
        problems += _problems(project, steps_of(plans, names), names)
    if as_json:
        print_json({"submissions": standings_json(standings), "exhibits": shown})
    if problems:
        raise EvidenceError("\n".join(problems))


def cancel(project: Project, jobs: Sequence[str], as_json: bool) -> None:
    """Cancel arrays that were submitted from this store. Raises UserError for an unknown one."""
    arrays = cancel_arrays(project.store, jobs)
    if as_json:
        print_json({"cancelled": [_array(array.job, array.step, array.jobs) for array in arrays]})
        return
    for array in arrays:
        console().print(f"cancelled {array.job}: {array.step}, {len(array.jobs)} jobs")
    if not arrays:
        console().print("Nothing was queued.")


def _cluster(project: Project, path: Path | None) -> Cluster:
    if path is None:
        return Cluster()
    cluster = read_spec(path, Cluster)
    known = step_types(project.paper)
    for name in cluster.kinds:
        if name not in known:
            raise UserError(f"{path}: kinds.{name}: unknown step; {nearest(name, known)}")
    return cluster


def _distinct(requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for request in requests:
        if request not in found:
            found.append(dict(request))
    return found


def _problems(project: Project, graph: Mapping[str, Step], names: Sequence[str]) -> list[str]:
    """What is missing although everything is over."""
    known = states(graph, project.store)
    failed = {i: _message(project, i) for i, state in known.items() if state == "failed"}
    left = {i: "" for i, state in known.items() if state not in ("current", "failed")}
    if failed:
        return [failures(RunReport(failed=failed, blocked=left), graph)]
    if left:
        again = f"`repro make {shlex.join(names)} --executor slurm`"
        return [f"{len(left)} steps have no record and no job any more; {again} queues them anew"]
    return []


def _message(project: Project, identity: str) -> str:
    failure = project.store.failures.get(identity)
    return failure.message if failure else "the failure cannot be read"


def _array(job: str, step: str, jobs: Mapping[str, Sequence[object]]) -> dict[str, Json]:
    return {"job": job, "step": step, "steps": {name: len(given) for name, given in jobs.items()}}
