"""Files of others that are not used."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError, one_line


class Refused(UserError):
    """A file or folder that somebody else made and that is not used, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(one_line(f"{path}: {reason}"))
