"""How often a choice without effect is said to turn a verdict.

Printed by `python -m benchmarks.rule.flips`.

One number, three runs a side, a margin of 1 point; readings that change nothing, one of which may
scatter more, or the default; and, for the power, readings one of which moves the number. Then
exhibits of several numbers with few readings each, whose scatters are moderated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.judge.decision import ALPHA
from harness.judge.effects import Explored, effects
from harness.judge.model import Amount
from harness.judge.moderated import p_inside, p_outside, welch

Runs = NDArray[np.float64]
TRIALS = 4000
EXHIBITS = 1500
"""Exhibits of several numbers that are drawn, of which each takes as long as several trials."""
SPREAD, SHARED, RUNS = 0.3, 0.5, 3
"""Standard deviation over runs, the share of its variance that runs of a seed share, and runs."""


def verdicts(theirs: Runs, ours: Runs) -> NDArray[np.int64]:
    """1 reproduced, -1 deviates, 0 inconclusive; by the rule for an exhibit of one number.

    Args:
        theirs: (trials, runs); ours: (trials, readings, runs).
    """
    squares = ours.var(-1, ddof=1), np.broadcast_to(theirs.var(-1, ddof=1)[:, None], ours.shape[:2])
    gap = ours.mean(-1) - theirs.mean(-1)[:, None]
    runs = np.full(ours.shape[:2], float(RUNS))
    errors = welch(squares, (runs, runs))
    inside, outside = p_inside(gap, -1.0, 1.0, errors), p_outside(gap, -1.0, 1.0, errors)
    return np.where(inside < ALPHA, 1, np.where(outside < ALPHA, -1, 0))


def drawn(
    rng: np.random.Generator, readings: int, spread: float, moved: float, noisy: int = 1
) -> Runs:
    """Runs (trials, 1 + readings, runs) of the default and of readings, of which the first is
    moved. Number `noisy` of them, 0 for the default, has `spread` times the others' spread.
    """
    lone = rng.normal(size=(TRIALS, 1 + readings, RUNS))
    common = rng.normal(size=(TRIALS, 1, RUNS))
    values = SPREAD * (np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * lone)
    values[:, noisy] *= spread
    values[:, 1] += moved
    return np.asarray(values)


def rates(
    readings: int, truth: float, spread: float = 1.0, moved: float = 0.0, noisy: int = 1
) -> list[float]:
    """Share of trials with an effect shown; then, of those whose default is decided, that a
    reading turns: by its verdict alone, with its effect shown too, and on fresh seeds too with its
    effect shown on either. Where one reading is moved, all are of that one.
    """
    rng = np.random.default_rng(0)
    theirs = SPREAD * rng.normal(size=(TRIALS, RUNS))
    search, fresh = (truth + drawn(rng, readings, spread, moved, noisy) for _ in range(2))
    first, again = verdicts(theirs, search), verdicts(theirs, fresh)
    asked = slice(1, 2) if moved else slice(1, None)
    turned = first[:, asked] * first[:, :1] < 0
    kept = turned & (again[:, asked] == first[:, asked]) & (again[:, asked] * again[:, :1] < 0)
    shown = np.array([_shown(trial, len(trial) - 1) for trial in search])[:, : turned.shape[1]]
    later = np.zeros_like(shown)
    for trial in np.flatnonzero(kept.any(1)):
        later[trial] = _shown(fresh[trial], int(turned[trial].sum()))[: turned.shape[1]]
    decided = max(int((first[:, 0] != 0).sum()), 1)
    sets = turned, turned & shown, kept & (shown | later)
    return [float(shown.any(1).mean()), *(int(each.any(1).sum()) / decided for each in sets)]


def _shown(runs: Runs, tried: int) -> list[bool]:
    found = effects({0: _explored(runs)}, tried)[0]
    return [each.shown for each in found.values()]


def _explored(runs: Runs, margin: float | None = None) -> Explored[int]:
    default, *others = (Amount(tuple(row), seeds=tuple(range(RUNS))) for row in runs.tolist())
    return Explored(default, dict(enumerate(others)), margin)


class Spreads(NamedTuple):
    """Of an exhibit's numbers: what their runs scatter, in spreads of the others."""

    df: float = np.inf
    """Variances of numbers are drawn as those of so many degrees of freedom, inverse chi-squared:
    the fewer, the less alike."""
    other: int = 0
    """How many numbers, the first, scatter `by` times as much; what moves, moves the first."""
    by: float = 1.0
    reading: float = 1.0
    """Of the first reading of the first number."""
    default: float = 1.0
    """Of the default of the first number."""

    def drawn(self, rng: np.random.Generator, numbers: int, readings: int) -> Runs:
        """Runs (numbers, 1 + readings, runs), the default first."""
        lone = rng.normal(size=(numbers, 1 + readings, RUNS))
        common = rng.normal(size=(numbers, 1, RUNS))
        values = SPREAD * (np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * lone)
        if np.isfinite(self.df):
            values *= np.sqrt(self.df / rng.chisquare(self.df, size=(numbers, 1, 1)))
        values[: self.other] *= self.by
        values[0, :2] *= np.array([[self.default], [self.reading]])
        return np.asarray(values)


