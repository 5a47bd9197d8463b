"""Standard streams and signals, so that neither a reader who leaves nor an end from outside costs
work."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from harness.media import SPELT

Said = list[tuple[int, bytes]]
"""What a process wrote to its streams, in order: the stream's number, and bytes."""
_ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals from outside that end a command: of a batch system, of a terminal that is closed."""
_STORM = 1.0
"""Seconds after a Ctrl-C in which another one is the same one."""


def prepare(said: Said | None = None) -> None:
    """Make sure that there are streams, that they outlive their readers, and that Ctrl-C counts
    once.

    What goes out is added to `said`.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # closed; the next file that is opened would become this stream
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _lasting(sys.stdout, 1, said)
    sys.stderr = _lasting(sys.stderr, 2, said)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Interrupts().interrupt)
    for number in _ENDS:
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` has it ignored, and so it stays
            signal.signal(number, _end)


def settle() -> None:
    """Let no late Ctrl-C end what ends anyway: Python gives the signal back while it shuts down."""
    if isinstance(getattr(signal.getsignal(signal.SIGINT), "__self__", None), _Interrupts):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _ENDS:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    """Let what runs come to its end, workers too; a second signal does not disturb that."""
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


class _Lasting(io.FileIO):
    """What is written to a pipe that nobody reads is dropped, and what was begun is finished.

    Standard error takes nothing but words, so there any failure to write them is passed over. Of
    standard output any other failure is said once.
    """

    _failed = False

    def __init__(self, number: int, said: Said | None) -> None:
        super().__init__(number, "wb", closefd=False)
        self._said = said

    def write(self, data: Any) -> int:
        if self._said is not None:
            self._said.append((self.fileno(), bytes(data)))
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            pass
        except OSError:
            if self.fileno() != 2 and not self._failed:
                self._failed = True
                raise
        return len(data)


def _is_of(stream: Any, number: int) -> bool:
    with suppress(OSError, ValueError):
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == number
    return False


def _lasting(stream: Any, number: int, said: Said | None) -> Any:
    if stream is not None and not _is_of(stream, number):
        return stream  # a test, or a notebook, that keeps what is said
    raw = io.BufferedWriter(_Lasting(number, said))
    return io.TextIOWrapper(
        raw,
        encoding=stream.encoding if stream else "utf-8",
        errors=SPELT,  # a terminal that has no ✓ shows another sign
        line_buffering=number == 2 or raw.isatty(),
    )


class _Interrupts:
    def __init__(self) -> None:
        self._last = float("-inf")

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Stop at the first Ctrl-C, and let what stops come to its end."""
        before, self._last = self._last, time.monotonic()
        if self._last - before > _STORM:
            raise KeyboardInterrupt
