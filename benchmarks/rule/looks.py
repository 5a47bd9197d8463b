"""What looking after some runs saves, and what it does to the errors.

Exhibits with known truths are run in the order of what decides most: every cell to its first look,
then always the cell that is expected to decide most an hour to its next, until every cell is
decided or given up. Outcomes are those of the last judgement of all, with false-discovery control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from harness.judge.decision import ALPHA
from harness.judge.moderated import Errors, Floats, moderate, p_inside, p_outside, welch
from harness.judge.sequential import (
    FUTILE,
    SCATTERS,
    chance,
    level,
    looks_up_to,
    p_over_looks,
    scatter_of,
)

MARGIN = 1.0
MIX = np.array([0.0] * 14 + [MARGIN] * 3 + [2 * MARGIN] * 3)
"""True differences: 70 % faithful cells, 15 % at the margin, 15 % two points off."""
REPORTED_RUNS = 3.0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Shares over all repetitions and cells, and what was run."""

    reproduced: Mapping[float, float]
    """True difference -> share."""
    deviates: Mapping[float, float]
    runs: float
    """Of ours, mean over cells."""
    hours: float
    """The same, where a run of each cell costs something else; 1 in the mean."""

    def decided(self, truths: Floats) -> float:
        """Share of the cells that are decided, of a mix of truths."""
        return float(np.mean([self.reproduced[t] + self.deviates[t] for t in truths.tolist()]))


@dataclass
class _Exhibits:
    """Repetitions of an exhibit (repetitions, cells), with the runs that were made so far."""

    runs: Floats
    """All that could be made, (repetitions, cells, most)."""
    stated: Floats
    theirs: Floats
    """Sample variances of the stated numbers."""
    looks: tuple[int, ...]
    """None but the one number: a fixed number of runs, tested once."""
    used: np.ndarray

    def judge(self, chosen: np.ndarray) -> tuple[np.ndarray, Floats]:
        """Outcome (0 open, 1 reproduced, 2 deviates), and the most decisions per run to come.

        Args:
            chosen: the repetitions to look at.
        """
        used = self.used[chosen]
        errors, gaps, share, scatter = self._errors(chosen)
        inside = self._over(p_inside(gaps, -MARGIN, MARGIN, errors), used, scatter)
        outside = self._over(p_outside(gaps, -MARGIN, MARGIN, errors), used, scatter)
        beyond = false_discovery_control(outside, axis=-1) < ALPHA
        outcome = np.where(inside < ALPHA, 1, np.where(beyond, 2, 0))
        return outcome, self._promise(gaps, errors, share, used, scatter)

    def _errors(self, chosen: np.ndarray) -> tuple[Errors, Floats, Floats, Floats]:
        """Errors, differences, the share of our runs in the squared errors, and how many times as
        much they scatter over the exhibit."""
        runs, used = self.runs[chosen], self.used[chosen]
        made = np.arange(runs.shape[-1]) < used[..., None]
        means = np.sum(runs * made, axis=-1) / used
        squares = np.sum(np.square(runs - means[..., None]) * made, axis=-1) / (used - 1)
        each = np.full(used.shape, REPORTED_RUNS)
        own = welch((squares, self.theirs[chosen]), (used.astype(np.float64), each))
        gaps = means - self.stated[chosen]
        errors = moderate(own, 1 / used + 1 / each)
        ours = np.sum(squares * (used - 1), axis=-1) / np.sum(used - 1, axis=-1)
        scatter = scatter_of(ours, self.theirs[chosen].mean(axis=-1))
        return errors, gaps, squares / used / own.squared, scatter[:, None]

    def _over(self, p: Floats, used: np.ndarray, scatter: Floats) -> Floats:
        if len(self.looks) == 1:
            return p
        found = p.copy()
        for i, n in enumerate(self.looks):
            for times in SCATTERS:
                at = (used == n) & (scatter == times)
                found[at] = p_over_looks(p[at], REPORTED_RUNS, self.looks[: i + 1], times)
        return found

    def _promise(
        self, gaps: Floats, errors: Errors, share: Floats, used: np.ndarray, scatter: Floats
    ) -> Floats:
        """Chance of a decision for each run, at the look where it is largest; 0: given up."""
        parts = share * errors.squared, (1 - share) * errors.squared
        best = np.zeros(used.shape)
        for i, n in enumerate(self.looks):
            levels = [level(ALPHA, REPORTED_RUNS, self.looks[: i + 1], s) for s in SCATTERS]
            at = np.select([scatter == times for times in SCATTERS], levels)
            found = chance(gaps, *parts, np.maximum(n / used, 1), at, -MARGIN, MARGIN)
            ahead = (used < n) & (found >= FUTILE)
            best = np.maximum(best, np.where(ahead, found / np.maximum(n - used, 1), 0.0))
        return best


