"""DD-Ranking's scores of the distilled sets of Table 3 on digits, beside accuracy.

LRS asks how much of a set's accuracy its images are behind: students of the whole training split
(the teacher) and of the set on hard labels, and of the set and of as many random images on the soft
labels of Table 3. ARS asks for the gain over random images with the augmentation of Table 1 and
without any, on hard labels. Three students each, one synthesis of each set.

    python -m benchmarks.dd_ranking             what the kept accuracies come to
    python -m benchmarks.dd_ranking --retrain   makes them anew first, in minutes of one core
"""

from __future__ import annotations

import csv
from collections.abc import Mapping

from benchmarks.bench import RESULTS, ROOT, kept_table
from benchmarks.pipelines import STUDENTS, Pipeline
from benchmarks.robust_scores import augmentation_robust_score, label_robust_score
from harness.plan.exhibit import plan_exhibit
from harness.spec.exhibit import Address
from harness.spec.paper import load_paper

SETS = ("DM", "DC", "TM", "K-centers")
RANDOM = "Random Real"
WHOLE = "whole split"
HARD, PLAIN, SOFT = "hard labels", "hard labels, no augmentation", "soft labels"
CSV = RESULTS / "dd_ranking.csv"
TABLE = RESULTS / "dd_ranking.md"

Accuracies = Mapping[tuple[str, str], float]
"""Row and how its students are trained -> mean accuracy, in percent as it is printed."""


def trained() -> Accuracies:
    plan = plan_exhibit(load_paper(ROOT / "specs"), "table3", "digits", STUDENTS)
    pipeline, found = Pipeline(plan, seed=0), {}

    def last(row: str, column: str) -> list[str]:
        item = next(i for i in plan.items if i.address == Address("table3", row, column))
        [runs] = item.sources.values()
        return [identity for (identity,) in runs]

    for row in (*SETS, RANDOM):
        hard, soft = last(row, "HL/IPC 10"), last(row, "SL/IPC 10")
        found[row, HARD] = _mean(pipeline.accuracies(hard))
        bare = {"augmentation": "none", "dsa_strategy": ""}
        found[row, PLAIN] = _mean(pipeline.accuracies(hard, **bare))
        found[row, SOFT] = _mean(pipeline.accuracies(soft))
    teacher = next(identity for identity, step in plan.steps.items() if step.name == "teacher")
    accuracy = float(str(pipeline.made(teacher).values["accuracy"]))
    return {(WHOLE, HARD): 100 * accuracy, **found}


def _mean(percent: list[float]) -> float:
    return sum(percent) / len(percent)


def keep(accuracies: Accuracies) -> None:
    with CSV.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["images", "students", "accuracy in percent"])
        lines.writerows([*key, f"{value:.4f}"] for key, value in accuracies.items())


def kept() -> Accuracies:
    with CSV.open(newline="", encoding="utf-8") as file:
        return {(row, how): float(value) for row, how, value in list(csv.reader(file))[1:]}


def scores(accuracies: Accuracies, row: str) -> tuple[float, float]:
    """LRS and ARS of a row, whose accuracies are turned from percent into fractions here."""
    share = {key: value / 100 for key, value in accuracies.items()}
    lrs = label_robust_score(
        full_hard=share[WHOLE, HARD],
        set_hard=share[row, HARD],
        set_any=share[row, SOFT],
        random_any=share[RANDOM, SOFT],
    )
    ars = augmentation_robust_score(
        set_augmented=share[row, HARD],
        random_augmented=share[RANDOM, HARD],
        set_plain=share[row, PLAIN],
        random_plain=share[RANDOM, PLAIN],
    )
    return lrs, ars


def table(accuracies: Accuracies) -> str:
    lines = [
        f"| images | {HARD} | {PLAIN} | {SOFT} | LRS | ARS |",
        "|---|---:|---:|---:|---:|---:|",
        f"| {WHOLE} | {accuracies[WHOLE, HARD]:.1f} | – | – | – | – |",
    ]
    for row in (*SETS, RANDOM):
        numbers = " | ".join(f"{accuracies[row, how]:.1f}" for how in (HARD, PLAIN, SOFT))
        lrs, ars = scores(accuracies, row)
        lines.append(f"| {row} | {numbers} | {lrs:.3f} | {ars:.3f} |")
    return "\n".join(lines)


def main() -> None:
    kept_table("dd_ranking", TABLE, lambda: keep(trained()), lambda: table(kept()))


if __name__ == "__main__":
    main()
