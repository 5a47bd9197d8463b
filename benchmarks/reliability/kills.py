"""SIGKILL, at every write point and at random moments."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

from benchmarks.reliability.trial import MAKE, Lab, Tally

RANDOM = 100
IN_COMPANY = 8
LOCAL = ("make", "table7", "--profile", "digits", "--executor", "local")


def write_points(lab: Lab) -> Tally:
    """Kill at each point between two effects on the disk, then run to the end.

    Where a step begins, a run is killed and its store kept: the runs that are killed in that step
    start from a copy of it, and need not do again what comes before.
    """
    tally, kinds = Tally(), Counter[str]()
    for begin, end, step in _first_of_each_kind_first(lab):
        if lab.late:
            break
        kinds[step] += 1
        base = lab.trial(shared=True)
        base.run(*MAKE, environment={"REPRO_FAULT": str(begin + 1)})
        for number, name in enumerate(lab.points[begin:end], start=1):
            trial = lab.copied(base)
            log = trial.root.with_name("points")
            faults = {"REPRO_FAULT": str(number), "REPRO_FAULT_LOG": str(log)}
            ended = trial.run(*MAKE, environment=faults)
            when = f"point {begin + number} ({name})"
            tally.expect(ended.code == -signal.SIGKILL, f"{when}: not killed: {ended.text}")
            tally.expect(log.read_text().splitlines()[-1] == name, f"{when}: another point")
            tally.times += 1
            trial.check_sound(tally, when)
            trial.finish(tally, when)
            trial.remove()
        base.remove()
        print(f"  {tally.times} of {len(lab.points)} points, {dict(kinds)}", flush=True)
    tally.outcomes[f"write points of {len(lab.points):,} tried"] = tally.times
    tally.outcomes["runs to the end with every digest as undisturbed"] = tally.times
    return tally


def _first_of_each_kind_first(lab: Lab) -> list[tuple[int, int, str]]:
    """Of every step, the index of its first point, that of the next step's, and its name."""
    begins = [at for at, name in enumerate(lab.points) if name == "lease: before"]
    steps = [e["step"] for e in lab.calm.store.events.read() if e["event"] == "start"]
    found = list(zip(begins, [*begins[1:], len(lab.points)], steps, strict=True))
    return sorted(found, key=lambda each: steps.index(each[2]) != begins.index(each[0]))


def random_moments(lab: Lab) -> Tally:
    """Kill after a random time, renders included, then run to the end."""
    tally, moments = Tally(), random.Random(1)
    while tally.times < RANDOM and not lab.late:
        trial = lab.trial()
        running = trial.start(*MAKE)
        time.sleep(moments.uniform(0.0, lab.seconds))
        running.kill()
        if running.wait().code == -signal.SIGKILL:
            when = f"moment {tally.times}"
            tally.times += 1
            trial.check_sound(tally, when)
            trial.finish(tally, when)
        trial.remove()
    tally.outcomes["runs to the end with every digest as undisturbed"] = tally.times
    return tally


def with_workers(lab: Lab) -> Tally:
    """Two worker processes; the command alone is killed, or it and its workers."""
    tally, moments = Tally(), random.Random(2)
    while tally.times < IN_COMPANY and not lab.late:
        trial = lab.trial(shared=True)
        running = trial.start(*LOCAL)
        while len(trial.store.identities()) < moments.randrange(1, len(lab.expected)):
            time.sleep(0.02)
        whole = tally.times % 2 == 0
        if whole:
            running.kill()
        else:
            os.kill(running.pid, signal.SIGKILL)
        running.wait()
        when = f"{'group' if whole else 'command'} {tally.times}"
        tally.times += 1
        tally.outcomes["killed with its workers" if whole else "killed alone"] += 1
        trial.check_sound(tally, when)
        trial.finish(tally, when)
        if not whole:
            _reap_orphans(running.pid)
        trial.remove()
    tally.outcomes["runs to the end with every digest as undisturbed"] = tally.times
    return tally


def _reap_orphans(group: int) -> None:
    """Workers end when their command has gone; see that they do."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
