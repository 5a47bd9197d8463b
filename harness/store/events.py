"""The event log: JSON lines, one file a host, each event one append."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.store.digest import canonical
from harness.store.faults import point
from harness.store.owner import Owner


class Events:
    """What processes did to a store, in time. For people and tests; no result depends on it."""

    def __init__(self, root: Path) -> None:
        self._directory = root / "events"

    def append(self, event: str, identity: str, step: str, **more: str) -> None:
        """Add one line. `event` is start, finish, link, fail, stop, retry or takeover."""
        owner = Owner.current()
        line = {
            "time": time.time(),
            "event": event,
            "identity": identity,
            "step": step,
            "host": owner.host,
            "pid": owner.pid,
            **more,
        }
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{owner.host}.jsonl"
        point(f"event {event}: before")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            # One write of one line: lines of several processes never mix.
            os.write(descriptor, canonical(line) + b"\n")
        finally:
            os.close(descriptor)
        point(f"event {event}: after")

    def read(self) -> list[dict[str, Any]]:
        """Every event of every host, by time. A line that a crash cut short is left out."""
        events: list[tuple[float, int, dict[str, Any]]] = []
        for path in sorted(self._directory.glob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                with suppress(ValueError, TypeError, KeyError, RecursionError):
                    event = json.loads(line)
                    events.append((float(event["time"]), len(events), event))
        return [event for _, _, event in sorted(events)]
