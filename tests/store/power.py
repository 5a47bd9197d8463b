"""A power loss, simulated: what a disk holds that keeps only what was pushed to it.

`os.fsync` is replaced by one that notes what the file, or the folder, held at that moment. From
these notes the tree is built that a machine may find when it starts again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock


class Disk:
    """What was pushed to the disk under a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pushes = 0
        self._files: dict[int, bytes] = {}
        """Inode -> content at its last push."""
        self._folders: dict[int, dict[str, tuple[int, bool]]] = {}
        """Inode -> name -> inode, and whether it is a folder, at its last push."""
        root.mkdir(parents=True, exist_ok=True)
        self._note_folder(root)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this is open, every push is noted."""
        push = os.fsync

        def noted(descriptor: int) -> None:
            push(descriptor)
            self.pushes += 1
            place = Path(f"/proc/self/fd/{descriptor}")
            if place.is_dir():
                self._note_folder(place)
            else:
                self._files[place.stat().st_ino] = place.read_bytes()
            self.pushed()

        with mock.patch.object(os, "fsync", noted):
            yield

    def pushed(self) -> None:
        """Called after each push: a moment at which the power may go."""

    def after_loss(self, place: Path, names_kept: bool) -> Path:
        """The tree after a loss of power now.

        Args:
            names_kept: whether the disk had written every change of names by itself, as it may,
                so that only contents are lost; else both are.
        """
        self._restore(place, self.root, self.root.stat().st_ino, names_kept)
        return place

    def _note_folder(self, place: Path) -> None:
        self._folders[place.stat().st_ino] = dict(_entries(place))

    def _restore(self, place: Path, now: Path | None, inode: int, names_kept: bool) -> None:
        place.mkdir(parents=True)
        present = dict(_entries(now)) if names_kept and now else self._folders.get(inode, {})
        for name, (within, is_folder) in present.items():
            if is_folder:
                self._restore(place / name, now / name if now else None, within, names_kept)
            else:
                (place / name).write_bytes(self._files.get(within, b""))


def _entries(place: Path) -> Iterator[tuple[str, tuple[int, bool]]]:
    for entry in os.scandir(place):
        yield entry.name, (entry.inode(), entry.is_dir())
