"""What the trainings came to, as it is committed: one line for each arm and cell."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from benchmarks.bench import RESULTS
from benchmarks.verdicts.trainings import Counts

FOLDER = RESULTS / "verdicts"
FILE = FOLDER / "students.csv"
TESTED = 450
"""Images of the test split."""


def write(arms: Mapping[str, Counts]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FILE.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["arm", "cell", f"right of {TESTED}, by seed"])
        for arm, counts in arms.items():
            lines.writerows([arm, cell, " ".join(map(str, n))] for cell, n in counts.items())


def read() -> dict[str, Counts]:
    arms: dict[str, Counts] = {}
    with FILE.open(newline="", encoding="utf-8") as file:
        for arm, cell, counts in list(csv.reader(file))[1:]:
            arms.setdefault(arm, {})[cell] = [int(n) for n in counts.split()]
    return arms
