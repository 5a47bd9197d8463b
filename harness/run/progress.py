"""Showing a run: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TextIO, TypeAlias

from harness import media
from harness.plan.step import Step
from harness.run.execute import Outcome
from harness.run.holder import Holder
from harness.words import counted

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Numbers: TypeAlias = "Mapping[str, Sequence[str]]"
"""Identity of a step -> the addresses of the numbers that it is needed for."""


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

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._open = Counter(address for each in numbers.values() for address in each)
        """Address -> how many of its steps are not settled yet."""
        self._total = 0

    def begin(self, steps: int) -> None:
        self._total = steps

    def stopped(self, step: Step, outcome: Outcome) -> None:
        self._print(self._told(step, outcome))

    def waiting(self, step: Step, more: int, holder: Holder) -> None:
        told = held_by(step, self._numbers.get(step.identity, ()), more, holder)
        self._print(f"waiting for {told}")

    def _told(self, step: Step, outcome: Outcome) -> str:
        """A settled step by the numbers that it is for, or else by its identity."""
        numbers = self._numbers.get(step.identity)
        return f"{place_of(numbers)}: {_end(step, outcome)}" if numbers else describe(step, outcome)

    def _finished(self, step: Step, outcome: Outcome) -> list[str]:
        """The numbers all of whose steps are there, now that this one is."""
        if outcome.status not in ("ran", "linked", "current"):
            return []
        own = self._numbers.get(step.identity, ())
        self._open.subtract(own)
        return [address for address in own if not self._open[address]]

    def _print(self, line: str) -> None:
        raise NotImplementedError


class Lines(Shown):
    """For logs and pipes: a line for each number that is finished, and for each step that several
    wait for or that fails.
    """

    def __init__(self, stream: TextIO, numbers: Numbers) -> None:
        super().__init__(numbers)
        self._stream = stream

    def settled(self, step: Step, outcome: Outcome, left: int) -> None:
        count = f"[{self._total - left}/{self._total}]"
        if finished := self._finished(step, outcome):
            self._print(f"{count} {', '.join(finished)}: finished")
        elif outcome.status == "failed" or len(self._numbers.get(step.identity, ())) != 1:
            self._print(f"{count} {self._told(step, outcome)}")

    def _print(self, line: str) -> None:
        print(media.terminal(line), file=self._stream, flush=True)


class Bar(Shown):
    """One bar over all steps, with the estimated time left; failures are lines above it."""

    def __init__(self, stream: TextIO, numbers: Numbers) -> None:
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

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, steps: int) -> None:
        super().begin(steps)
        self._bar.update(self._task, total=steps)

    def working(self, step: Step, fraction: float, message: str) -> None:
        numbers = self._numbers.get(step.identity)
        place = f"{place_of(numbers)}: " if numbers else ""
        text = f"{place}{step.name} (seed {step.seed}) {fraction:4.0%} {message}".rstrip()
        self._bar.update(self._task, description=text)

    def settled(self, step: Step, outcome: Outcome, left: int) -> None:
        self._bar.update(self._task, completed=self._total - left)
        if outcome.status == "failed":
            self._print(self._told(step, outcome))

    def _print(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False)


def progress_on(stream: TextIO | None = None, numbers: Numbers | None = None) -> Progress:
    """A bar on a terminal, plain lines elsewhere; on standard error where no stream is given.

    Args:
        numbers: the addresses of what steps are needed for; None where nobody knows.
    """
    chosen = stream or sys.stderr  # looked up now, since it may have been replaced since import
    return (Bar if chosen.isatty() else Lines)(chosen, numbers or {})


def describe(step: Step, outcome: Outcome) -> str:
    """One line about a settled step, by its identity."""
    return _end(step, outcome, f" {step.identity[:12]}")


def _end(step: Step, outcome: Outcome, identity: str = "") -> str:
    detail = f": {outcome.message}" if outcome.message else ""
    return f"{outcome.status} {step.name} (seed {step.seed}){identity}{detail}"


def place_of(numbers: Sequence[str]) -> str:
    """The first of the numbers that a step is needed for, and how many there are besides."""
    return numbers[0] + (f" and {len(numbers) - 1} more" if len(numbers) > 1 else "")


def held_by(step: Step, numbers: Sequence[str], more: int, holder: Holder) -> str:
    """One line about a step that another process holds."""
    place = f" of {place_of(numbers)}" if numbers else ""
    held = f" and {counted(more, 'more step')}" if more else ""
    return f"{step.name} (seed {step.seed}){place}{held}: {holder}; {holder.advice}"
