"""What a step frees is at hand for what it allocates next."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import numpy as np
from harness.run.computing import memory_kept

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(40_000, np.float64)
        np.ones(5_000_000, np.float64)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def held():
    words = open("/proc/self/statm").read().split()
    return int(words[1]) * resource.getpagesize()

alone = pages()
with memory_kept():
    np.ones(5_000_000, np.float64)
    kept = pages()
    most = held()
print(alone, kept, most - held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc")
def test_pages_are_taken_once_and_given_back_at_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    alone, kept, returned = map(int, done.stdout.split())
    assert kept < alone / 10
    assert returned > 30_000_000
