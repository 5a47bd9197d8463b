"""Memory that a step gives up is kept for its next allocation, instead of the system's.

Left to itself, glibc hands every large tensor back to the system at once, and takes it anew, page
by page, a moment later: a third of the time of training on a CPU. Numbers do not depend on it.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""As malloc.h numbers them."""
_NEVER = 2**31 - 1
_AT_ONCE = 64 << 20
"""Bytes by which the heap grows."""


@contextmanager
def memory_kept() -> Iterator[None]:
    """Keep freed memory until the end, where the C library is glibc; then give it back.

    The settings stay: glibc tells nobody what they were.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)
    for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _AT_ONCE)):
        library.mallopt(option, value)
    try:
        yield
    finally:
        library.malloc_trim(0)
