"""Error rates and power of the decision rule, measured on numbers drawn from known truths.

`python -m benchmarks.rule.simulate` prints the tables that the documentation shows. The printed
spreads are those of the specs in the present folder: of every table that prints ten or more.

Runs are normal. `reproduced` is false for a truth at the margin, and so is `deviates` (closer to
zero both are rarer: the rates at the margin are the largest). All rates are per cell.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import false_discovery_control

from benchmarks.rule import looks
from harness.judge.decision import ALPHA
from harness.judge.moderated import (
    FEWEST_CELLS,
    Errors,
    Floats,
    moderate,
    p_inside,
    p_outside,
    welch,
)
from harness.judge.nested import components, of_one_pipeline
from harness.judge.sample import Summary
from harness.spec.reading import read_printed

MARGIN = 1.0
FEWEST_PRINTED = 10
CELLS = (1, 4, 8, 12)
RUNS = ((2, 2), (3, 2), (3, 3), (3, 5), (5, 3), (5, 5))
"""Runs of the paper and of ours."""
STDS = ((0.1, 0.4), (0.2, 0.4), (0.3, 0.3), (0.4, 0.2), (0.4, 0.1))
"""Spreads of the paper's runs and of ours, in points."""
PIPELINES = 0.4
"""Standard deviation between pipelines (selection, teacher, distillation), in points."""


@dataclass(frozen=True, slots=True)
class Setting:
    """An exhibit whose truth is known: the spread of each cell on either side, and the runs."""

    name: str
    stds: tuple[tuple[float, ...], tuple[float, ...]]
    """Of the paper's runs and of ours, one for each cell."""
    runs: tuple[int, int] = (3, 3)
    between: tuple[float, float] = (0.0, 0.0)
    """What all runs of a side share: the standard deviation between pipelines."""

    @property
    def cells(self) -> int:
        return len(self.stds[0])


