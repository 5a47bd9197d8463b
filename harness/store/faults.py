"""Points at which a test may kill the process, to show that no moment is a bad one to die.

`REPRO_FAULT=n` kills the process with SIGKILL at the n-th point that it reaches (from 1);
`REPRO_FAULT_LOG=path` appends the name of each point reached, one a line. Without them a point
costs two look-ups.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_reached = 0


def point(name: str) -> None:
    """Mark a moment between two effects on the disk."""
    kill_at = os.environ.get("REPRO_FAULT")
    log = os.environ.get("REPRO_FAULT_LOG")
    if kill_at is None and log is None:
        return
    global _reached
    _reached += 1
    if log is not None:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    if kill_at is not None and _reached == int(kill_at):
        os.kill(os.getpid(), signal.SIGKILL)
