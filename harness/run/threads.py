"""One thread for CPU work, under every executor: the number of threads can change a sum."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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
