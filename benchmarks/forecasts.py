"""What the planner foretells where nothing was run yet, beside what it then takes.

The stand-in is made whole, in a new store; students of CIFAR-100 are those of Table 8 that are
published, whose records say how long each took (some had a core to themselves, some shared it).
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.bench import ROOT, Row, keep, line, program
from harness.plan.cost import forecast
from harness.plan.exhibit import plan_exhibit
from harness.plan.step import Step
from harness.spec.paper import load_paper
from harness.store.published import Published
from harness.store.store import Store

REPRO = Path(sys.executable).with_name("repro")
GOAL = "within a factor of 2"
RUNS = 3


def main() -> None:
    rows = [digits(), *students()]
    for row in rows:
        print(line(row), flush=True)
    keep("forecasts", rows)


def digits() -> Row:
    """The steps of Table 7 on digits, each in turn."""
    told, took = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as place:
            words = ["table7", "--profile", "digits"]
            plan = json.loads(program([REPRO, "plan", *words, "--json"], REPRO_STORE=place))
            told.append(plan["totals"]["seconds"]["mid"])
            program([REPRO, "make", *words, "--executor", "inline"], REPRO_STORE=place)
            took.append(sum(record.seconds for record in Store(Path(place)).iterate()))
    return row(f"all {plan['totals']['steps']} steps of Table 7, digits, in turn", told, took)


def students() -> Iterable[Row]:
    """Of each IPC the published students of Table 8, however their images were chosen."""
    held = Published(ROOT / "store" / "published")
    groups: dict[int, tuple[list[float], list[float]]] = {}
    for step in planned().values():
        record = held.get(step.identity) if step.name == "student" else None
        if record is not None:
            told, took = groups.setdefault(int(str(step.params["per_class"])), ([], []))
            told.append(forecast(step, "cpu", {}).mid)
            took.append(record.seconds)
    for per_class, (told, took) in sorted(groups.items()):
        spread = f"from {min(took):.0f} to {max(took):.0f} s"
        yield row(f"a student of CIFAR-100, HL, IPC {per_class}, one core", told, took, spread)


def planned() -> Mapping[str, Step]:
    return plan_exhibit(load_paper(ROOT / "specs"), "table8", "paper", 3).steps


def row(what: str, told: list[float], took: list[float], note: str = "") -> Row:
    ratios = [b / a for a, b in zip(told, took, strict=True)]
    middle = statistics.median
    return Row(
        f"forecast of {what}",
        "what it took",
        GOAL,
        middle(told),
        middle(took),
        middle(ratios),
        min(ratios),
        max(ratios),
        len(took),
        note,
    )


if __name__ == "__main__":
    main()
