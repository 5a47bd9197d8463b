"""Files that are not what was written: cut off, changed by one bit, or half there."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.reliability.trial import MAKE, Lab, Tally
from harness.store.record import MANIFEST

BITS = 4
"""Bits that are flipped in each file, one at a time."""
HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
PLAN = ("plan", "table7", "--profile", "digits", "--json")
RUNS = ("runs", "--json")
ROUNDS = 3

Damage = Callable[[Path], None]


def truncated(lab: Lab) -> Tally:
    """Each file of a record of each kind of step loses its second half."""
    tally = Tally()
    for identity, name in _files(lab, first_of_kind=True):
        if name != MANIFEST:
            _injected(lab, tally, identity, name, _cut)
    return tally


def flipped(lab: Lab) -> Tally:
    """One bit of each file of a record of each kind of step, several times."""
    tally, draws = Tally(), random.Random(4)

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        bit = draws.randrange(8 * len(data))
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)

    for identity, name in _files(lab, first_of_kind=True):
        for _ in range(BITS):
            _injected(lab, tally, identity, name, flip)
    return tally


def half_manifests(lab: Lab) -> Tally:
    """The manifest of each record."""
    tally = Tally()
    for identity, name in _files(lab, first_of_kind=False):
        if name == MANIFEST:
            _injected(lab, tally, identity, name, _cut)
    return tally


def index(lab: Lab) -> Tally:
    """DuckDB's file held by another process, no database, empty, gone, or older than records."""
    tally = Tally()
    calm = lab.copied(lab.calm)
    told = {words: calm.run(*words).text for words in (PLAN, RUNS)}
    older = lab.copied(lab.half)
    older.run(*RUNS)
    for _ in range(ROUNDS):
        for state in ("locked", "no database", "empty", "gone", "older"):
            trial = lab.copied(calm)
            path = trial.root / "repro.duckdb"
            holder = _held(path) if state == "locked" else None
            if state == "older":
                shutil.copy(older.root / "repro.duckdb", path)
            elif state == "gone":
                path.unlink()
            elif state != "locked":
                path.write_bytes(b"no database" if state == "no database" else b"")
            for words, text in told.items():
                ended = trial.run(*words)
                tally.expect(ended.text == text, f"{words[0]}, index {state}: {ended.text[:300]}")
                tally.times += 1
                tally.outcomes["the same answers"] += ended.text == text
            if holder is not None:
                holder.communicate()
            trial.finish(tally, f"index {state}")
            trial.remove()
    return tally


def _held(path: Path) -> subprocess.Popen[str]:
    """A process that has the index open for writing."""
    command = [sys.executable, "-c", HOLD, str(path)]
    pipe = subprocess.PIPE
    holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    return holder


def _cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _files(lab: Lab, *, first_of_kind: bool) -> Iterator[tuple[str, str]]:
    """Records, by identity, and names of their files that are not empty."""
    seen: set[str] = set()
    for record in lab.calm.store.iterate():
        if record.link is None and not (first_of_kind and record.step in seen):
            seen.add(record.step)
            for path in sorted(record.directory.iterdir()):
                if path.stat().st_size:
                    yield record.identity, path.name


def _injected(lab: Lab, tally: Tally, identity: str, name: str, damage: Damage) -> None:
    """Damage a file whose record is needed: what was made of it is taken away."""
    trial = lab.copied(lab.calm)
    for above in _above(lab, identity):
        shutil.rmtree(trial.store.directory("records", above))
    damage(trial.store.directory("records", identity) / name)
    when = f"{name} of {identity[:12]}"
    tally.times += 1
    found = trial.run("store", "verify")
    seen = found.code == 1 and identity[:12] in found.text
    tally.expect(seen, f"{when}: store verify: {found.text}")
    tally.outcomes["found by `store verify`"] += seen
    ended = trial.run(*MAKE)
    trial.check_told(tally, ended, when, 3)
    tally.outcomes["noticed on reading, exit code 3"] += ended.code == 3
    trial.run("store", "verify", "--set-aside")
    trial.finish(tally, when, lost=True)
    tally.outcomes["runs to the end with every digest as undisturbed"] += 1
    trial.remove()


def _above(lab: Lab, identity: str) -> set[str]:
    """Every record that was made from this one, however indirectly."""
    found = {identity}
    records = list(lab.calm.store.iterate())
    for _ in records:
        found |= {r.identity for r in records if found & set(r.inputs.values())}
    return found - {identity}
