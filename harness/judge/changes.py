"""Changes between two sets of runs of the same numbers: the paired t test where they share seeds,
else Welch's, over many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.judge.decision import ALPHA
from harness.judge.sample import Summary, pairs_of
from harness.judge.welch import Difference, adjusted, difference

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
    a: Mapping[str, Mapping[int, float]], b: Mapping[str, Mapping[int, float]]
) -> tuple[Change, ...]:
    """Every name that has values in A or in B, in the order of A and then of B.

    Args:
        a: name -> seed -> value.
        b: the same of the other side.

    Equal values are `equal`. Of the others, those whose means differ at 5 % after
    Benjamini-Hochberg over all that can be tested have `changed`. Two single runs tell nothing.
    """
    names = dict.fromkeys(name for side in (a, b) for name in side if side[name])
    sides = {name: (a.get(name, {}), b.get(name, {})) for name in names}
    tested = {
        name: found
        for name, (one, other) in sides.items()
        if one and other and [*one.values()] != [*other.values()]
        if (found := _difference(one, other))
    }
    p_values = adjusted([found.p_equal() for found in tested.values()])
    corrected = dict(zip(tested, p_values, strict=True))
    made = []
    for name, both in sides.items():
        one, other = (tuple(side.values()) for side in both)
        if name in tested:
            found, p = tested[name], corrected[name]
            kind: Kind = "changed" if p < ALPHA else "not told apart"
            paired = bool(pairs_of(both))
            made.append(Change(name, one, other, kind, found.estimate, found.interval(), p, paired))
        elif one and other:
            gap = Summary.of(other).mean - Summary.of(one).mean
            made.append(Change(name, one, other, "equal" if one == other else "single runs", gap))
        else:
            made.append(Change(name, one, other, "only in A" if one else "only in B"))
    return tuple(made)


def _difference(one: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """The second minus the first."""
    shared = pairs_of([one, other])
    if shared:
        gaps = Summary.of([other[seed] - one[seed] for seed in shared])
        return difference(gaps, Summary.exact(0))
    return difference(Summary.of([*other.values()]), Summary.of([*one.values()]))
