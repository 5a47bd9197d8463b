"""Whole processes that a person waits for, on this project and its store, with nothing to do."""

from __future__ import annotations

import sys
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
    keep("commands", [timed(words, goal) for words, goal in GOALS.items()])


def timed(words: tuple[str, ...], goal: str) -> Row:
    command = [REPRO, *words]
    return alone(f"`repro {' '.join(words)}`", goal, lambda: program(command), 2 * RUNS)


if __name__ == "__main__":
    main()
