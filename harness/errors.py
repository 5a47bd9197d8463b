"""The one family of errors that users may see: a message and an exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches


class UserError(Exception):
    """A mistake or a missing thing that the user can mend.

    The message says what is wrong and where, what was expected, and what to do.
    """

    exit_code = 2


class EvidenceError(UserError):
    """A step failed or could not run, or evidence that was asked for is missing."""

    exit_code = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Name the closest known spellings, as the tail of a message about an unknown name."""
    options = sorted(known)
    close = get_close_matches(name, options, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"'{option}'" for option in close) + "?"
    return "known: " + (", ".join(options) if options else "none")


def require(
    name: str,
    known: Collection[str],
    message: str,
    error: Callable[[str], Exception] = UserError,
) -> None:
    """Raise an error with the message and the nearest spellings, unless a name is known."""
    if name not in known:
        raise error(f"{message}; {nearest(name, known)}")


def first_few(names: Sequence[str], most: int) -> str:
    """Names for a message, which says if there are more."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def one_line(text: str) -> str:
    """Text that came from outside, for a message: what a terminal would obey is not printed."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