def simulated(
    stds: Sequence[float],
    truths: Floats,
    looks: tuple[int, ...],
    repetitions: int,
    seed: int = 0,
    reported_stds: Sequence[float] | None = None,
) -> Outcomes:
    """Exhibits that are run until every cell is decided or given up.

    Args:
        stds: of a run, one for each of three cells or more; the stated numbers are of three runs.
        truths: the mix of differences, dealt to cells at random.
        looks: runs of ours at each look; a single one is the test with a fixed number of runs.
        reported_stds: of a run of theirs; None: as ours.
    """
    rng = np.random.default_rng(seed)
    shape, std = (repetitions, len(stds)), np.array(stds)
    truth = rng.choice(truths, shape)
    their_std = std if reported_stds is None else np.array(reported_stds)
    stated = rng.normal(0, their_std / np.sqrt(REPORTED_RUNS), shape)
    theirs = their_std**2 * rng.chisquare(REPORTED_RUNS - 1, shape) / (REPORTED_RUNS - 1)
    runs = truth[..., None] + std[:, None] * rng.normal(size=(*shape, looks[-1]))
    cost = np.exp(rng.normal(-0.5, 1.0, shape))
    exhibits = _Exhibits(runs, stated, theirs, looks, np.full(shape, looks[0]))
    outcome = np.zeros(shape, np.int8)
    going = np.arange(repetitions)
    ahead = np.append(looks, looks[-1])
    while going.size:
        outcome[going], promise = exhibits.judge(going)
        promise = np.where(outcome[going] == 0, promise / cost[going], 0.0)
        cell = promise.argmax(axis=1)
        left = promise[np.arange(going.size), cell] > 0
        going, cell = going[left], cell[left]
        exhibits.used[going, cell] = ahead[
            np.searchsorted(looks, exhibits.used[going, cell], side="right")
        ]
    share = {
        code: {t: float(np.mean(outcome[truth == t] == code)) for t in np.unique(truths).tolist()}
        for code in (1, 2)
    }
    used = exhibits.used
    return Outcomes(share[1], share[2], float(used.mean()), float((used * cost).mean()))


def table(printed: Mapping[str, Sequence[float]], repetitions: int = 1500, most: int = 12) -> str:
    """Looks in the order of `--until-decided`, beside five runs of every cell.

    At the end, with the last spreads, runs of ours that scatter more or less than theirs.
    """
    lines = [
        "| spreads | looks after | runs a cell | hours | decided | false reproduced "
        "| false deviates |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    cases = [(name, np.array(stds), np.array(stds)) for name, stds in printed.items()]
    name, stds, _ = cases[-1]
    cases += [(f"{name}, ours x {by:.2g}", stds * by, stds / by) for by in (2**0.5, 2, 0.5)]
    for seed, (name, stds, theirs) in enumerate(cases):
        for looks in ((5,), looks_up_to(most)):
            o = simulated(stds.tolist(), MIX, looks, repetitions, seed, theirs.tolist())
            shares = o.decided(MIX), o.reproduced[MARGIN], o.deviates[MARGIN]
            numbers = " | ".join(f"{100 * share:.1f} %" for share in shares)
            lines.append(
                f"| {name} | {', '.join(map(str, looks))} | {o.runs:.2f} | {o.hours:.2f} "
                f"| {numbers} |"
            )
    return "\n".join(lines)
