"""The command `repro`, under a name that no other distribution takes.

The package is imported as `harness`, which others are called too; here it is made sure that the one
that Python finds is the one that was installed with this file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType


def main() -> None:
    """Run a command. Exits with 2 and one line where another package is called `harness`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    command = _command()
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once, at a Ctrl-C while modules are imported: nothing has begun, and an exception
    inside an import may be taken for another one."""
    os.write(2, b"repro: interrupted; nothing was begun\n")
    os._exit(128 + number)


def _command() -> Callable[[], None]:
    """The command line, imported."""
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec("harness")
    origin = found.origin if found else None
    ours = Path(__file__).resolve().parent / "harness" / "__init__.py"
    if origin is None or Path(origin).resolve() != ours or not _is_ours():
        print(
            f"repro: 'harness' is another package here ({origin or 'a folder without code'}); "
            "install repro-harness in an environment of its own, or run it as "
            "`uvx --from repro-harness repro`",
            file=sys.stderr,
        )
        sys.exit(2)
    from harness.cli.answers import command

    return command(sys.argv[1:])


def _is_ours() -> bool:
    """Whether no other distribution has written over the package's first file."""
    import harness

    return "Study" in getattr(harness, "__all__", ())


if __name__ == "__main__":
    main()
