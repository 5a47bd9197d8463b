"""Which folders' own code this user lets run: one mark each, kept with the user, not the folder."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

NEEDS_CODE = (
    "needs code of the paper, which may not be executed here; look at it, then trust the folder "
    "with `repro trust`"
)

_for_now: set[Path] = set()


def trusted(home: Path) -> bool:
    """Whether the user has trusted the folder of a project."""
    if home in _for_now:
        return True
    with suppress(OSError, ValueError):
        return _mark(home).read_text(encoding="utf-8") == str(home)
    return False


def trust(home: Path) -> None:
    """Trust a folder from now on; for this process alone where the mark cannot be kept."""
    _for_now.add(home)
    mark = _mark(home)
    with suppress(OSError):
        mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.write_text(str(home), encoding="utf-8")


def _mark(home: Path) -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state, "repro", "trusted", hashlib.sha256(os.fsencode(home)).hexdigest())
