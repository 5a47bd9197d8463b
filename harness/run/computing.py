"""How the machine computes while a step runs, so that its numbers repeat and its time is short.

On a CPU there is one thread, since the number of threads can change a sum. On a GPU, products are
those that the step's parameters name. Memory that a step gives up is kept for its next allocation:
left to itself, glibc hands every large tensor back to the system at once, and takes it anew, page
by page, a moment later: a third of the time of training on a CPU. Numbers do not depend on it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""As malloc.h numbers them."""
_NEVER = 2**31 - 1
_AT_ONCE = 64 << 20
"""Bytes by which the heap grows."""


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Hold the numeric libraries to one thread, if the device is the CPU.

    Those that are loaded are told; those that are loaded inside read it from the environment.
    """
    if device != "cpu":
        yield
        return
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    with threadpool_limits(limits=1), one_thread_in_environment(device):
        try:
            if torch:
                torch.set_num_threads(1)
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)


@contextmanager
def one_thread_in_environment(device: str) -> Iterator[None]:
    """Let libraries and processes that start inside use one thread, if the device is the CPU."""
    if device != "cpu":
        yield
        return
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def exact(device: str) -> Iterator[None]:
    """On a GPU, products of float32 are in float32 and convolutions repeat to the bit.

    Left to itself, cuDNN rounds the factors of float32 convolutions to the 10 bits of TF32, and
    picks whichever algorithm is fastest at the moment, some of which add in no fixed order.
    """
    if device == "cpu":
        yield
        return
    import torch

    products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(products)


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