def over_exhibits(
    numbers: int, readings: int, spreads: Spreads, moved: float = 0.0, margin: float | None = 1.0
) -> float:
    """Share of exhibits with an effect shown on any number; of the moved one, where one is.

    Args:
        moved: by which the first reading moves the first number.
        margin: None where each number's scatter counts for it alone.
    """
    rng, found = np.random.default_rng(0), 0
    for _ in range(EXHIBITS):
        runs = spreads.drawn(rng, numbers, readings)
        runs[0, 1] += moved
        tables = {number: _explored(each, margin) for number, each in enumerate(runs)}
        shown = effects(tables, numbers * readings)
        asked = [shown[0][0]] if moved else [e for each in shown.values() for e in each.values()]
        found += any(effect.shown for effect in asked)
    return found / EXHIBITS


def main() -> None:
    """Print the tables of the documentation."""
    _of_one_number()
    print()
    _of_exhibits()


def _of_one_number() -> None:
    print(
        "| readings | truth | spread | moved | effect shown | other verdict "
        "| with its effect shown | confirmed |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for readings, truth, spread, moved, noisy in (
        *((readings, truth, 1.0, 0.0, 1) for readings in (5, 20) for truth in (0.0, 0.7, 1.0, 1.5)),
        *((20, 1.0, spread, 0.0, noisy) for noisy in (1, 0) for spread in (2.0, 5.0)),
        *((readings, 0.0, 1.0, moved, 1) for readings in (5, 20) for moved in (2.0, 3.0)),
    ):
        found = rates(readings, truth, spread, moved, noisy)
        told = " | ".join(f"{100 * rate:.1f} %" for rate in found)
        whose = f"{spread:g}" if noisy else f"{spread:g}, of the default"
        print(f"| {readings} | {truth:g} | {whose} | {moved:g} | {told} |")


OF_EXHIBITS = {
    "alike": Spreads(),
    "of 4 df": Spreads(df=4),
    "one number, 5": Spreads(other=1, by=5),
    "three numbers, 5": Spreads(other=3, by=5),
    "three numbers, 10": Spreads(other=3, by=10),
    "one reading, 5": Spreads(reading=5),
    "one default, 5": Spreads(default=5),
}


def _of_exhibits() -> None:
    moving = {"alike": 1.0, "of 4 df": 1.0, "the moved one, 0.2": 0.2, "the moved one, 2": 2.0}
    known = OF_EXHIBITS | {
        "the moved one, 0.2": Spreads(other=1, by=0.2),
        "the moved one, 2": Spreads(other=1, by=2),
    }
    plans = [
        *((6, 1, told, 0.0) for told in OF_EXHIBITS),
        *((6, 3, told, 0.0) for told in ("alike", "one reading, 5", "one default, 5")),
        *((12, 1, told, 0.0) for told in ("alike", "three numbers, 10")),
        (6, 20, "one default, 5", 0.0),
        *((numbers, 1, "alike", 1.0) for numbers in (3, 12)),
        *((6, 1, told, moved) for told, moved in moving.items()),
        (6, 3, "alike", 1.0),
    ]
    print("| numbers | readings of each | spreads | moved | effect shown | each number alone |")
    print("|---:|---:|---|---:|---:|---:|")
    for numbers, readings, told, moved in plans:
        shown, alone = (
            f"{100 * over_exhibits(numbers, readings, known[told], moved, margin):.1f} %"
            for margin in (1.0, None)
        )
        print(f"| {numbers} | {readings} | {told} | {moved:g} | {shown} | {alone} |", flush=True)


if __name__ == "__main__":
    main()
