"""How often claims about the sizes of two gaps are wrong, and how much they find.

`python -m benchmarks.rule.gap_sizes` prints the table of the documentation, in half a minute of one
core. A claim holds that a gap x is more than a gap y by a margin, whichever way either goes. What
is measured is x - y and x + y, with errors of 1 that are related as the four numbers make them: not
at all where all have one error, wholly where one gap is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from harness.judge.decision import ALPHA, place_sizes
from harness.judge.moderated import Difference

MARGINS, RELATED, NARROW = (0.0, 1.0, 3.0), (0.0, 0.5, 1.0), (0.0, 1.0, 3.0)
"""In errors of a difference of two gaps; `NARROW` are sizes of the smaller gap."""
BEYOND = 2.0
"""How far beyond the margin gaps are of which it is told how many are found."""
DRAWS = 20_000

Rule = Callable[[Difference, Difference, float], bool]


def holds(apart: Difference, total: Difference, margin: float) -> bool:
    """What claims go by."""
    return place_sizes(apart, total, margin) == "holds"


def one_sided(apart: Difference, total: Difference, margin: float) -> bool:
    """What they could go by, if either sign of x had 5 % for itself."""
    both = (apart, total)
    ahead, behind = max(d.p_greater(margin) for d in both), max(d.p_less(-margin) for d in both)
    return min(ahead, behind) < ALPHA


def found(rule: Rule, wide: float, narrow: float, margin: float, related: float) -> float:
    """The share of claims that hold by a rule where such gaps are true."""
    noise = np.random.default_rng(1).multivariate_normal(
        [wide - narrow, wide + narrow], [[1, related], [related, 1]], DRAWS
    )
    measured = ((Difference(u, 1.0, math.inf), Difference(v, 1.0, math.inf)) for u, v in noise)
    return sum(rule(*each, margin) for each in measured) / DRAWS


def table() -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| margin | related | wrong at most | one-sided | found | one-sided |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for margin in MARGINS:
        for related in RELATED:
            shares = []
            for rule in (holds, one_sided):
                wrong = [found(rule, y + margin, y, margin, related) for y in NARROW]
                far = found(rule, NARROW[-1] + margin + BEYOND, NARROW[-1], margin, related)
                shares.append((max(wrong), far))
            cells = " | ".join(
                f"{100 * share:.1f} %" for pair in zip(*shares, strict=True) for share in pair
            )
            yield f"| {margin:g} | {related:g} | {cells} |"


if __name__ == "__main__":
    print(table())
