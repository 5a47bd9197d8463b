"""English for counts and lists, in the messages of every layer."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, one: str, many: str = "") -> str:
    """`1 exhibit`, `2 exhibits`.

    Args:
        many: the plural, where it is not `one` with an s.
    """
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def listed(texts: Sequence[str]) -> str:
    """`a, b and c`; there is at least one."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
