"""The program of a job: it runs its steps, shared with the other workers of the allocation.

A worker reads and writes records alone, and never the index over them.
"""

from __future__ import annotations

import os
import pickle
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.plan.step import Step
from harness.run.executors import POLL
from harness.run.progress import describe
from harness.run.together import execute_together
from harness.store.store import Store

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

_LONGEST_PAUSE = 5.0
"""Seconds between two looks at a step that another worker holds, once it has taken a while."""


@dataclass(frozen=True)
class JobWork:
    """The steps of one job. Called once in each worker; a job that is queued again calls it anew.

    What has a record by then is not done twice.
    """

    root: Path
    published: Path | None
    steps: Sequence[Step]
    device: str

    def __call__(self) -> None:
        store = Store(self.root, self.published)
        left = [step for step in self.steps if _readable(step, store)]
        pause = POLL
        while left:
            busy = [step for step in left if _is_busy(step, store, self.device)]
            if len(busy) == len(left):
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            left = busy

    def checkpoint(self) -> DelayedSubmission:
        """What submitit queues again before the time limit: the same, since the store knows what
        is done."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def environment_lines(setup: Sequence[str], code: Path) -> list[str]:
    """Lines of shell before the workers: the user's own, and where the submitted code is."""
    return [
        *setup,
        f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}",
        # Else the folder in which the command was given comes first.
        "export PYTHONSAFEPATH=1",
    ]


def main(works: str, index: str, tasks: str = "1") -> int:
    """Do one of the works in a file, in as many processes as there are tasks.

    Each process sees its own share of the GPUs that the job was given.
    """
    count = int(tasks)
    if count == 1:
        work: JobWork = pickle.loads(Path(works).read_bytes())[int(index)]
        work()
        return 0
    gpus = [each for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each]
    share = len(gpus) // count
    command = [sys.executable, "-m", __spec__.name, works, index]
    workers = []
    for task in range(count):
        own = gpus[task * share : (task + 1) * share]
        seen = {"CUDA_VISIBLE_DEVICES": ",".join(own)} if gpus else {}
        workers.append(subprocess.Popen(command, env=os.environ | seen))
    return max(abs(worker.wait()) for worker in workers)


def _readable(step: Step, store: Store) -> bool:
    """Whether the inputs are there. Where one failed, its dependants wait for it to be mended."""
    missing = [name for name, i in sorted(step.inputs.items()) if store.whole(i) is None]
    if missing:
        print(f"{step.name} {step.identity[:12]} waits: no record of its {', '.join(missing)}")
    return not missing


def _is_busy(step: Step, store: Store, device: str) -> bool:
    """Run a step, unless another worker is at it."""
    [outcome] = execute_together([step], store, device, lambda fraction, message: None)
    if outcome.status != "busy":
        print(describe(step, outcome), flush=True)
    return outcome.status == "busy"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
