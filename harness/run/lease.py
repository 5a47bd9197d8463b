"""Leases: which process works on which step, so that several can share the work of one store."""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from harness.store.faults import point
from harness.store.files import now_ns, temporary
from harness.store.owner import Beats, Owner
from harness.store.store import Store

BEAT = 5.0
"""Seconds between two signs of life."""
LIMIT = 60.0
"""Seconds without one, after which an owner on another host counts as dead."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""How a file system says that it has no locks."""
_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP)
"""How a file system says that it has no hard links."""


class Lease:
    """A step held by this process; its file is touched by a thread while the lease is open."""

    def __init__(self, path: Path, beat: float = BEAT) -> None:
        self._path = path
        self._beat = beat
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._release()

    def _live(self) -> None:
        while not self._ended.wait(self._beat):
            with suppress(OSError):
                os.utime(self._path)

    def _release(self) -> None:
        point("release: before")
        with _locked(self._path) as file:
            # A lease that was taken over while this process slept belongs to another now.
            if file is not None and _owner(file) == Owner.current():
                self._path.unlink()
        point("release: after")


def acquire(store: Store, identity: str, step: str, limit: float = LIMIT) -> Lease | None:
    """Take the lease of a step, from a dead owner if need be; None while a living one holds it."""
    path = lease_file(store, identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = temporary(store.root)
    # Not pushed to the disk: a lease means nothing once the machine has stopped.
    draft.write_text(Owner.current().token, encoding="utf-8")
    try:
        if _create(draft, path):
            return Lease(path)
        previous = _take_over(draft, path, limit, store)
    finally:
        draft.unlink(missing_ok=True)
    if previous is None:
        return None
    store.events.append("takeover", identity, step, previous=previous)
    return Lease(path)


def held(store: Store, limit: float = LIMIT) -> set[str]:
    """Identities whose lease a living process holds."""
    found = set()
    now = _clock(store.root)
    for path in (store.root / "leases").glob("*"):
        with suppress(FileNotFoundError), path.open("rb") as file:
            if not _dead(file, limit, now, store.beats):
                found.add(path.name)
    return found


def beat(store: Store, identity: str) -> float:
    """When the owner of a lease last gave a sign of life. OSError if nobody holds it."""
    return lease_file(store, identity).stat().st_mtime


def clean(store: Store) -> None:
    """Remove the leases of dead owners whose steps have a record.

    What they left undone is taken over by whoever does it, and the log says so.
    """
    now = _clock(store.root)
    for path in sorted((store.root / "leases").glob("*")):
        with _locked(path) as file:
            if file is not None and _dead(file, LIMIT, now, store.beats) and store.has(path.name):
                path.unlink()


def lease_file(store: Store, identity: str) -> Path:
    """Where the lease of a step lies, while somebody holds it."""
    return store.root / "leases" / identity


def _create(draft: Path, path: Path) -> bool:
    """Put the draft in place unless something is there: exclusive, and complete at once.

    On a file system without hard links it is written where it lies. Until that is done nobody is
    named in it, and it counts as held while it is young.
    """
    point("lease: before")
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with path.open("xb") as file:
                file.write(draft.read_bytes())
        except FileExistsError:
            return False
    point("lease: after")
    return True


def _take_over(draft: Path, path: Path, limit: float, store: Store) -> str | None:
    """Replace a dead owner's lease by the draft; the dead owner's token, or None.

    Takers lock the dead lease's own file. The first replaces it; the second then holds the lock of
    a file that is no longer at the path, and leaves.
    """
    with _locked(path) as file:
        if file is None or not _dead(file, limit, _clock(store.root), store.beats):
            return None
        owner = _owner(file)
        point("takeover: before")
        draft.rename(path)
        point("takeover: after")
        return owner.token if owner else "unknown"


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO | None]:
    """The file at `path`, locked against other takers; None if it is gone or was replaced.

    The system drops the lock when its process dies. On a file system without locks two takers of
    one dead lease may both get it: the work is done twice, and one record stands.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield file if _is_at(file, path) else None


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _owner(file: BinaryIO) -> Owner | None:
    file.seek(0)
    return Owner.parse(file.read().decode(errors="replace"))


def _dead(file: BinaryIO, limit: float, now: Callable[[], float], beats: Beats) -> bool:
    owner = _owner(file)
    alive = owner.alive() if owner else None
    if alive is not None:
        return not alive
    last = os.fstat(file.fileno()).st_mtime
    # A heartbeat that lies ahead was stamped before the clock was put back.
    fresh = abs(now() - last) <= limit
    silence = beats.silence(file.name, last, fresh)
    # One that was seen to beat has time for a beat by a clock that was changed meanwhile.
    return not fresh and silence > 2 * BEAT


def _clock(root: Path) -> Callable[[], float]:
    """The time by the clock of the file system, which stamps the heartbeats of every host.

    It is read once, and only if some owner is on another host.
    """
    return functools.cache(lambda: now_ns(root) / 1e9)
