"""A run in a process of its own: `python -m tests.run.child STORE PLACE EXECUTOR [STEP]`.

It ends as a command does, and says what a command says.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from harness.cli.ending import told
from harness.cli.streams import prepare
from harness.run.inline import InlineExecutor
from harness.run.local import LocalExecutor
from harness.run.progress import progress_on
from harness.store.store import Store
from tests.run.graphs import graph_of, special

if __name__ == "__main__":
    root, place, name, *steps = sys.argv[1:]
    # However the tests were started: a child inherits that signals are ignored, as under nohup.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    prepare()
    executor = InlineExecutor() if name == "inline" else LocalExecutor(["cpu"])
    step = special(steps[0] if steps else "wait", Path(place), label="endless")
    with told():
        executor.run(graph_of(step), Store(Path(root)), progress_on())
