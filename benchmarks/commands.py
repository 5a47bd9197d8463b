"""Whole processes that a person waits for, on this project and its store, with nothing to do.

Each is timed twice: as it is asked again, where its kept answer is said, and without kept answers,
as after any change.
"""

from __future__ import annotations

import sys
import tempfile
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


def main() -> None:
    program([REPRO, "make", "table7"])  # so that nothing is left to do
    with tempfile.TemporaryDirectory() as kept:
        rows = [timed(words, goal, kept) for words, goal in GOALS.items()]
    keep("commands", rows + [timed(words, "", "off") for words in GOALS])


def timed(words: tuple[str, ...], goal: str, answers: str) -> Row:
    command = [REPRO, *words]
    again = "" if answers == "off" else ", asked again"
    return alone(
        f"`repro {' '.join(words)}`{again}",
        goal,
        lambda: program(command, REPRO_ANSWERS=answers),
        2 * RUNS,
    )


if __name__ == "__main__":
    main()
