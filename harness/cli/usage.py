"""Complaints of Typer itself quote what was typed: without what a terminal would obey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperGroup

from harness.errors import one_line

_LONGEST = 400
"""Characters of a complaint."""


class PlainGroup(TyperGroup):
    """The commands of an app."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """Read the words of the command line."""
        with _plain():
            return super().make_context(*arguments, **named)

    def invoke(self, *arguments: Any, **named: Any) -> Any:
        """Read the words of the command that was named, and run it."""
        with _plain():
            return super().invoke(*arguments, **named)


@contextmanager
def _plain() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Typer has no public name for the class of its complaints; they all have a message. That of
        # a family without a command is its help, which quotes nothing.
        if type(error).__name__ != "NoArgsIsHelpError" and isinstance(
            message := getattr(error, "message", None), str
        ):
            short = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."
            error.message = one_line(short)  # type: ignore[attr-defined]
        raise
