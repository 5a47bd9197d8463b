"""Changes between two sets of runs of the same numbers: Welch's test, over many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.judge.decision import ALPHA
from harness.judge.sample import Summary
from harness.judge.welch import adjusted, difference

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
    """Welch's test that the means are equal, after false-discovery control over all names."""


def changes(
    a: Mapping[str, Sequence[float]], b: Mapping[str, Sequence[float]]
) -> tuple[Change, ...]:
    """Every name that has values in A or in B, in the order of A and then of B.

    Equal values are `equal`. Of the others, those whose means differ at 5 % after
    Benjamini-Hochberg over all that can be tested have `changed`. Two single runs tell nothing.
    """
    names = dict.fromkeys(name for side in (a, b) for name in side if side[name])
    pairs = {name: (tuple(a.get(name, ())), tuple(b.get(name, ()))) for name in names}
    tested = {
        name: found
        for name, (one, other) in pairs.items()
        if one and other and one != other
        if (found := difference(Summary.of(other), Summary.of(one)))
    }
    p_values = adjusted([found.p_equal() for found in tested.values()])
    corrected = dict(zip(tested, p_values, strict=True))
    made = []
    for name, (one, other) in pairs.items():
        if name in tested:
            found, p = tested[name], corrected[name]
            kind: Kind = "changed" if p < ALPHA else "not told apart"
            made.append(Change(name, one, other, kind, found.estimate, found.interval(), p))
        elif one and other:
            gap = Summary.of(other).mean - Summary.of(one).mean
            made.append(Change(name, one, other, "equal" if one == other else "single runs", gap))
        else:
            made.append(Change(name, one, other, "only in A" if one else "only in B"))
    return tuple(made)
