"""Disks that are full or take no more writing, and folders that vanish."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reliability.trial import MAKE, Lab, Tally, Trial

SIZES = 20
PARTS = ("records", "memo", "events", "leases", "tmp", "")
"""Folders of a store, and the store itself."""
LOOKS = (
    MAKE,
    ("show", "table7", "--profile", "digits"),
    ("plan", "table7", "--profile", "digits"),
    ("runs",),
    ("verify", "--profile", "digits"),
    ("store", "verify"),
    ("store", "rebuild"),
)
NO_MOUNT = "not injected: nothing may be mounted here"


def full_disk(lab: Lab) -> Tally:
    """Run on file systems with room for a part of the records, then give them more."""
    tally = Tally()
    whole = sum(path.stat().st_blocks * 512 for path in lab.calm.root.rglob("*"))
    for number in range(SIZES):
        size = whole * (number + 1) // (SIZES + 1)
        when = f"a disk of {size >> 10} KiB"
        with _mounted(lab, f"size={size}") as trial:
            if trial is None:
                tally.outcomes[NO_MOUNT] += 1
                continue
            ended = trial.run(*MAKE)
            trial.check_told(tally, ended, when, 3)
            tally.expect(ended.code == 3, f"{when}: ended with {ended.code}")
            tally.times += 1
            tally.outcomes["ended with one message and exit code 3"] += ended.code == 3
            trial.check_sound(tally, when)
            _remount(trial, "size=1g")
            trial.finish(tally, when, lost=True)  # a full disk takes no word of how a step ended
            tally.expect(trial.digests() == lab.expected, f"{when}: other digests")
            tally.outcomes["then ran to the end with every digest as undisturbed"] += 1
    return tally


def read_only(lab: Lab) -> Tally:
    """Every kind of command on a store without a record, with half of them, and with all."""
    tally = Tally()
    for stage, given in (("empty", None), ("half", lab.half), ("whole", lab.calm)):
        with _mounted(lab, "size=1g") as trial:
            if trial is None:
                tally.outcomes[NO_MOUNT] += 1
                continue
            if given is not None:
                shutil.copytree(given.root, trial.root)
            _remount(trial, "ro")
            for words in LOOKS:
                when = f"{words[0]} on a read-only store, {stage}"
                ended = trial.run(*words)
                trial.check_told(tally, ended, when, 2, 3)
                tally.times += 1
                done = "did its work" if ended.code == 0 else "ended with one message"
                tally.outcomes[done] += 1
            _remount(trial, "rw")
            trial.finish(tally, f"read-only, {stage}")
    return tally


def vanished(lab: Lab) -> Tally:
    """Each folder of a store that is half done, before a run and at random moments of one."""
    tally, moments = Tally(), random.Random(3)
    for part in PARTS:
        for when in (f"no {part or 'store'}", *(f"{part or 'store'} went {n}" for n in range(3))):
            trial = lab.copied(lab.half)
            if when.startswith("no "):
                shutil.rmtree(trial.root / part)
            else:
                running = trial.start(*MAKE)
                time.sleep(moments.uniform(0.0, lab.seconds / 2))
                shutil.rmtree(trial.root / part, ignore_errors=True)
                ended = running.wait()
                trial.check_told(tally, ended, when, 3)
                tally.outcomes["ended with one message and exit code 3"] += ended.code == 3
            tally.times += 1
            trial.finish(tally, when, lost=True)
            tally.outcomes["runs to the end with every digest as undisturbed"] += 1
            trial.remove()
    return tally


@contextmanager
def _mounted(lab: Lab, options: str) -> Iterator[Trial | None]:
    """A store on a file system of its own in memory; None where nothing may be mounted."""
    trial = lab.trial(shared=True)
    place = trial.root.parent
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield trial
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _remount(trial: Trial, options: str) -> None:
    place: Path = trial.root.parent
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)
