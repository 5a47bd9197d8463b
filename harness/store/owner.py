"""Which process owns a lease or a temporary place, and whether it still lives."""

from __future__ import annotations

import functools
import hashlib
import math
import os
import platform
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from a later one with the same number by when it started."""

    host: str
    pid: int
    started: str
    space: str = ""
    """What tells apart two tables of processes under one host name, such as two containers."""

    @classmethod
    def current(cls) -> Owner:
        """The calling process."""
        return _owner_of(os.getpid())

    @classmethod
    def parse(cls, token: str) -> Owner | None:
        """Read `token` back; None when the text is none."""
        match = re.fullmatch(r"([\w.-]+)~(\d+)~(\w+)(?:~([0-9a-f]+))?", token)
        return cls(match[1], int(match[2]), match[3], match[4] or "") if match else None

    @property
    def token(self) -> str:
        """The owner in one word that can be part of a file name."""
        words = (self.host, str(self.pid), self.started, self.space)
        return "~".join(filter(None, words))

    def alive(self) -> bool | None:
        """Whether the process runs; None when it is on another host, or in another table of
        processes, and cannot be asked."""
        if (self.host, self.space) != (_host(), _space()):
            return None
        return _started(self.pid) == self.started

    def stopped(self) -> bool | None:
        """Whether it is held by a signal (SIGSTOP, Ctrl-Z); None when it cannot be asked."""
        return _state(self.pid) in ("T", "t") if self.alive() else None


class Beats:
    """Signs of life of owners elsewhere that this process saw, timed by a clock nobody changes."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, float]] = {}

    def silence(self, name: str, beat: float, fresh: bool) -> float:
        """Seconds since this process first saw an owner's last beat; infinite if it was old then.

        Args:
            name: what the owner holds.
            beat: when it was, as a file is stamped.
            fresh: whether that is young by the clock that stamped it.
        """
        before, since = self._last.get(name, (None, -math.inf))
        if beat != before:
            since = time.monotonic() if fresh or before is not None else -math.inf
            self._last[name] = beat, since
        return time.monotonic() - since


def _host() -> str:
    return re.sub(r"[^\w.-]", "_", platform.node()) or "unknown"


@functools.lru_cache(maxsize=1)
def _owner_of(pid: int) -> Owner:
    return Owner(_host(), pid, _started(pid) or "unknown", _space())


@functools.cache
def _space() -> str:
    """One word for this start of the machine and this table of processes, where it tells."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")
        table = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {table}".encode()).hexdigest()[:12]


def _started(pid: int) -> str | None:
    """When a living process of this host started, in the system's own words; None for a dead one.

    A zombie counts as dead: it can do no more work, and only waits for its parent.
    """
    if not Path("/proc/self/stat").exists():
        return _asked("lstart", pid) or None
    fields = _fields(pid)
    return fields[19] if fields and fields[0] not in "ZX" else None


def _state(pid: int) -> str:
    """The letter by which the system names the state of a process of this host."""
    if not Path("/proc/self/stat").exists():
        return _asked("state", pid)[:1]
    fields = _fields(pid)
    return fields[0] if fields else ""


def _fields(pid: int) -> list[str]:
    """What Linux says of a process, from its state on; nothing where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _asked(what: str, pid: int) -> str:
    """What `ps` says of a process, in one word."""
    shown = subprocess.run(
        ["ps", "-o", f"{what}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return re.sub(r"\W+", "_", shown.stdout.strip())
