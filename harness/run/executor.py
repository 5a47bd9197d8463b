"""The interface of every executor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.plan.step import Step
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
