"""Whole processes that a person waits for, on this project and its store, with nothing to do.

Each is timed twice: as it is asked again, where its kept answer is said, and without kept answers,
as after any change.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from itertools import cycle
from pathlib import Path

from benchmarks.bench import RUNS, Row, alone, keep, program

REPRO = Path(sys.executable).with_name("repro")
GOALS = {
    ("--help",): "0.1 s",
    ("show", "table7"): "0.35 s",
    ("make", "table7"): "0.35 s",
    ("diff", "table7"): "0.35 s",
    ("verify",): "0.35 s",
    ("audit",): "0.35 s",
    ("report", "--profile", "paper"): "0.7 s",
    ("report", "--profile", "digits"): "0.7 s",
}
WHOLE = {"paper": "3 s", "digits": "6 s"}
"""Profile -> goal for its report, all pages written."""
CELL = "table7:DUAL:IPC 10"


def main() -> None:
    program([REPRO, "make", "table7"])  # so that nothing is left to do
    with tempfile.TemporaryDirectory() as kept:
        rows = [timed(words, goal, kept) for words, goal in GOALS.items()]
    rows += [timed(words, "", "off") for words in GOALS]
    with tempfile.TemporaryDirectory() as out:
        rows += [whole(profile, goal, Path(out)) for profile, goal in WHOLE.items()]
    keep("commands", [*rows, after_a_change()])


def timed(words: tuple[str, ...], goal: str, answers: str) -> Row:
    command = [REPRO, *words]
    again = "" if answers == "off" else ", asked again"
    return alone(
        f"`repro {' '.join(words)}`{again}",
        goal,
        lambda: program(command, REPRO_ANSWERS=answers),
        2 * RUNS,
    )


def whole(profile: str, goal: str, out: Path) -> Row:
    site = out / profile
    return alone(
        f"`repro report --profile {profile}`, all pages",
        goal,
        lambda: program([REPRO, "report", "--profile", profile, "--out", site]),
        before=lambda: shutil.rmtree(site),
    )


def after_a_change() -> Row:
    """A report of which one cell's records are gone, or there again."""
    changes = cycle((["store", "drop", CELL, "--profile", "digits", "--yes"], ["make", CELL]))
    report = ["report", "--profile", "digits"]
    row = alone(
        f"`repro {' '.join(report)}`, other records of one cell",
        "0.7 s",
        lambda: program([REPRO, *report]),
        before=lambda: program([REPRO, *next(changes)]),
    )
    program([REPRO, "make", CELL])
    return row


if __name__ == "__main__":
    main()
