"""Effects of choices on numbers: each reading against the default, for all that were tried.

Hypothesis for each reading: it changes nothing. Readings share the default's seeds, so the values
of a number form a table of readings by seeds, and the scatter of a run is what is left of it after
the means of readings and of seeds (two-way layout, Fisher 1935); all readings of a number together
tell it. With one reading or two that is little, so the scatters of all numbers of the exhibit are
moved towards each other, as those of its verdicts are (`moderated.moderate`; Smyth 2004). The
intervals hold together, with 95 %, for all readings tried (Bonferroni; Dunn 1961).

A reading may scatter more than the others, and few seeds do not tell whether it does. So each
interval also holds that of the reading's own paired t test, at 97.5 %: one that scatters as much as
it likes is shown falsely in 2.5 % at most. The error rates are those of `benchmarks.rule.flips`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from harness.judge.decision import ALPHA
from harness.judge.model import Amount, Interval
from harness.judge.moderated import FEWEST_CELLS, Difference, Errors, moderate
from harness.judge.sample import pairs_of

A = TypeVar("A")
K = TypeVar("K")
STANDS_OUT = 0.99
"""Quantile of F beyond which a reading's variance does not count to that of the others."""
OWN = ALPHA / 2
"""Level of a reading's own test. Together with the joint one it stays below 5 %, see
`benchmarks.rule.flips`."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a reading changes, in the unit of the number."""

    estimate: float
    interval: Interval | None
    """At 95 % for all readings together; None where seeds are too few for one."""

    @property
    def shown(self) -> bool:
        """Whether it is surely not zero."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True, slots=True)
class Explored(Generic[K]):
    """A number by default and under other readings."""

    default: Amount
    readings: Mapping[K, Amount]
    margin: float | None = None
    """In units of which scatters of numbers are compared; without one, only its own counts."""


class _Scatter(NamedTuple):
    """Of the mean difference of a reading that scatters as the others of its number do."""

    squared: float
    df: float


class _Table(Generic[K]):
    """The values of one number, readings by seeds, without those that are the same for every seed
    on both sides.
    """

    def __init__(self, number: Explored[K]) -> None:
        default, self.margin = number.default, number.margin
        noisy = {
            name: each
            for name, each in number.readings.items()
            if not (each.deterministic and default.deterministic)
        }
        rows = [default, *noisy.values()]
        seeds = pairs_of([row.by_seed for row in rows if not row.deterministic] or [{}])
        values = np.array(
            [[r.mean if r.deterministic else r.by_seed[s] for s in seeds] for r in rows]
        )
        self.runs = len(seeds)
        self.gaps = dict(zip(noisy, values[1:] - values[0], strict=True)) if seeds else {}
        """Reading -> its runs minus those of the default, seed by seed."""
        self.scatter = self._scatter(values) if self.gaps else _Scatter(0.0, 0)

    def _scatter(self, values: NDArray[np.float64]) -> _Scatter:
        """By all readings that do not stand out."""
        own, degrees = self.own, self.runs - 1
        lone = own > _common(values) * fdtri(degrees, len(own) * degrees, STANDS_OUT)
        alike = values[[True, *~lone]]
        return _Scatter(_common(alike) / self.runs, (len(alike) - 1) * degrees)

    @property
    def own(self) -> NDArray[np.float64]:
        """The variance of a difference of two runs of a seed, by each reading for itself."""
        return np.array([gap.var(ddof=1) for gap in self.gaps.values()])


def effects(numbers: Mapping[A, Explored[K]], tried: int) -> dict[A, dict[K, Effect]]:
    """The effect of each reading on each number of an exhibit, its value minus the default's.

    Args:
        tried: how many effects are looked at, on these numbers and on others.
    """
    tables = {name: _Table(number) for name, number in numbers.items()}
    scatters = _moderated(tables)
    found: dict[A, dict[K, Effect]] = {}
    for name, number in numbers.items():
        table, found[name] = tables[name], {}
        squares = dict(zip(table.gaps, table.own, strict=True))
        for reading, amount in number.readings.items():
            estimate = amount.mean - number.default.mean
            if reading in table.gaps:
                gaps, square = table.gaps[reading], squares[reading]
                found[name][reading] = _effect(gaps, square / table.runs, scatters[name], tried)
            elif amount.deterministic and number.default.deterministic:
                found[name][reading] = Effect(estimate, (estimate, estimate))
            else:
                found[name][reading] = Effect(estimate, None)
    return found


def _moderated(tables: Mapping[A, _Table[K]]) -> dict[A, _Scatter]:
    """The scatter of each number, moved towards those of all that have a margin."""
    own = {
        name: (table.scatter, table.margin**2 / table.runs)
        for name, table in tables.items()
        if table.margin and table.scatter.df and table.scatter.squared
    }
    # A profile may read several numbers from the same runs, which tell their scatter once.
    distinct = list(dict.fromkeys(own.values()))
    found = {name: table.scatter for name, table in tables.items()}
    if len(distinct) < FEWEST_CELLS:
        return found
    errors = Errors(*np.array([scatter for scatter, _ in distinct]).T)
    moved = moderate(errors, np.array([scale for _, scale in distinct]))
    by_runs = dict(zip(distinct, map(_Scatter, *moved), strict=True))
    return found | {name: by_runs[runs] for name, runs in own.items()}


def _effect(gaps: NDArray[np.float64], own: float, joint: _Scatter, tried: int) -> Effect:
    """By the scatter of the others and by its own squared error, of which the wider counts."""
    mean, runs = float(gaps.mean()), len(gaps)
    error = math.sqrt(own or joint.squared)
    if error == 0:  # all pairs differ by the same, which does not show that others would
        return Effect(mean, None)
    alone = Difference(mean, error, runs - 1).interval(1 - OWN)
    squared, df = joint if joint.df else (error**2, runs - 1)
    shared = Difference(mean, math.sqrt(squared), df).interval(1 - ALPHA / tried)
    return Effect(mean, (min(alone[0], shared[0]), max(alone[1], shared[1])))


def _common(values: NDArray[np.float64]) -> float:
    """The variance of a difference of two runs of one seed, from a table of readings by seeds."""
    left = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    df = (len(values) - 1) * (values.shape[1] - 1)
    return 2 * float((left**2).sum()) / df if df else 0.0
