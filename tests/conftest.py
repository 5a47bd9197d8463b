"""Settings that all tests share."""

from __future__ import annotations

import os
import sys
import tempfile

# Else each process that a test starts would compile anew every library that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Before torch or OpenBLAS are imported: one thread, as every CPU step has.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What tests trust is no trust of the user's.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="repro-state-")

from hypothesis import HealthCheck, settings

sys.dont_write_bytecode = False
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
