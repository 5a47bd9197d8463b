"""Effects of choices on numbers: each reading against the default, for all that were tried.

Hypothesis for each reading: it changes nothing. Readings share the default's seeds, so the values
of a number form a table of readings by seeds, and the scatter of a run is what is left of it after
the means of readings and of seeds (two-way layout, Fisher 1935); all readings of a number together
tell it. With one reading or two that is little. So a number that scatters no more than the others
of the exhibit takes over theirs, as verdicts do (`moderated.moderate`; Smyth 2004); one that
scatters more keeps its own. Intervals by this scatter hold together, with 95 %, for all readings
tried (Bonferroni; Dunn 1961).

A reading may scatter more than the others, and few seeds do not tell whether it does. So each
interval also holds that of the reading's own paired t test, at 97.5 %: one that scatters as much as
it likes is shown falsely in 2.5 % at most. The error rates are those of `benchmarks.rule.flips`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from harness.judge.decision import ALPHA
from harness.judge.model import Amount, Interval
from harness.judge.moderated import FEWEST_CELLS, Difference, Errors, fit_prior, moderate
from harness.judge.sample import Summary, pairs_of

A = TypeVar("A")
K = TypeVar("K")
STANDS_OUT = 0.99
"""Quantile of F beyond which a reading's variance does not count to that of the others."""
DEFAULT_STANDS_OUT = 0.95
"""The same of the default's, which is in every difference: each then has its own scatter alone."""
OWN = ALPHA / 2
"""Level of a reading's own test."""


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
    runs: str = ""
    """Names its runs, where several numbers may be of the same, which tell their scatter once."""


class _Scatter(NamedTuple):
    """Of the mean difference of a reading that scatters as the others of its number do."""

    squared: float
    df: float


class _Table(Generic[K]):
    """The values of one number, readings by seeds.

    Readings that are the same for every seed, as the default is, are left out, and those that do
    not share its seeds.
    """

    def __init__(self, number: Explored[K]) -> None:
        default = number.default
        noisy = {
            name: each
            for name, each in number.readings.items()
            if not (each.deterministic and default.deterministic) and _seeds(default, each)
        }
        rows = [default, *noisy.values()]
        seeds = _seeds(*rows) if noisy else []
        values = np.array(
            [[r.mean if r.deterministic else r.by_seed[s] for s in seeds] for r in rows]
        )
        self.runs = len(seeds)
        self.gaps = dict(zip(noisy, values[1:] - values[0], strict=True)) if seeds else {}
        """Reading -> its runs minus those of the default, seed by seed."""
        size = float(abs(values).max()) if seeds else 0.0
        stds = (Summary.of(gap.tolist(), size).std for gap in self.gaps.values())
        self.own = np.array([0.0 if std is None else std**2 for std in stds])
        """The variance of each difference; 0 where rounding alone makes one."""
        self.scatter = self._scatter(values) if self.own.any() else _Scatter(0.0, 0)

    def _scatter(self, values: NDArray[np.float64]) -> _Scatter:
        """By all that do not stand out; none where the default does."""
        degrees = self.runs - 1
        lone = self.own > _common(values) * fdtri(degrees, len(self.own) * degrees, STANDS_OUT)
        default, alike = values[0], values[1:][~lone]
        if len(alike) > 1:
            square = (default - alike.mean(0)).var(ddof=1) / (1 + 1 / len(alike))
            more = fdtri(degrees, (len(alike) - 1) * degrees, DEFAULT_STANDS_OUT)
            if 2 * square > _common(alike) * more:
                return _Scatter(0.0, 0)
        return _Scatter(_common(values[[True, *~lone]]) / self.runs, len(alike) * degrees)


def effects(numbers: Mapping[A, Explored[K]], tried: int) -> dict[A, dict[K, Effect]]:
    """The effect of each reading on each number of an exhibit, its value minus the default's.

    Args:
        tried: how many effects are looked at, on these numbers and on others.
    """
    found: dict[A, dict[K, Effect]] = {name: {} for name in numbers}
    for each in (_whole(numbers), *_short(numbers)):
        for name, own in _effects(each, tried).items():
            found[name] |= own
    return {
        name: {reading: found[name][reading] for reading in number.readings}
        for name, number in numbers.items()
    }


def _whole(numbers: Mapping[A, Explored[K]]) -> dict[A, Explored[K]]:
    """The numbers with the readings that have all seeds of the default."""
    return {
        name: replace(
            number, readings={k: r for k, r in number.readings.items() if _full(number, r)}
        )
        for name, number in numbers.items()
    }


def _short(numbers: Mapping[A, Explored[K]]) -> Iterator[dict[A, Explored[K]]]:
    """Each other reading by itself, so that it takes no seeds from the rest."""
    for name, number in numbers.items():
        for reading, amount in number.readings.items():
            if not _full(number, amount):
                yield {name: replace(number, readings={reading: amount})}


def _full(number: Explored[K], reading: Amount) -> bool:
    return reading.deterministic or {*number.default.seeds} <= {*reading.seeds}


def _effects(numbers: Mapping[A, Explored[K]], tried: int) -> dict[A, dict[K, Effect]]:
    tables = {name: _Table(number) for name, number in numbers.items()}
    scatters = _moderated(numbers, tables)
    found: dict[A, dict[K, Effect]] = {}
    for name, number in numbers.items():
        table = tables[name]
        squares = dict(zip(table.gaps, table.own / max(table.runs, 1), strict=True))
        found[name] = {
            reading: _effect(table.gaps[reading], squares[reading], scatters[name], tried)
            if reading in table.gaps
            else _without_scatter(number.default, amount)
            for reading, amount in number.readings.items()
        }
    return found


def _moderated(
    numbers: Mapping[A, Explored[K]], tables: Mapping[A, _Table[K]]
) -> dict[A, _Scatter]:
    """The scatter of each number, and where it is less than that of the others, theirs."""
    found = {name: table.scatter for name, table in tables.items()}
    margins = {n: m for n, each in numbers.items() if found[n].squared and (m := each.margin)}
    runs = [numbers[name].runs or name for name in margins]
    distinct = [at for at, each in enumerate(runs) if runs.index(each) == at]
    if len(distinct) < FEWEST_CELLS:
        return found
    own = Errors(*np.array([found[name] for name in margins]).T)
    scale = np.array([margin**2 / tables[name].runs for name, margin in margins.items()])
    prior = fit_prior(own.squared[distinct] / scale[distinct], own.df[distinct])
    moved = moderate(own, scale, prior)
    for name, before, *after in zip(margins, own.squared, *moved, strict=True):
        if after[0] >= before:
            found[name] = _Scatter(*after)
    return found


def _without_scatter(default: Amount, reading: Amount) -> Effect:
    """The effect where each side is known exactly, or nothing tells how surely."""
    estimate = Difference.exact(reading.mean - default.mean, reading.mean, default.mean)
    gap = 0.0 if estimate.at(0.0) else estimate.estimate
    return Effect(gap, (gap, gap) if default.deterministic and reading.deterministic else None)


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


def _seeds(*rows: Amount) -> list[int]:
    """By which they are compared as pairs; one that is the same for every seed has all."""
    return pairs_of([row.by_seed for row in rows if not row.deterministic])


def _common(values: NDArray[np.float64]) -> float:
    """The variance of a difference of two runs of one seed, from a table of readings by seeds."""
    left = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    df = (len(values) - 1) * (values.shape[1] - 1)
    return 2 * float((left**2).sum()) / df if df else 0.0
