"""Changes between sets of runs of the same numbers, and effects of choices on one number.

Two sets: the paired t test where they share seeds, else Welch's, over many at once.

Effects: each reading against the default, for all that were tried.
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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from harness.judge.decision import ALPHA
from harness.judge.model import Amount, Interval
from harness.judge.moderated import Difference, adjusted, difference
from harness.judge.sample import Summary, paired, pairs_of

Kind = Literal["equal", "changed", "not told apart", "only in A", "only in B", "single runs"]


@dataclass(frozen=True, slots=True)
class Change:
    """One number in A and in B; `difference` is B minus A, `interval` its 95 % one."""

    name: str
    a: tuple[float, ...]
    b: tuple[float, ...]
    kind: Kind
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p_adjusted: float | None = None
    """The test that the means are equal, after false-discovery control over all names."""
    paired: bool = False
    """Whether runs of the same seed were compared, rather than all with all."""


def changes(
    a: Mapping[str, Mapping[int, float]],
    b: Mapping[str, Mapping[int, float]],
    exact: Collection[str] = (),
) -> tuple[Change, ...]:
    """Every name that has values in A or in B, in the order of A and then of B.

    Args:
        a: name -> seed -> value.
        b: the same of the other side.
        exact: names of deterministic numbers, of which a single run tells all.

    Equal values are `equal`. Of the others, those whose means differ at 5 % after
    Benjamini-Hochberg over all that can be tested have `changed`. Two single runs tell nothing, and
    nor do runs that all gave the same.
    """
    names = dict.fromkeys(name for side in (a, b) for name in side if side[name])
    sides = {name: (a.get(name, {}), b.get(name, {})) for name in names}
    tested = {
        name: gap
        for name, (one, other) in sides.items()
        if one and other and [*one.values()] != [*other.values()] and name not in exact
        if (gap := _difference(one, other))
    }
    p_values = adjusted([gap.p_equal() for gap, _ in tested.values()])
    corrected = dict(zip(tested, p_values, strict=True))
    made = []
    for name, both in sides.items():
        one, other = (tuple(side.values()) for side in both)
        if name in tested:
            (found, by_pairs), p = tested[name], corrected[name]
            kind: Kind = "changed" if p < ALPHA else "not told apart"
            tests = found.estimate, found.interval(), p, by_pairs
            made.append(Change(name, one, other, kind, *tests))
        elif one and other:
            apart = Summary.of(other).mean - Summary.of(one).mean
            made.append(Change(name, one, other, _untested(one, other, name in exact), apart))
        else:
            made.append(Change(name, one, other, "only in A" if one else "only in B"))
    return tuple(made)


def _untested(one: Sequence[float], other: Sequence[float], exact: bool) -> Kind:
    if one == other:
        return "equal"
    if exact:
        return "changed"
    return "single runs" if len(one) == len(other) == 1 else "not told apart"


def _difference(
    one: Mapping[int, float], other: Mapping[int, float]
) -> tuple[Difference, bool] | None:
    """The second minus the first, and whether it is that of pairs."""
    pairs = paired([other, one], [1.0, -1.0])
    if pairs:
        found = difference(pairs, Summary.exact(0))
    else:
        found = difference(Summary.of([*other.values()]), Summary.of([*one.values()]))
    return (found, pairs is not None) if found else None


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
    exact = {
        name for name, each in readings.items() if each.deterministic and default.deterministic
    }
    gaps_of = {name: each.mean - default.mean for name, each in readings.items()}
    found = {
        name: Effect(gap, (gap, gap) if name in exact else None) for name, gap in gaps_of.items()
    }
    rows = [default, *(each for name, each in readings.items() if name not in exact)]
    seeds = pairs_of([row.by_seed for row in rows if not row.deterministic] or [{}])
    if not seeds:
        return found
    values = np.array(
        [[row.mean if row.deterministic else row.by_seed[seed] for seed in seeds] for row in rows]
    )
    gaps = values[1:] - values[0]
    own, runs = gaps.var(1, ddof=1), len(seeds)
    lone = own > _common(values) * fdtri(runs - 1, len(gaps) * (runs - 1), STANDS_OUT)
    alike = [True, *~lone]
    df = (sum(alike) - 1) * (runs - 1)
    common = math.sqrt(_common(values[alike]) / runs)
    noisy = (name for name in readings if name not in exact)
    for name, gap, square in zip(noisy, gaps, own, strict=True):
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