@dataclass(frozen=True, slots=True)
class Draws:
    """Differences when the truth is 0, and their errors: arrays (repetitions, cells)."""

    gaps: Floats
    welch: Errors
    moderated: Errors


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each outcome is given, of one setting and one kind of errors."""

    false_reproduced: Floats
    """At the margin, for each cell."""
    false_deviates: Floats
    """At the margin, for each cell, without control over the exhibit."""
    reproduced: float
    """Where the truth is 0, mean over cells."""
    deviates: float
    """Where the truth is one margin and a half, mean over cells, without control."""


def draw(setting: Setting, repetitions: int, seed: int = 0) -> Draws:
    """Draw the exhibit again and again; means and spreads of normal runs are independent."""
    rng = np.random.default_rng(seed)
    shape = repetitions, setting.cells
    means, squares = [], []
    for stds, runs, between in zip(setting.stds, setting.runs, setting.between, strict=True):
        variance = np.square(np.array(stds))
        means.append(rng.normal(0.0, np.sqrt(variance / runs + between**2), shape))
        squares.append(variance * rng.chisquare(runs - 1, shape) / (runs - 1))
    runs_each = tuple(np.full(shape, float(runs)) for runs in setting.runs)
    own = welch((squares[0], squares[1]), (runs_each[0], runs_each[1]))
    alone = setting.cells < FEWEST_CELLS
    scale = 1 / runs_each[0] + 1 / runs_each[1]
    return Draws(means[1] - means[0], own, own if alone else moderate(own, scale))


def rates(gaps: Floats, errors: Errors) -> Rates:
    """Rates of the outcomes at 0, at the margin, and half a margin beyond."""

    def shares(outcome: str, truth: float) -> Floats:
        test = p_inside if outcome == "reproduced" else p_outside
        p = test(gaps + truth, -MARGIN, MARGIN, errors)
        return np.asarray((p < ALPHA).mean(axis=0))

    return Rates(
        shares("reproduced", MARGIN),
        shares("deviates", MARGIN),
        float(shares("reproduced", 0.0).mean()),
        float(shares("deviates", 1.5 * MARGIN).mean()),
    )


def controlled(setting: Setting, off: int, beyond: float, repetitions: int, seed: int) -> Floats:
    """`deviates` with the false-discovery rate held, where some cells are off and the rest are at
    the margin: shares of cells off that are found without control and with it, and of the rest.
    """
    draws = draw(setting, repetitions, seed)
    is_off = np.arange(setting.cells) < off
    rng = np.random.default_rng([seed, 1])
    is_off = rng.permuted(np.broadcast_to(is_off, draws.gaps.shape), axis=1)
    truth = np.where(is_off, beyond, MARGIN)
    p = p_outside(draws.gaps + truth, -MARGIN, MARGIN, draws.moderated)
    found = false_discovery_control(p, axis=1) < ALPHA
    rest = found[~is_off].mean() if off < setting.cells else np.nan
    return np.array([(p[is_off] < ALPHA).mean(), found[is_off].mean(), rest])


def printed_spreads(folder: Path) -> dict[str, tuple[float, ...]]:
    """Table -> the numbers after ± of its cells, for tables with at least `FEWEST_PRINTED`."""
    tables = {}
    for path in sorted(folder.glob("tables/*.toml")):
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("rows", [])
        texts = [text for row in rows for text in row.get("cells", {}).values()]
        errors = [read_printed(text).spread for text in texts if "±" in text]
        if len(errors) >= FEWEST_PRINTED:
            tables[path.stem] = tuple(float(error) for error in errors if error)
    return tables


def same(name: str, cells: int, paper: float, ours: float, **options: tuple[int, int]) -> Setting:
    """An exhibit whose cells are all alike."""
    return Setting(name, ((paper,) * cells, (ours,) * cells), **options)


def grid(
    printed: dict[str, tuple[float, ...]], runs: Sequence[tuple[int, int]] = RUNS
) -> list[Setting]:
    """All settings: printed spreads on both sides, cells alike, cells of opposite ratios, and one
    cell that scatters more than all others."""
    settings = []
    for n in runs:
        settings += [Setting(name, (stds, stds), n) for name, stds in printed.items()]
        settings += [same(f"{c} × {p}, {o}", c, p, o, runs=n) for c in CELLS for p, o in STDS]
        mixed = (0.1, 0.4) * 6
        settings.append(Setting("12 × 0.1, 0.4 or 0.4, 0.1", (mixed, (*mixed[1:], 0.1)), n))
    for n in runs:
        for std, alone in ((0.3, 0.6), (0.2, 0.5)):
            stds = (*(std,) * 19, alone)
            settings.append(Setting(f"19 × {std}, 1 × {alone}", (stds, stds), n))
    return settings


def error_table(settings: Iterable[Setting], repetitions: int = 15_000) -> str:
    """One row for each setting, and the mean and the worst over all of them."""
    lines = [
        "| spreads (paper, ours) | runs | false reproduced | worst cell | false deviates "
        "| worst cell | reproduced at 0 | Welch | deviates at 1.5 | Welch |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    kept: list[tuple[Setting, Rates]] = []
    for seed, setting in enumerate(settings):
        draws = draw(setting, repetitions, seed)
        ours, own = rates(draws.gaps, draws.moderated), rates(draws.gaps, draws.welch)
        kept.append((setting, ours))
        numbers = [
            value
            for each in (ours.false_reproduced, ours.false_deviates)
            for value in (each.mean(), each.max())
        ] + [ours.reproduced, own.reproduced, ours.deviates, own.deviates]
        runs = " + ".join(map(str, setting.runs))
        lines.append(f"| {setting.name} | {runs} | " + " | ".join(map(_percent, numbers)) + " |")
    error = np.sqrt(ALPHA * (1 - ALPHA) / repetitions)
    accuracy = f"Simulation error of a cell: {_percent(error)} (one standard error)."
    return "\n".join([*lines, "", *summary(kept), accuracy])


def summary(kept: Sequence[tuple[Setting, Rates]]) -> list[str]:
    """The mean over the grid, and the worst row and cell with two runs on a side and with more."""
    pairs = [(s, r) for s, both in kept for r in (both.false_reproduced, both.false_deviates)]
    lines = [f"Mean over the grid: {_percent(np.mean([r.mean() for _, r in pairs]))} wrong."]
    for few, words in ((True, "Two runs on a side"), (False, "Three runs or more")):
        chosen = [r for s, r in pairs if (min(s.runs) == 2) == few]
        row, cell = max(r.mean() for r in chosen), max(r.max() for r in chosen)
        lines.append(f"{words}: worst row {_percent(row)}, worst single cell {_percent(cell)}.")
    return lines


def control_table(settings: Iterable[Setting], repetitions: int = 4_000) -> str:
    """What control of the false-discovery rate costs, and what it leaves."""
    lines = [
        "| spreads (3 + 3 runs) | cells off | by | found alone | found | of the rest, at margin |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for seed, setting in enumerate(settings):
        for off in (1, setting.cells // 2, setting.cells):
            for beyond in (1.5 * MARGIN, 2 * MARGIN):
                numbers = controlled(setting, off, beyond, repetitions, seed)
                cells = " | ".join(map(_percent, numbers))
                lines.append(
                    f"| {setting.name} | {off} of {setting.cells} | {beyond:g} | {cells} |"
                )
    return "\n".join(lines)


def nested(
    std: float, between: float, repetitions: int, runs: int = 3, cells: int = 12
) -> tuple[Floats, Errors]:
    """Differences when the truth is 0, and their errors, where the paper has one pipeline and each
    of our runs its own, of which the first has as many students."""
    rng = np.random.default_rng(0)
    shape = repetitions, cells, runs
    ours, paper = rng.normal(0.0, between, shape), rng.normal(0.0, between, shape[:2])
    values, printed = ours + rng.normal(0.0, std, shape), rng.normal(0.0, std, shape)
    printed += paper[..., None]
    students = ours[..., :1] + rng.normal(0.0, std, shape)
    students[..., 0] = values[..., 0]
    squares, counts = np.empty(shape[:2]), np.empty(shape[:2])
    for at in np.ndindex(shape[:2]):
        side = Summary.of(printed[at].tolist())
        found = components(values[at].tolist(), students[at].tolist(), side)
        taken = of_one_pipeline(side, found)
        squares[at], counts[at] = taken.variance, taken.n
    own = welch((values.var(-1, ddof=1), squares), (np.full(shape[:2], float(runs)), counts))
    return values.mean(-1) - printed.mean(-1), moderate(own, 1 / runs + 1 / counts)


def pipeline_table(repetitions: int = 20_000, std: float = 0.3) -> str:
    """What it does to the errors when runs share a pipeline and pipelines differ."""
    both = float(np.hypot(std, PIPELINES))
    cases = [
        ("pipelines do not differ", same("", 12, std, std)),
        ("one pipeline a side", Setting("", ((std,) * 12,) * 2, between=(PIPELINES, PIPELINES))),
        (
            "ours: a pipeline a run",
            Setting("", ((std,) * 12, (both,) * 12), between=(PIPELINES, 0)),
        ),
        ("both: a pipeline a run", same("", 12, both, both)),
    ]
    lines = [
        "| 12 cells, 3 + 3 runs | false reproduced | false deviates | reproduced at 0 |",
        "|---|---:|---:|---:|",
    ]
    drawn = [(name, draw(setting, repetitions, i)) for i, (name, setting) in enumerate(cases)]
    found = [(name, rates(draws.gaps, draws.moderated)) for name, draws in drawn]
    entering = {"ours: a pipeline a run": PIPELINES, "pipelines do not differ": 0.0}
    for name, between in entering.items():
        r = rates(*nested(std, between, repetitions // 10))
        found.append((f"{name}; their variance enters", r))
    for name, r in found:
        numbers = r.false_reproduced.mean(), r.false_deviates.mean(), r.reproduced
        lines.append(f"| {name} | " + " | ".join(map(_percent, numbers)) + " |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def main() -> None:
    printed = printed_spreads(Path(sys.argv[1] if len(sys.argv) > 1 else "specs"))
    print(error_table(grid(printed)), end="\n\n")
    alike = [same(f"{cells} × 0.3", cells, 0.3, 0.3) for cells in (8, 12)]
    named = [Setting(name, (stds, stds)) for name, stds in printed.items()]
    print(control_table([*alike, *named]), end="\n\n")
    print(pipeline_table(), end="\n\n")
    print(looks.table(printed))


if __name__ == "__main__":
    main()
