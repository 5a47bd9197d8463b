"""Changes between two sets of runs of the same numbers.

The paired t test where they share seeds, else Welch's, over many numbers at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.judge.decision import ALPHA
from harness.judge.moderated import Difference, adjusted, difference
from harness.judge.sample import NOISE, Summary, paired

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
    pairs: int = 0
    """Seeds that both share, over which the difference is taken pair by pair; 0 where all runs
    were held against all."""

    @property
    def paired(self) -> bool:
        """Whether runs of the same seed were compared, rather than all with all."""
        return self.pairs > 0

    @property
    def of_fewer(self) -> bool:
        """Whether the difference leaves out runs of A or B, which have no partner."""
        return 0 < self.pairs < max(len(self.a), len(self.b))


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

    Values that are the same, but for the last bits of sums, are `equal`. Of the others, those whose
    means differ at 5 % after Benjamini-Hochberg over all that can be tested have `changed`. Two
    single runs tell nothing, and nor do runs that all gave the same.
    """
    names = dict.fromkeys(name for side in (a, b) for name in side if side[name])
    sides = {name: (a.get(name, {}), b.get(name, {})) for name in names}
    tested = {
        name: gap
        for name, (one, other) in sides.items()
        if one and other and not _same(one, other) and name not in exact
        if (gap := _difference(one, other))
    }
    p_values = adjusted([gap.p_equal() for gap, _ in tested.values()])
    corrected = dict(zip(tested, p_values, strict=True))
    made = []
    for name, both in sides.items():
        one, other = (tuple(side.values()) for side in both)
        if name in tested:
            (found, pairs), p = tested[name], corrected[name]
            kind: Kind = "changed" if p < ALPHA else "not told apart"
            tests = found.estimate, found.interval(), p, pairs
            made.append(Change(name, one, other, kind, *tests))
        elif one and other:
            apart = Summary.of(other).mean - Summary.of(one).mean
            made.append(Change(name, one, other, _untested(*both, name in exact), apart))
        else:
            made.append(Change(name, one, other, "only in A" if one else "only in B"))
    return tuple(made)


def _same(one: Mapping[int, float], other: Mapping[int, float]) -> bool:
    """Whether both have the same values in the same order, whatever their seeds."""
    return len(one) == len(other) and all(
        math.isclose(*pair, rel_tol=NOISE)
        for pair in zip(one.values(), other.values(), strict=True)
    )


def _untested(one: Mapping[int, float], other: Mapping[int, float], exact: bool) -> Kind:
    if _same(one, other):
        return "equal"
    if exact:
        return "changed"
    return "single runs" if len(one) == len(other) == 1 else "not told apart"


def _difference(
    one: Mapping[int, float], other: Mapping[int, float]
) -> tuple[Difference, int] | None:
    """The second minus the first, and of how many pairs it is; 0 where it is of none."""
    pairs = paired([other, one], [1.0, -1.0])
    if pairs:
        found = difference(pairs, Summary.exact(0))
    else:
        found = difference(Summary.of([*other.values()]), Summary.of([*one.values()]))
    return (found, pairs.n if pairs else 0) if found else None
