"""What an executor does, and the executors: one entry for each says how it is made.

A further executor is one more entry: by `register`, or as an entry point of the group
`repro.executors` of an installed distribution, which names an `ExecutorEntry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.errors import UserError, nearest
from harness.plan.step import Step
from harness.registry import Registry
from harness.run.progress import Progress
from harness.run.schedule import RunReport
from harness.store.store import Store

POLL = 0.1
"""Seconds between two looks at a step that another process holds."""


class Executor(Protocol):
    """Brings the records of a graph about."""

    def run(self, graph: Mapping[str, Step], store: Store, progress: Progress) -> RunReport:
        """Run what has no record yet, inputs before what needs them.

        A failed step blocks what depends on it; the rest goes on. A step that another process holds
        is waited for. KeyboardInterrupt passes through, leases released and workers ended; what was
        committed stays, and the same call goes on from there.
        """
        ...


@dataclass(frozen=True)
class ExecutorEntry:
    """How steps are run."""

    name: str
    factory: str
    """`package.module:callable`. It takes the devices of this machine that may be used, such as
    `["cpu", "cpu"]`, and returns an `Executor`. Where the executor leaves, it takes the
    `Cluster` file and returns a `Scheduler`, as `harness.run.cluster.slurm:Slurm` does."""
    leaves: bool = False
    """Whether steps are queued, to be collected later, and not run to their end."""


_EXECUTORS = Registry(
    "repro.executors",
    (
        ExecutorEntry("inline", "harness.run.inline:inline"),
        ExecutorEntry("local", "harness.run.local:LocalExecutor"),
        ExecutorEntry("slurm", "harness.run.cluster.slurm:Slurm", leaves=True),
        ExecutorEntry("batch", "harness.run.cluster.batch:Batches", leaves=True),
    ),
)
register, executors = _EXECUTORS.register, _EXECUTORS.known


def executor_entry(name: str) -> ExecutorEntry:
    """The entry of a name. UserError where there is none."""
    entry = _EXECUTORS.find(name)
    if entry is None:
        raise UserError(f"unknown executor '{name}'; {nearest(name, executors())}")
    return entry
