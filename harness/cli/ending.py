"""How a command ends that cannot go on: with one message and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import EvidenceError, UserError
from harness.media import say

_PLACES = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
"""Errors of the file system that concern a place the user chose."""
_LONGEST = 4000
"""Characters of a message. What it quotes may be of any length."""
_INTERRUPTED = 130
"""The exit code that Typer makes of Ctrl-C, without a word."""
_ENDED = {_INTERRUPTED: "interrupted"} | {
    128 + each: f"ended by {each.name}" for each in (signal.SIGTERM, signal.SIGHUP)
}
_KEPT = "what is finished is kept, and the same command goes on from there"


@contextmanager
def told() -> Iterator[None]:
    """Print what the user can mend, and exit; anything else is a bug, and passes."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, where what is in its way can still be said
    except UserError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        if error.errno in _PLACES:
            _end(f"{where}{error.strerror}; use another place", UserError.exit_code)
        _end(
            f"{where}{error.strerror or error}; see to it and give the same command again; what is "
            "finished is kept",
            EvidenceError.exit_code,
        )
    except MemoryError:
        _end("out of memory; what is finished is kept", EvidenceError.exit_code)
    except KeyboardInterrupt:
        _end(f"{_ENDED[_INTERRUPTED]}; {_KEPT}", _INTERRUPTED)
    except SystemExit as stop:
        if isinstance(stop.code, int) and stop.code in _ENDED:
            _say(f"{_ENDED[stop.code]}; {_KEPT}")
        raise


def _end(message: str, code: int) -> None:
    _say(message)
    sys.exit(code)


def _say(message: str) -> None:
    """Print a message with nothing that a terminal would obey."""
    say(message[:_LONGEST] + ("..." if len(message) > _LONGEST else ""))
