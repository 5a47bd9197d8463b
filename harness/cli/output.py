"""Printing: JSON for machines, tables for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import media
from harness.errors import UserError
from harness.media import json_text
from harness.study.as_json import VERSION

if TYPE_CHECKING:
    from rich.console import Console

    from harness.run.cluster.look import Standing


def print_json(fields: dict[str, Any]) -> None:
    """Print one object; numbers that JSON has no word for, such as NaN, are null."""
    sys.stdout.write(json_text({"version": VERSION, **fields}) + "\n")


def console() -> Console:
    """Standard output, wide enough for tables where it is no terminal."""
    return media.console(width=None if sys.stdout.isatty() else 100)


def print_grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table of texts."""
    from harness.render.terminal import show_grid

    show_grid(headings, rows, console())


def submission_lines(standings: Sequence[Standing]) -> list[str]:
    """How submissions to a cluster stand, a line for each."""
    return [
        f"submission {standing.submission.name}: "
        + ", ".join(f"{count} {kind}" for kind, count in standing.counts().items() if count)
        for standing in standings
    ]


def write(path: Path, text: str, mode: str = "w") -> None:
    """Write, or with mode `a` append to, a file that the user named.

    Raises:
        UserError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); name another file"
        ) from None
