"""Settings that all tests share."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

# Else each process that a test starts would compile anew every library that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Before torch or OpenBLAS are imported: one thread, as every CPU step has.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What tests trust is no trust of the user's, nor are answers to them kept for the user.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="repro-state-")
os.environ["REPRO_ANSWERS"] = tempfile.mkdtemp(prefix="repro-answers-")

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.budgets"]
sys.dont_write_bytecode = False
MEMORY = "/dev/shm"
"""Where files need not be synced to a disk: a killed process loses nothing that it had written."""
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
