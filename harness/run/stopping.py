"""Stopping a worker: at the next checkpoint of its step, or at once where the step keeps none.

A worker is asked by SIGTERM. It asks itself where the process that started it has gone, however
that ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING

from harness.plan.step import Checkpoints

if TYPE_CHECKING:
    import numpy as np

WITHIN = 4.0
"""Seconds in which a step may come to its next checkpoint."""
GRACE = 5.0
"""Seconds after which a worker is killed that was asked to stop."""
CODE = 128 + signal.SIGTERM


class Stopping:
    """Whether this process was asked to stop, and what its step can do about it."""

    def __init__(self) -> None:
        self.asked = False
        self.saves = False
        """Whether the step at hand looks after checkpoints."""

    def listen(self, last_word: Callable[[], None]) -> None:
        """From now on, SIGTERM or the end of the parent stops this process, by SystemExit.

        Args:
            last_word: called where even that does not end it, before it is ended as by a kill.
        """
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGALRM, self._ask)
        watch = threading.Thread(target=_outlived, args=(last_word,), name="parent", daemon=True)
        watch.start()

    def heeding(self, checkpoints: Checkpoints) -> Checkpoints:
        """The checkpoints of the step at hand, which end the process when it was asked to stop."""
        self.saves = False
        return _Heeding(checkpoints, self)

    def stop(self) -> None:
        """Raise SystemExit; what is cleaned up then is not disturbed any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(CODE)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.saves or self.asked:
            self.stop()
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, WITHIN)


class _Heeding:
    """Satisfies `Checkpoints`."""

    def __init__(self, kept: Checkpoints, stopping: Stopping) -> None:
        self._kept = kept
        self._stopping = stopping

    def load(self) -> Mapping[str, np.ndarray] | None:
        return self._kept.load()

    def due(self) -> bool:
        self._stopping.saves = True
        return self._stopping.asked or self._kept.due()

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        self._kept.save(state)
        if self._stopping.asked:
            self._stopping.stop()

    def part(self, name: str) -> Checkpoints:
        return _Heeding(self._kept.part(name), self._stopping)


def _outlived(last_word: Callable[[], None]) -> None:
    """Wait for the end of the process that started this one, and end this one."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    last_word()
    os._exit(CODE)  # it is deep in a call that heeds no signal


STOPPING = Stopping()
"""That of this process, since signals come to processes."""
