"""Text from anywhere, made safe to print on one line: what every renderer does first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from harness.spec.notation import canonical
from harness.spec.reading import read_printed

# Terminal control strings: CSI (ESC [ or U+009B), OSC and its kin up to their terminator, two-byte.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
# Control, format (bidirectional marks, zero-width characters), surrogate, private use.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co"})

_SPACES = re.compile("(?<=[0-9])([\u2009\u202f\u00a0])(?=[0-9])|\\s+")
"""The first group is a space that parts thousands."""


def plain(text: str) -> str:
    """One line of printable text: no escape sequences or invisible characters, single spaces.

    Two spaces in a row never survive, so renderers may use them to separate columns. A space that
    parts thousands stays as narrow as it is.
    """
    if text.isprintable() and "  " not in text:  # nearly every text, and much faster to tell
        return text.strip()
    kept = (
        char
        for char in _ESCAPES.sub("", text)
        if char.isspace() or unicodedata.category(char) not in _UNPRINTABLE
    )
    return _SPACES.sub(lambda found: found[1] or " ", "".join(kept)).strip()


def shifted(text: str) -> Iterator[tuple[str, str]]:
    """A printed cell in pieces, each with `^` where it is raised and `_` where it is lowered.

    A number that is written in LaTeX is spelt in plain signs first.
    """
    if ("\\" in text or "^" in text or text.count("$") > 1) and read_printed(text).kind == "number":
        text = re.sub(r"\^(\d)", r"^{\1}", canonical(text).text)
    first, *others = re.split(r"([_^])\{([^{}]*)\}", text)
    yield first, ""
    for sign, inner, rest in zip(others[::3], others[1::3], others[2::3], strict=True):
        yield inner, sign
        yield rest, ""
