"""A run in a process of its own: `python -m tests.run.child STORE PLACE EXECUTOR`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from harness.run.inline import InlineExecutor
from harness.run.local import LocalExecutor
from harness.run.progress import Progress
from harness.store.store import Store
from tests.run.graphs import graph_of, waiting

if __name__ == "__main__":
    root, place, name = sys.argv[1:]
    # However the tests were started: a child inherits that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    executor = InlineExecutor() if name == "inline" else LocalExecutor(["cpu"])
    step = waiting("long", 60.0, place)
    try:
        executor.run(graph_of(step), Store(Path(root)), Progress())
    except KeyboardInterrupt:
        sys.exit(130)
