"""Queueing on a cluster: submit what a graph lacks, and cancel what was submitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import UserError, nearest
from harness.plan.library import step_types
from harness.plan.step import Json, Step
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submission import QueuedArray
from harness.run.cluster.submit import submit as queue
from harness.spec.toml import read_spec
from harness.study.exhibits import Request
from harness.study.project import Project


def submit(
    project: Project,
    names: Sequence[str],
    request: Request,
    graph: Mapping[str, Step],
    device: str,
    cluster: Path | None,
    executor: str,
) -> list[QueuedArray]:
    """Queue what a graph lacks and is not queued already; the arrays that were submitted.

    Raises:
        UserError: the cluster file is wrong, or the scheduler is not here.
        EvidenceError: the scheduler refused, or did not answer.
    """
    asked: dict[str, Json] = {
        "exhibits": list(names),
        "profile": request.profile,
        "seeds": request.seeds,
        "variation": dict(request.variation or {}),
    }
    return queue(graph, project.store, _cluster(project, cluster), device, asked, executor)


def _cluster(project: Project, path: Path | None) -> Cluster:
    if path is None:
        return Cluster()
    cluster = read_spec(path, Cluster)
    known = step_types(project.paper)
    for name in cluster.kinds:
        if name not in known:
            raise UserError(f"{path}: kinds.{name}: unknown step; {nearest(name, known)}")
    return cluster
