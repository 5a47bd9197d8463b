"""How much of the spread between runs comes before the student: whole pipelines on digits.

A pipeline runs every step of a cell with a seed of its own: reference network, scoring run, the
selection, the teacher that judges patches, and then three students. A printed ± is over students of
one selection, so it holds the last part alone.

    python -m benchmarks.pipelines             what the kept accuracies come to
    python -m benchmarks.pipelines --retrain   makes them anew first, in a few minutes of one core
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import save_file
from scipy import stats

from benchmarks.bench import RESULTS, ROOT, kept_table
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.step import Json, MemoryInput, Share, StepContext, StepResult
from harness.run.call import call, call_together
from harness.spec.paper import load_paper

PIPELINES, STUDENTS = 8, 3
ROWS = {"table7": ("CAD-Prune", "CA2D", "DUAL", "Dyn-Unc"), "table8": ("K-centers",)}
COLUMNS = ("IPC 10", "IPC 50")
CSV = RESULTS / "pipelines.csv"
TABLE = RESULTS / "pipelines.md"

Accuracies = Mapping[str, np.ndarray]
"""Address of a cell -> accuracies in percent (pipelines, students)."""


class Spread(NamedTuple):
    """The parts of the variance of a cell, as standard deviations in points."""

    mean: float
    students: float
    """Between students of one pipeline."""
    pipelines: float
    """Between pipelines, beyond what their students explain; 0 where that is more."""
    p: float
    """Of the F test that there is nothing between pipelines."""
    most: float
    """The upper limit, at 95 %, of what lies between pipelines: that of its ratio to `students`,
    which the F distribution gives (Searle, Casella and McCulloch 1992), times `students`."""

    @classmethod
    def of(cls, accuracies: np.ndarray) -> Spread:
        """From accuracies (pipelines, students), by the one-way analysis of variance."""
        count, each = accuracies.shape
        within = float(accuracies.var(axis=1, ddof=1).mean())
        between = each * float(accuracies.mean(axis=1).var(ddof=1))
        beyond = max(0.0, (between - within) / each)
        ratio, scatter = between / within, stats.f(count - 1, count * (each - 1))
        most = max(0.0, (ratio / float(scatter.ppf(0.05)) - 1) / each * within)
        p = float(scatter.sf(ratio))
        return cls(float(accuracies.mean()), within**0.5, beyond**0.5, p, most**0.5)


class Pipeline:
    """The steps of a plan, each done with the seed of the pipeline, students with their own."""

    def __init__(self, plan: ExhibitPlan, seed: int) -> None:
        self._plan, self._seed = plan, seed
        self._made: dict[str, MemoryInput] = {}

    def accuracies(self, last: list[str], **recipe: Json) -> list[float]:
        """In percent, of the last steps of a cell, which differ in their seeds alone.

        `recipe` replaces what theirs says.
        """
        first = self._plan.steps[last[0]]
        stated: Any = first.params["recipe"]
        params = {**first.params, "recipe": {**stated, **recipe}}
        inputs = {name: self.made(identity) for name, identity in first.inputs.items()}
        seeds = [self._seed * len(last) + student for student in range(len(last))]
        shares = [Share(inputs, StepContext(first.name, seed)) for seed in seeds]
        if first.fused:
            done = list(call_together(first.fused, params, shares, shares[0].context))
        else:
            done = [call(first.function, params, s.inputs, s.context) for s in shares]
        return [100 * float(str(result.values["accuracy"])) for result in done]

    def made(self, identity: str) -> MemoryInput:
        """What a step makes, done at most once."""
        if identity not in self._made:
            step = self._plan.steps[identity]
            inputs = {name: self.made(each) for name, each in step.inputs.items()}
            context = StepContext(step.name, self._seed)
            self._made[identity] = _readable(call(step.function, step.params, inputs, context))
        return self._made[identity]


def _readable(result: StepResult) -> MemoryInput:
    """What a step made, as later steps read it."""
    files = {name: Path(tempfile.mkdtemp()) / name for name in result.tensors}
    for name, path in files.items():
        save_file(dict(result.tensors[name]), path)
    return MemoryInput(result.values, result.arrays, files)


def trained() -> Accuracies:
    paper = load_paper(ROOT / "specs")
    found: dict[str, list[list[float]]] = {}
    for exhibit, rows in ROWS.items():
        plan = plan_exhibit(paper, exhibit, "digits", STUDENTS)
        cells = [i for i in plan.items if i.address.row in rows and i.address.column in COLUMNS]
        for seed in range(PIPELINES):
            pipeline = Pipeline(plan, seed)
            for item in cells:
                [runs] = item.sources.values()
                made = pipeline.accuracies([identity for (identity,) in runs])
                found.setdefault(str(item.address), []).append(made)
    return {address: np.array(each) for address, each in found.items()}


def keep(accuracies: Accuracies, to: Path = CSV) -> None:
    with to.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["cell", "pipeline", "accuracies of its students"])
        for address, each in accuracies.items():
            for seed, students in enumerate(each):
                lines.writerow([address, seed, " ".join(f"{value:.4f}" for value in students)])


def kept(at: Path = CSV) -> Accuracies:
    found: dict[str, list[list[float]]] = {}
    with at.open(newline="", encoding="utf-8") as file:
        for address, _, students in list(csv.reader(file))[1:]:
            found.setdefault(address, []).append([float(value) for value in students.split()])
    return {address: np.array(each) for address, each in found.items()}


def table(accuracies: Accuracies) -> str:
    return "\n".join(_lines(accuracies))


def _lines(accuracies: Accuracies) -> Iterator[str]:
    yield "| cell | mean | ± of students | ± of pipelines | of the variance | p |"
    yield "|---|---:|---:|---:|---:|---:|"
    for address, each in accuracies.items():
        spread = Spread.of(each)
        share = spread.pipelines**2 / (spread.pipelines**2 + spread.students**2)
        p = "< 0.001" if spread.p < 0.001 else f"{spread.p:.3f}"
        yield (
            f"| {address} | {spread.mean:.1f} | {spread.students:.2f} | {spread.pipelines:.2f} "
            f"| {100 * share:.0f} % | {p} |"
        )


def main() -> None:
    kept_table("pipelines", TABLE, lambda: keep(trained()), lambda: table(kept()))


if __name__ == "__main__":
    main()
