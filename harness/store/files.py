"""Writing so that a reader, or a process that follows a crash, sees all of it or nothing."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from harness.store.faults import point
from harness.store.owner import Owner

_FOREIGN_AGE = 24 * 3600.0
"""Seconds after which another host's temporary place counts as left over."""
_counter = itertools.count()
_kept: set[Path] = set()
"""Folders whose names this process has pushed to the disk."""


def temporary(root: Path) -> Path:
    """A fresh path under `root/tmp`, on the same file system, that names its owner."""
    place = root / "tmp"
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{Owner.current().token}~{next(_counter)}"


def clean_temporary(root: Path) -> list[str]:
    """Delete temporary places whose owner is dead; return their names, sorted."""
    removed = []
    now = cache(lambda: now_ns(root))
    for path in sorted((root / "tmp").glob("*")):
        owner = Owner.parse(path.name.rpartition("~")[0])
        if owner is None or not _abandoned(path, owner, now):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        removed.append(path.name)
    return removed


def now_ns(root: Path) -> int:
    """The time by the clock of the file system that holds a store, which stamps its files for every
    host; in nanoseconds. This host's own where nothing can be written there."""
    try:
        draft = temporary(root)
        draft.touch()
        stamped = draft.stat().st_mtime_ns
        draft.unlink()
    except OSError:
        return time.time_ns()
    return stamped


def _abandoned(path: Path, owner: Owner, now: Callable[[], int]) -> bool:
    alive = owner.alive()
    if alive is not None:
        return not alive
    try:
        return now() / 1e9 - path.stat().st_mtime > _FOREIGN_AGE
    except FileNotFoundError:
        return False


def read_bytes(path: str | Path) -> bytes:
    """What a small file holds, with as few calls of the system as that takes."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:  # a file object costs as much again
        parts = []
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
    finally:
        os.close(descriptor)
    return b"".join(parts)


def read_json(path: str | Path) -> Any:
    """What a JSON file holds. OSError if it cannot be read, ValueError if it is no JSON."""
    return parse_json(read_bytes(path))


def parse_json(text: str | bytes) -> Any:
    """What `json.loads` makes of a text, in half of its time. ValueError if it is no JSON."""
    with suppress(ValueError):
        return from_json(text, cache_strings="keys")
    # Parts nested 200 deep and half characters are JSON too.
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its parts are nested too deeply") from None


def parse_once(text: str) -> Any:
    """What `json.loads` makes of a text of others. ValueError where an object has a name twice:
    which of both is meant cannot be told."""
    return json.loads(text, object_pairs_hook=_each_once)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))
        raise ValueError(f"'{twice:.40}' is there twice in one object")
    return found


def write_synced(path: Path, data: bytes) -> None:
    """Write a file whose place no reader looks at yet, and push it to the disk."""
    point(f"write {path.suffix}: before")
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        point(f"write {path.suffix}: not synced")
        os.fsync(file.fileno())
    point(f"write {path.suffix}: after")


def sync_directory(path: Path) -> None:
    """Push a directory's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep_folder(path: Path, root: Path) -> None:
    """Make a folder under `root`, and push its name to the disk, and those of all above it.

    Without that a loss of power takes a new folder with all that was pushed to the disk in it.
    """
    made = not path.is_dir()
    path.mkdir(parents=True, exist_ok=True)
    if made or path not in _kept:
        for above in path.parents:
            if above == root.parent:
                break
            sync_directory(above)
        with suppress(OSError):  # what lies above the store may belong to others
            sync_directory(root.parent)
        _kept.add(path)


def write_atomic(root: Path, path: Path, data: bytes) -> None:
    """Replace the file at `path`, under `root`, by one holding `data`."""
    draft = temporary(root)
    try:
        write_synced(draft, data)
        keep_folder(path.parent, root)
        point("replace: before")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    point("replace: not synced")
    sync_directory(path.parent)
    point("replace: after")


def place_directory(draft: Path, final: Path) -> None:
    """Move a finished directory to `ROOT/kind/shard/name`; when one was there first, that stays.

    The loser's draft is deleted: both hold the same work.
    """
    sync_directory(draft)
    keep_folder(final.parent, final.parents[2])
    point("place: before")
    try:
        draft.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(draft, ignore_errors=True)
        return
    point("place: not synced")
    sync_directory(final.parent)
    point("place: after")
