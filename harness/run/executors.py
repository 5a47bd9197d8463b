"""The executors: one entry for each says how it is made.

A further executor is one more entry: by `register`, or as an entry point of the group
`repro.executors` of an installed distribution, which names an `ExecutorEntry`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UserError, nearest
from harness.registry import Registry


@dataclass(frozen=True)
class ExecutorEntry:
    """How steps are run."""

    name: str
    factory: str
    """`package.module:callable`. It takes the devices of this machine that may be used, such as
    `["cpu", "cpu"]`, and returns an `Executor`. Where the executor leaves, it is the function that
    queues, as `harness.run.slurm.submit:submit`."""
    leaves: bool = False
    """Whether steps are queued, to be collected later, and not run to their end."""


_EXECUTORS = Registry(
    "repro.executors",
    (
        ExecutorEntry("inline", "harness.run.inline:inline"),
        ExecutorEntry("local", "harness.run.local:LocalExecutor"),
        ExecutorEntry("slurm", "harness.run.slurm.submit:submit", leaves=True),
    ),
)
register, executors = _EXECUTORS.register, _EXECUTORS.known


def executor_entry(name: str) -> ExecutorEntry:
    """The entry of a name. UserError where there is none."""
    entry = _EXECUTORS.find(name)
    if entry is None:
        raise UserError(f"unknown executor '{name}'; {nearest(name, executors())}")
    return entry
