"""Other processes at the same store, workers that hang or are killed, owners that died, clocks."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest import mock

from benchmarks.reliability.kills import LOCAL
from benchmarks.reliability.trial import MAKE, Lab, Running, Tally, Trial
from harness.run import lease, local, watch
from harness.store.owner import Owner

AT_ONCE, ROUNDS = 8, 5
OUT_OF_MEMORY, HANGING = 8, 4
SILENCE = 12.0
"""Seconds after which a worker counts as hung here, rather than minutes; it beats every five."""
YEAR = 365 * 24 * 3600.0
DEAD_PID = 2**22 + 1
"""No process has that number."""
ELSEWHERE = Owner("another-host", 1, "1")


def at_once(lab: Lab) -> Tally:
    """Processes that start together on an empty store."""
    tally = Tally()
    for number in range(ROUNDS):
        trial = lab.trial(shared=True)
        running = [trial.start(*MAKE) for _ in range(AT_ONCE)]
        for ended in [each.wait() for each in running]:
            tally.expect(ended.code == 0, f"round {number}: ended with {ended.code}: {ended.text}")
            tally.times += 1
            tally.outcomes["ended well"] += ended.code == 0
        trial.check_finished(tally, f"round {number}")
        trial.remove()
    return tally


def killed_workers(lab: Lab) -> Tally:
    """SIGKILL to one of two workers, as the system does where memory runs out."""
    draws, well = random.Random(5), "the same run went on in a new worker, to the end"
    moments = (draws.randrange(1, len(lab.expected)) for _ in itertools.count())
    return _lost_workers(lab, signal.SIGKILL, moments, OUT_OF_MEMORY, well)


def hung_workers(lab: Lab) -> Tally:
    """SIGSTOP to one of two workers; what counts as silence is seconds here, not minutes."""

    def impatient() -> None:
        guard = partial(watch.Watch, silence=SILENCE)
        mock.patch.object(watch, "LOOK", 1.0).start()
        mock.patch.multiple(local, LOOK=1.0, Watch=guard).start()

    draws, well = random.Random(6), "the run ended well"
    moments = (draws.randrange(1, len(lab.expected) // 2) for _ in itertools.count())
    return _lost_workers(lab, signal.SIGSTOP, moments, HANGING, well, impatient)


def _lost_workers(
    lab: Lab,
    sent: signal.Signals,
    moments: Iterator[int],
    times: int,
    well: str,
    before: Callable[[], None] | None = None,
) -> Tally:
    """A signal to one of two workers, each time once so many records are there."""
    tally = Tally()
    while tally.times < times and not lab.late:
        trial = lab.trial(shared=True)
        running = trial.start(*LOCAL, before=before)
        worker = _worker(trial, running, next(moments))
        if worker is not None:
            os.kill(worker, sent)
        ended = running.wait()
        if worker is not None:
            when = f"{sent.name} {tally.times}"
            tally.times += 1
            tally.expect(ended.code == 0, f"{when}: ended with {ended.code}: {ended.text}")
            tally.outcomes[well] += ended.code == 0
            trial.check_sound(tally, when)
            trial.finish(tally, when)
            if sent == signal.SIGSTOP:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
        trial.remove()
    return tally


def dead_owners(lab: Lab) -> Tally:
    """A lease on each step of an empty store, of a process that died here or on another host."""
    tally = Tally()
    here = replace(Owner.current(), pid=DEAD_PID, started="1")
    for owner, beat in ((here, 0.0), (ELSEWHERE, -3600.0)):
        trial = lab.trial(shared=True)
        _lease_all(lab, trial, owner, beat)
        trial.finish(tally, f"leases of {owner.host}")
        taken = [e for e in trial.store.events.read() if e["event"] == "takeover"]
        tally.times += len(lab.expected)
        tally.expect(len(taken) == len(lab.expected), f"{len(taken)} takeovers were logged")
        tally.outcomes["takeovers, each logged"] += len(taken)
        trial.remove()
    return tally


def clocks(lab: Lab) -> Tally:
    """Stores stamped years ahead or behind, runs whose clock is changed in them, and leases of
    another host from before a jump."""
    tally = Tally()
    for years in (-10, -1, 1, 10):
        trial = lab.copied(lab.half)
        for path in trial.root.rglob("*"):
            _shift(path, years * YEAR)
        tally.times += 1
        trial.finish(tally, f"all stamps {years:+} years")
        tally.outcomes["stores run to the end with every digest as undisturbed"] += 1
        trial.remove()
    for number, jump in enumerate((-YEAR, -3600.0, -61.0, 61.0, 3600.0, YEAR)):
        trial, moment = lab.trial(shared=True), lab.seconds * (number + 1) / 7
        ended = trial.start(*MAKE, before=partial(_change_clock, jump, moment)).wait()
        tally.times += 1
        when = f"the clock moved by {jump:+.0f} s after {moment:.1f} s"
        tally.expect(ended.code == 0, f"{when}: ended with {ended.code}: {ended.text}")
        trial.check_finished(tally, when)
        tally.outcomes["runs under a clock that was changed, undisturbed"] += ended.code == 0
        trial.remove()
    for beat in (3600.0, YEAR, -YEAR):
        trial = lab.trial(shared=True)
        _lease_all(lab, trial, ELSEWHERE, beat)
        tally.times += len(lab.expected)
        trial.finish(tally, f"leases stamped {beat:+.0f} s")
        tally.outcomes["leases taken over"] += len(lab.expected)
        trial.remove()
    return tally


def _change_clock(jump: float, moment: float) -> None:
    """In the process of a run: after so many seconds, its clock and that of the store's file
    system show another time."""
    clock, stamped, began = time.time, lease.now_ns, time.monotonic()

    def moved() -> float:
        return jump if time.monotonic() - began > moment else 0.0

    def now() -> float:
        return clock() + moved()

    def stamp(root: Path) -> int:
        return stamped(root) + int(moved() * 1e9)

    mock.patch.object(time, "time", now).start()
    mock.patch.object(lease, "now_ns", stamp).start()


def _lease_all(lab: Lab, trial: Trial, owner: Owner, beat: float) -> None:
    """As if somebody held every step; the last beat is so many seconds from now."""
    folder = trial.root / "leases"
    folder.mkdir(parents=True)
    for identity in lab.expected:
        path = folder / identity
        path.write_text(owner.token, encoding="utf-8")
        _shift(path, beat)


def _shift(path: Path, seconds: float) -> None:
    stamp = path.stat().st_mtime + seconds
    os.utime(path, (stamp, stamp))


def _worker(trial: Trial, running: Running, records: int) -> int | None:
    """One of the workers of a run, once there are so many records; None if it ends before."""
    while len(trial.store.identities()) < records:
        if os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        time.sleep(0.005)
    for number in sorted(int(path.name) for path in Path("/proc").glob("[0-9]*")):
        with suppress(OSError):
            words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
            parent = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == running.pid and b"spawn_main" in b" ".join(words):
                return number
    return None
