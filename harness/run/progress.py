"""Showing a run: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TextIO

from harness import media
from harness.plan.step import Step
from harness.run.execute import Outcome
from harness.run.holder import Holder

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

    def stopped(self, step: Step, outcome: Outcome) -> None:
        """A step was stopped before its end, together with the run."""

    def waiting(self, step: Step, more: int, holder: Holder) -> None:
        """The run waits for a process that holds a step, and so many more."""


class Shown(Progress):
    """What is said in whole lines, wherever these go."""

    def __init__(self, numbers: Callable[[str], Sequence[str]]) -> None:
        """`numbers` gives the addresses of what a step is needed for."""
        self._numbers = numbers

    def stopped(self, step: Step, outcome: Outcome) -> None:
        self._print(describe(step, outcome))

    def waiting(self, step: Step, more: int, holder: Holder) -> None:
        told = held_by(step, self._numbers(step.identity), more, holder)
        self._print(f"waiting for {told}")

    def _print(self, line: str) -> None:
        raise NotImplementedError


class Lines(Shown):
    """A plain line for each step that is settled, for logs and pipes."""

    def __init__(self, stream: TextIO, numbers: Callable[[str], Sequence[str]]) -> None:
        super().__init__(numbers)
        self._stream = stream
        self._total = 0

    def begin(self, steps: int) -> None:
        self._total = steps

    def settled(self, step: Step, outcome: Outcome, left: int) -> None:
        count = f"[{self._total - left}/{self._total}]"
        self._print(f"{count} {describe(step, outcome)}")

    def _print(self, line: str) -> None:
        print(media.terminal(line), file=self._stream, flush=True)


class Bar(Shown):
    """One bar over all steps, with the estimated time left; failures are lines above it."""

    def __init__(self, stream: TextIO, numbers: Callable[[str], Sequence[str]]) -> None:
        super().__init__(numbers)
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
            self._print(describe(step, outcome))

    def _print(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False)


def no_numbers(identity: str) -> Sequence[str]:
    """For graphs of which nobody knows what they are for."""
    return ()


def progress_on(
    stream: TextIO | None = None, numbers: Callable[[str], Sequence[str]] = no_numbers
) -> Progress:
    """A bar on a terminal, plain lines elsewhere; on standard error where no stream is given.

    Args:
        numbers: from the identity of a step, the addresses of what it is needed for.
    """
    chosen = stream or sys.stderr  # looked up now, since it may have been replaced since import
    return (Bar if chosen.isatty() else Lines)(chosen, numbers)


def describe(step: Step, outcome: Outcome) -> str:
    """One line about a settled step."""
    detail = f": {outcome.message}" if outcome.message else ""
    return f"{outcome.status} {step.name} (seed {step.seed}) {step.identity[:12]}{detail}"


def held_by(step: Step, numbers: Sequence[str], more: int, holder: Holder) -> str:
    """One line about a step that another process holds."""
    others = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    place = f" of {numbers[0]}{others}" if numbers else ""
    held = f" and {more} more steps" if more else ""
    return f"{step.name} (seed {step.seed}){place}{held}: {holder}; {holder.advice}"
