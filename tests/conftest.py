"""Settings that all tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile

from hypothesis import HealthCheck, settings

# Else each process that a test starts would compile anew every library that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Before torch or OpenBLAS are imported: one thread, as every CPU step has.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What tests trust is no trust of the user's, nor are answers to them kept for the user.
for name in ("XDG_STATE_HOME", "REPRO_ANSWERS"):
    os.environ[name] = tempfile.mkdtemp(prefix="repro-tests-")
    atexit.register(shutil.rmtree, os.environ[name], ignore_errors=True)

# Figures that tests have drawn: of all processes of a run, which inherit it from the first.
if "REPRO_TESTS_DRAWN" not in os.environ:
    os.environ["REPRO_TESTS_DRAWN"] = tempfile.mkdtemp(prefix="repro-drawn-")
    atexit.register(shutil.rmtree, os.environ["REPRO_TESTS_DRAWN"], ignore_errors=True)
pytest_plugins = ["tests.budgets"]
sys.dont_write_bytecode = False
MEMORY = "/dev/shm"
"""Where files need not be synced to a disk: a killed process loses nothing that it had written."""
if (
    os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > 2 << 30
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC  # tests run programs that they write
):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
