"""A worker process of the local executor, seen from both sides of its pipe."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType

from harness.media import say
from harness.plan.step import Step
from harness.registry import PAPER_PACKAGES
from harness.run.computing import one_thread_in_environment
from harness.run.execute import Outcome, stopped
from harness.run.progress import describe
from harness.run.stopping import STOPPING
from harness.run.together import execute_together
from harness.store.store import Store

_REPORT_EVERY = 0.2
"""Seconds between two progress messages of one step."""


@dataclass(frozen=True, slots=True)
class Advance:
    """A worker's word on how far its step is."""

    fraction: float
    message: str


class Worker:
    """One spawned process, which runs one step at a time on one device, or several as one."""

    def __init__(self, root: Path, published: Path | None, device: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, root, published, device, dict(PAPER_PACKAGES.admitted))
        self._process = context.Process(target=serve, args=arguments, name="repro")
        with one_thread_in_environment(device), _interrupts_held(), _without_main():
            self._process.start()
        theirs.close()
        self.steps: list[Step] = []
        """The steps that it was given and has not settled; empty if it waits for work."""

    def send(self, steps: Sequence[Step]) -> None:
        """Start steps of one program. BrokenPipeError if the process has died."""
        self.steps = list(steps)
        self.connection.send(
            [replace(each, params=dict(each.params), inputs=dict(each.inputs)) for each in steps]
        )

    def receive(self) -> Outcome | Advance | OSError:
        """The next message. EOFError or ConnectionError if the process has died."""
        message: Outcome | Advance | OSError = self.connection.recv()
        return message

    def how_it_died(self) -> str:
        """The cause of the process's end, once it is dead; waits for it."""
        self._process.join()
        code = self._process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End a process that does not listen any more."""
        self._process.kill()

    def end(self) -> None:
        """Ask the process to stop, at its next checkpoint or at once; it releases its lease."""
        self._process.terminate()

    def last_words(self, deadline: float) -> Iterator[Outcome]:
        """What a process that was asked to stop says of its steps, until `deadline`."""
        with suppress(EOFError, ConnectionError):
            while self.connection.poll(max(0.0, deadline - time.monotonic())):
                message = self.receive()
                if isinstance(message, Outcome) and message.status == "stopped":
                    yield message

    def reap(self, deadline: float) -> None:
        """Wait for the end until `time.monotonic()` is `deadline`, then kill."""
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self.connection.close()


def serve(
    connection: Connection,
    root: Path,
    published: Path | None,
    device: str,
    packages: Mapping[str, Path],
) -> None:
    """Run the steps that arrive, until the pipe closes.

    Args:
        packages: those of the paper; see `PaperPackages`.
    """
    PAPER_PACKAGES.admit(packages)
    # The terminal sends these to every process; the one that coordinates decides what they mean.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    store = Store(root, published)
    reporter = _Reporter(connection)
    steps: list[Step] = []
    STOPPING.listen(lambda: _tell(stopped(steps, store), steps))
    while not STOPPING.asked:
        try:
            steps = connection.recv()
        except EOFError:
            return
        try:
            for outcome in _outcomes(steps, store, device, reporter):
                connection.send(outcome)
        except BrokenPipeError:
            return
        except SystemExit:
            _take_leave(connection, stopped(steps, store), steps)
            raise


def _outcomes(
    steps: Sequence[Step], store: Store, device: str, reporter: _Reporter
) -> Sequence[Outcome | OSError]:
    try:
        return execute_together(steps, store, device, reporter.report)
    except OSError as error:
        return [error]


def _take_leave(connection: Connection, last: Sequence[Outcome], steps: Sequence[Step]) -> None:
    """Tell whoever started this process what is left undone, or everybody where that is gone."""
    try:
        for outcome in last:
            connection.send(outcome)
    except ConnectionError:
        _tell(last, steps)


class _Reporter:
    """Passes progress on, but not more often than anyone can read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._next = 0.0

    def report(self, fraction: float, message: str) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _REPORT_EVERY
            # Where whoever coordinated is gone, this process is about to stop.
            with suppress(ConnectionError):
                self._connection.send(Advance(fraction, message))


def _tell(last: Sequence[Outcome], steps: Sequence[Step]) -> None:
    """Say what a worker says to whoever started it, where that is gone."""
    by_identity = {step.identity: step for step in steps}
    with suppress(OSError, ValueError):
        for outcome in last:
            words = describe(by_identity[outcome.identity], outcome)
            say(
                f"worker {os.getpid()}: the process that started it is gone; {words}",
                sys.__stderr__,
            )


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module from processes that are spawned meanwhile.

    They would import it again. Nothing of it is needed, and a script that runs something at its top
    level would do so once more in every worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process started inside begins deaf to Ctrl-C; one that comes meanwhile arrives after."""
    # Starting the tracker, as the first spawned process does, would let interrupts through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
