"""How much of the spread between runs comes before the student, on the real CIFAR-100.

Three pipelines of a number of Table 8, as `repro make table8 --vary replicate=pipeline` runs them
with one student each, and two more students of each. All students of a number have other seeds.

    python -m benchmarks.cifar_pipelines             what the kept accuracies come to
    python -m benchmarks.cifar_pipelines --retrain   trains first what the store lacks: about 7
                                                     minutes of a core for each student
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from benchmarks.bench import RESULTS, ROOT, kept_table
from benchmarks.pipelines import Accuracies, Spread, keep, kept
from harness.plan.exhibit import plan_exhibit
from harness.plan.identity import identity_of
from harness.plan.item import Item
from harness.plan.library import step_types
from harness.plan.parts import closure
from harness.plan.step import Step, StepType
from harness.run.inline import InlineExecutor
from harness.run.progress import Progress
from harness.study.study import Study

PIPELINES, STUDENTS = 3, 3
ROWS, COLUMN = ("CAD-Prune", "CA2D (factor=1)"), "IPC 10"
CSV = RESULTS / "cifar_pipelines.csv"
TABLE = RESULTS / "cifar_pipelines.md"


def trained() -> Accuracies:
    study = Study.open(ROOT)
    types = step_types(study.paper)
    plan = plan_exhibit(study.paper, "table8", "paper", PIPELINES, {"replicate": "pipeline"})
    cells = [i for i in plan.items if i.address.row in ROWS and i.address.column == COLUMN]
    steps = dict(plan.steps)
    students: dict[str, list[list[Step]]] = {}
    for item in cells:
        students[str(item.address)] = each = list(students_of(item, steps, types))
        steps.update({step.identity: step for pipeline in each for step in pipeline})
    asked = [step.identity for each in students.values() for pipeline in each for step in pipeline]
    done = InlineExecutor().run(closure(steps, asked), study.store, Progress())
    assert done.complete, done
    return {
        address: np.array([[_accuracy(study, step) for step in pipeline] for pipeline in each])
        for address, each in students.items()
    }


def students_of(
    item: Item, steps: Mapping[str, Step], types: Mapping[str, StepType]
) -> Iterator[list[Step]]:
    """The students of each pipeline: that of the plan, and as many more with seeds of their own."""
    [runs] = item.sources.values()
    for number, (identity,) in enumerate(runs):
        first = steps[identity]
        kind, more = types[first.name], STUDENTS - 1
        seeds = range(PIPELINES + number * more, PIPELINES + (number + 1) * more)
        again = {identity_of(kind, first.params, seed, first.inputs): seed for seed in seeds}
        yield [first, *(replace(first, identity=i, seed=seed) for i, seed in again.items())]


def _accuracy(study: Study, step: Step) -> float:
    record = study.store.get(step.identity)
    assert record is not None, step
    return 100 * float(str(record.values["accuracy"]))


def table(accuracies: Accuracies) -> str:
    return "\n".join(_lines(accuracies))


def _lines(accuracies: Accuracies) -> Iterator[str]:
    yield "| cell | students by pipeline | mean | ± of students | of pipelines | at most | p |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for address, each in accuracies.items():
        spread = Spread.of(each)
        students = "; ".join(", ".join(f"{value:.2f}" for value in one) for one in each)
        yield (
            f"| {address} | {students} | {spread.mean:.2f} | {spread.students:.2f} "
            f"| {spread.pipelines:.2f} | {spread.most:.2f} | {spread.p:.2f} |"
        )


def main() -> None:
    kept_table("cifar_pipelines", TABLE, lambda: keep(trained(), CSV), lambda: table(kept(CSV)))


if __name__ == "__main__":
    main()
