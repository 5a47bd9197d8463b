"""Showing a run: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TextIO

from harness import media
from harness.plan.step import Step
from harness.run.execute import Outcome

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Progress(AbstractContextManager["Progress"]):
    """Reports of an executor while it runs, as a context manager around it. This shows nothing."""

    def __exit__(self, *error: object) -> None:
        return None

    def begin(self, steps: int) -> None:
        """How many steps are to be settled."""

    def working(self, step: Step, fraction: float, message: str) -> None:
        """A step has begun (fraction 0) or has come further."""

    def settled(self, step: Step, outcome: Outcome, left: int) -> None:
        """A step has an outcome; `left` steps have none yet."""


class Lines(Progress):
    """A plain line for each step that is settled, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = 0

    def begin(self, steps: int) -> None:
        self._total = steps

    def settled(self, step: Step, outcome: Outcome, left: int) -> None:
        count = f"[{self._total - left}/{self._total}]"
        print(f"{count} {media.terminal(describe(step, outcome))}", file=self._stream, flush=True)


class Bar(Progress):
    """One bar over all steps, with the estimated time left; failures are lines above it."""

    def __init__(self, stream: TextIO) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        # The stream is bound now: while a step runs, `sys.stderr` is its log.
        self._bar: RichProgress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            Remaining(),
            console=media.console(file=stream),
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("", total=None)
        self._total = 0

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, steps: int) -> None:
        self._total = steps
        self._bar.update(self._task, total=steps)

    def working(self, step: Step, fraction: float, message: str) -> None:
        text = f"{step.name} (seed {step.seed}) {fraction:4.0%} {message}".rstrip()
        self._bar.update(self._task, description=text)

    def settled(self, step: Step, outcome: Outcome, left: int) -> None:
        self._bar.update(self._task, completed=self._total - left)
        if outcome.status == "failed":
            self._bar.console.print(describe(step, outcome), markup=False, highlight=False)


def progress_on(stream: TextIO | None = None) -> Progress:
    """A bar on a terminal, plain lines elsewhere; on standard error where no stream is given."""
    chosen = stream or sys.stderr  # looked up now, since it may have been replaced since import
    return Bar(chosen) if chosen.isatty() else Lines(chosen)


def describe(step: Step, outcome: Outcome) -> str:
    """One line about a settled step."""
    detail = f": {outcome.message}" if outcome.message else ""
    return f"{outcome.status} {step.name} (seed {step.seed}) {step.identity[:12]}{detail}"
