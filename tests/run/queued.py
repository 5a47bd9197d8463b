"""What tests with real schedulers ask of a store: how jobs stand, and what their steps left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.plan.step import Json, Step
from harness.run.cluster.look import Standing, look
from harness.run.cluster.scheduler import SchedulerSilent
from harness.store.store import Store

ROOT = Path(__file__).parents[2]


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Ask again and again; an error when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


def over(store: Store, seconds: float = 300) -> Standing:
    """How the only submission stands once all of its jobs have ended."""
    found: list[Standing] = []

    def ended() -> bool:
        with suppress(SchedulerSilent):  # on a crowded machine one question may go unanswered
            found[:] = look(store)
        return bool(found) and found[0].over

    wait_for(ended, "the jobs", seconds)
    return found[0]


def values(store: Store, step: Step) -> dict[str, Json]:
    record = store.get(step.identity)
    assert record is not None
    return dict(record.values)


def starts(store: Store) -> Counter[str]:
    return Counter(e["identity"] for e in store.events.read() if e["event"] == "start")


def repro(root: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of a command on the real specs, with a store and renders under `root`."""
    places = {
        "REPRO_SPECS": str(ROOT / "specs"),
        "REPRO_STORE": str(root / "store"),
        "REPRO_BUILD": str(root / "build"),
    }
    command = [sys.executable, "-c", "from harness.cli.main import main; main()", *arguments]
    done = subprocess.run(
        [*command, "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | places,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fields: dict[str, Any] = json.loads(done.stdout)
    return fields
