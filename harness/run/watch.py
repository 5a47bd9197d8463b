"""Noticing workers that hang: stopped, or caught in a call in which no thread of theirs runs.

A worker that works touches its lease every few seconds, however long its step takes.
"""

from __future__ import annotations

import time
from contextlib import suppress

from harness.run.lease import beat
from harness.store.store import Store

LOOK = 5.0
"""Seconds between two looks, at least."""
SILENCE = 300.0
"""Seconds without a sign of life, after which a worker counts as hung."""


class Watch:
    """Looks at the leases of workers, each known by the step that it was given."""

    def __init__(self, store: Store, silence: float = SILENCE) -> None:
        self._store = store
        self._silence = silence
        self._looked = time.monotonic()
        self._seen: dict[str, tuple[float | None, float]] = {}
        """Step -> its last beat by the file system's clock, and how long that has been the last.
        None before the worker has taken the lease: it may hang there too."""

    def hung(self, steps: list[str]) -> list[str]:
        """Those of the steps in hand whose worker has been silent for too long."""
        passed = time.monotonic() - self._looked
        if passed < LOOK:
            return []
        self._looked = time.monotonic()
        # A machine or a terminal that slept comes back late: that is no silence of the worker.
        waited = min(passed, 2 * LOOK)
        before, self._seen = self._seen, {}
        for step in steps:
            last = None
            with suppress(OSError):
                last = beat(self._store, step)
            known, silent = before.get(step, (last, -waited))
            self._seen[step] = (last, silent + waited if known == last else 0.0)
        return [step for step, (_, silent) in self._seen.items() if silent > self._silence]
