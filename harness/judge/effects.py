"""Effects of choices on one number: each reading against the default, for all that were tried.

Hypothesis for each reading: it changes nothing. Readings share the default's seeds, so values form
a table of readings by seeds, and the scatter of a run is what is left of it after the means of
readings and of seeds (two-way layout, Fisher 1935); all readings of a number together tell it. The
intervals hold together, with 95 %, for all readings tried (Bonferroni; Dunn 1961).

A reading may scatter more than the others, and few seeds do not tell whether it does. So each
interval also holds that of the reading's own paired t test, at 97.5 %: one that scatters as much as
it likes is shown falsely in 2.5 % at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from harness.judge.decision import ALPHA
from harness.judge.model import Amount, Interval
from harness.judge.sample import pairs_of
from harness.judge.welch import Difference

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


def effects(default: Amount, readings: Mapping[K, Amount], tried: int) -> dict[K, Effect]:
    """The effect of each reading, its value minus the default's.

    Args:
        tried: how many effects are looked at, on this number and on others.
    """
    exact = default.deterministic and all(each.deterministic for each in readings.values())
    seeds = pairs_of([default.by_seed, *(each.by_seed for each in readings.values())])
    estimates = {name: each.mean - default.mean for name, each in readings.items()}
    if exact:
        return {name: Effect(gap, (gap, gap)) for name, gap in estimates.items()}
    if not seeds:
        return {name: Effect(gap, None) for name, gap in estimates.items()}
    rows = [default, *readings.values()]
    values = np.array([[row.by_seed[seed] for seed in seeds] for row in rows])
    gaps = values[1:] - values[0]
    own, runs = gaps.var(1, ddof=1), len(seeds)
    lone = own > _common(values) * fdtri(runs - 1, len(gaps) * (runs - 1), STANDS_OUT)
    alike = [True, *~lone]
    df = (sum(alike) - 1) * (runs - 1)
    common = math.sqrt(_common(values[alike]) / runs)
    found = {}
    for name, gap, square in zip(readings, gaps, own, strict=True):
        error, mean = math.sqrt(square / runs) or common, float(gap.mean())
        if error == 0:  # all pairs differ by the same, which does not show that others would
            found[name] = Effect(mean, None)
            continue
        alone = Difference(mean, error, runs - 1).interval(1 - OWN)
        joint = Difference(mean, common, df) if df else Difference(mean, error, runs - 1)
        shared = joint.interval(1 - ALPHA / tried)
        found[name] = Effect(mean, (min(alone[0], shared[0]), max(alone[1], shared[1])))
    return found


def _common(values: NDArray[np.float64]) -> float:
    """The variance of a difference of two runs of one seed, from a table of readings by seeds."""
    left = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    df = (len(values) - 1) * (values.shape[1] - 1)
    return 2 * float((left**2).sum()) / df if df else 0.0
