"""The folder of a report: only what shows something else than before is made and written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import UserError

MARK = ".repro-report"
"""A file that says that a folder holds a report, and what each of its files shows."""
_ABOUT = "This folder holds a report and is replaced by the next one."


class ReportFolder:
    """A folder in which a report takes the place of an earlier one.

    Files are compared by content, so that one that was changed or is damaged is written anew.
    """

    def __init__(self, root: Path) -> None:
        """Raises UserError where the folder holds something else than a report."""
        self.root = root
        used = root.exists() and (not root.is_dir() or any(root.iterdir()))
        if used and not (root / MARK).is_file():
            raise UserError(f"{root}: not empty, and no report; name another folder with --out")
        root.mkdir(parents=True, exist_ok=True)
        self._before = _held(root / MARK)
        self._now: dict[str, dict[str, str]] = {}
        self.changed: list[str] = []
        """Files that were written or removed, by their paths in the folder."""
        if not self._before:  # so that what is cut off can be gone on with
            self._mark({})

    def put(self, name: str, content: str | bytes, shows: str = "") -> None:
        """Write a file of the report, unless it has this content.

        Args:
            name: its path in the folder.
            shows: digest of what it was made from.
        """
        held = content.encode() if isinstance(content, str) else content
        file = _digest(held)
        if self._file(name) != file:
            place = self.root / name
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_name(f"{place.name}.draft")  # no browser reads half a page
            draft.write_bytes(held)
            draft.replace(place)
            self.changed.append(name)
        self._now[name] = {"shows": shows, "file": file}

    def make(self, name: str, shows: str, made: Callable[[], str]) -> None:
        """Make and write a file, unless it is there and was made from the same."""
        before = self._before.get(name)
        if before and before["shows"] == shows and self._file(name) == before["file"]:
            self._now[name] = before
        else:
            self.put(name, made(), shows)

    def finish(self) -> None:
        """Remove what is not of this report, and keep what each file shows."""
        for path in sorted(self.root.rglob("*"), reverse=True):  # what is inside comes first
            name = path.relative_to(self.root).as_posix()
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif name not in self._now and name != MARK:
                path.unlink()
                self.changed.append(name)
        if self._now != self._before:
            self._mark(self._now)

    def _mark(self, files: dict[str, dict[str, str]]) -> None:
        text = json.dumps({"about": _ABOUT, "files": files}, indent=0, sort_keys=True)
        (self.root / MARK).write_text(text + "\n", encoding="utf-8")

    def _file(self, name: str) -> str:
        """Digest of a file as it is; empty where there is none."""
        try:
            return _digest((self.root / name).read_bytes())
        except OSError:
            return ""


def _held(mark: Path) -> dict[str, dict[str, str]]:
    """What the files of the report before showed; nothing where that is not known."""
    try:
        files = json.loads(mark.read_text(encoding="utf-8"))["files"]
        return {
            str(name): {"shows": str(held["shows"]), "file": str(held["file"])}
            for name, held in files.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def digest_of(*shown: Any) -> str:
    """Digest of what something shows, by which it is known again."""
    return _digest(repr(shown).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
