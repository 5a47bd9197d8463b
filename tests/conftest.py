"""Settings that all tests share."""

from __future__ import annotations

import os
import tempfile

# Before torch or OpenBLAS are imported: one thread, as every CPU step has.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What tests trust is no trust of the user's, nor are answers to them kept for the user.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="repro-state-")
os.environ["REPRO_ANSWERS"] = tempfile.mkdtemp(prefix="repro-answers-")

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
