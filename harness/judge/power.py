"""How many runs of ours would decide a cell that is still open, by the rule of `decision`."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtr, stdtr, stdtrit

from harness.judge.decision import ALPHA
from harness.judge.sample import Summary

Floats: TypeAlias = NDArray[np.float64]

POWER = 0.8
MOST_RUNS = 1000
_FAR = 30.0
"""Standard errors beyond which a non-central t is certain; larger values overflow its series."""


def runs_needed(reported: Summary, ours: Summary, margin: float) -> int | None:
    """Smallest n of ours, above the present one, that decides with 80 % power.

    It takes the present means and spreads for the true ones, and asks for `reproduced` where the
    difference is inside the margin, for `deviates` where it is outside. None: no n up to
    `MOST_RUNS` does, because the reported side keeps its own uncertainty however often we run, or
    because no spread is known. Power is not monotone in n: as our side grows exact, the degrees
    of freedom fall to the reported side's own, so every n is tried. False-discovery control over
    many cells can ask for somewhat more.
    """
    n = np.arange(max(2, ours.n + 1), MOST_RUNS + 1, dtype=np.float64)
    enough = np.flatnonzero(power_at(reported, ours, margin, n) >= POWER)
    return int(n[enough[0]]) if enough.size else None


def more_runs_help(reported: Summary, ours: Summary, margin: float) -> bool:
    """Whether the cell could be decided if our side were known exactly."""
    return bool(power_at(reported, ours, margin, np.array([1e9]))[0] >= POWER)


def power_at(reported: Summary, ours: Summary, margin: float, n: Floats) -> Floats:
    """Chance that `n` runs of ours decide the cell, if the present estimates are the truth."""
    error, df = _error_at(reported, ours, n)
    gap = abs(ours.mean - reported.mean)
    power = _power_inside if gap < margin else _power_outside
    return power(gap, margin, error, df)


def _error_at(reported: Summary, ours: Summary, n: Floats) -> tuple[Floats, Floats]:
    """Standard error and degrees of freedom of the difference with `n` runs of ours."""
    spread = ours.std if ours.std is not None else reported.std
    if spread is None:
        return np.full_like(n, np.inf), n - 1
    mine = spread**2 / n
    if reported.std is None or reported.n == 1:
        return np.sqrt(spread**2 / reported.n + mine), n - 1
    theirs = reported.std**2 / reported.n
    total = np.maximum(theirs + mine, np.finfo(np.float64).tiny)
    inverse = (theirs / total) ** 2 / (reported.n - 1) + (mine / total) ** 2 / (n - 1)
    return np.sqrt(total), 1 / np.maximum(inverse, np.finfo(np.float64).tiny)


def _power_inside(gap: float, margin: float, error: Floats, df: Floats) -> Floats:
    """Power of the two one-sided tests at a true difference `gap` (Phillips, 1990)."""
    critical = stdtrit(df, 1 - ALPHA)
    inside = _below(-critical, df, (gap - margin) / error)
    return np.maximum(inside - _below(critical, df, (gap + margin) / error), 0.0)


def _power_outside(gap: float, margin: float, error: Floats, df: Floats) -> Floats:
    """Chance that the estimate is significantly unequal and beyond the margin.

    Both events are about one estimate, so the rarer one decides.
    """
    critical = stdtrit(df, 1 - ALPHA / 2)
    unequal = 1 - _below(critical, df, gap / error)
    beyond = stdtr(df, (gap - margin) / error)
    return np.asarray(np.minimum(unequal, beyond))


def _below(bound: Floats, df: Floats, centre: Floats) -> Floats:
    """P(T < bound) for a non-central t."""
    return np.asarray(nctdtr(df, np.clip(centre, -_FAR, _FAR), bound))
