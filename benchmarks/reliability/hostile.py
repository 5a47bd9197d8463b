"""Hostile and careless input, by the tests that make it up, and jobs on a cluster of one node.

Hypothesis says how many inputs it tried; tests that take no inputs from it are cases made by hand.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable

from benchmarks.reliability.shrunken import ROOT
from benchmarks.reliability.trial import Lab, Tally

SPECS = ("tests/spec/test_never_a_traceback.py", "tests/spec/test_mistakes.py")
IMPORTERS = ("tests/lab/imports/test_fuzz.py", "tests/lab/imports/test_hostile.py")
RELEASED = ("tests/lab/imports/test_traps.py",)
STORE = ("tests/store/test_hostile_parquet.py",)
WORDS = ("tests/cli/test_hostile_words.py", "tests/cli/test_names.py")
BOUNDS = ("tests/spec/test_bounds.py",)
FORGED = ("tests/cli/test_forged.py", "tests/cli/test_foreign_files.py")
POWER = ("tests/store/test_power_loss.py",)
PLACES = ("tests/cli/test_odd_places.py",)
CONTENTS = ("tests/store/test_records.py", "tests/evidence/test_readers.py")
SHARED = ("tests/run/test_two_users.py", "tests/run/test_two_namespaces.py")
SHOWN = ("tests/render/test_media.py", "tests/cli/test_neutral_output.py")
STREAMS = ("tests/cli/test_streams.py",)
STOPPED = ("tests/run/test_stopping.py", "tests/run/test_holder.py")
FITTING = ("tests/render/test_latex_compiles.py", "tests/render/test_terminal.py")
DOCUMENT = ("tests/cli/test_hostile_document.py",)
CLUSTER = ("tests/run/test_slurm_cluster.py",)


def by_tests(*files: str, profile: str) -> Callable[[Lab], Tally]:
    """A row that runs tests under a profile of Hypothesis."""

    def inject(lab: Lab) -> Tally:
        tally = Tally()
        places = [f"--basetemp={lab.place / 'pytest'}", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *places, "--hypothesis-show-statistics", *files],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith("REPRO_")}
            | {"HYPOTHESIS_PROFILE": profile},
            capture_output=True,
            text=True,
            check=False,
        )
        tried = sum(map(int, re.findall(r"- (\d+) passing, ", done.stdout)))
        passed = sum(map(int, re.findall(r"(\d+) passed", done.stdout)))
        made_up = len(re.findall(r"during generate phase", done.stdout))
        tally.times = tried + passed - made_up
        tally.outcomes["inputs made up by Hypothesis"] = tried
        tally.outcomes["cases made by hand"] = passed - made_up
        for text in re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE):
            tally.expect(False, text)
        tally.expect(done.returncode == 0, f"pytest ended with {done.returncode}")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        tally.outcomes["MiB of memory at most"] = peak
        return tally

    return inject
