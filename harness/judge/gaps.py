"""Claims about two gaps: how far one number leads another, here against elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from harness.judge.comparison import Comparison, Numbers, itself, not_run
from harness.judge.decision import ALPHA, more, place_sizes
from harness.judge.model import OutcomeName
from harness.judge.moderated import Difference, difference
from harness.spec.operands import Pair

Pairs = tuple[Pair, Pair]
"""(a, b) and (c, d): the gaps a - b and c - d."""


def distinct_gaps(numbers: Numbers, gaps: Sequence[Pairs]) -> list[Pairs]:
    """Those that are of other runs than the ones before."""
    return numbers.distinct(gaps, [wide + narrow for wide, narrow in gaps])


def ask_gaps(
    numbers: Numbers, margin: float, gaps: Sequence[Pairs], *, size: bool
) -> list[Comparison]:
    """For each two gaps (a, b) and (c, d): is (a - b) - (c - d) more than the margin? Or, of the
    size of gaps, is |a - b| - |c - d|?
    """
    form = "|{} - {}| - |{} - {}|" if size else "({} - {}) - ({} - {})"
    place = _place_sizes if size else _place_gaps
    distinct = distinct_gaps(numbers, gaps)
    alpha = ALPHA / len(distinct)

    def answer(both: Pairs, known: Numbers) -> Comparison:
        operands = both[0] + both[1]
        what = form.format(*operands)
        if missing := known.missing(*operands):
            return not_run(what, missing)
        if both[0] == both[1]:
            return itself(what)
        return known.unusable(what, operands) or place(known, what, both, margin, alpha)

    return [numbers.in_one_unit(b[0] + b[1], partial(answer, b), margin) for b in distinct]


def _place_gaps(
    numbers: Numbers, what: str, both: Pairs, margin: float, alpha: float
) -> Comparison:
    terms, d, over = _between(numbers, *both)
    return numbers.placed(what + over, terms, d, more(margin), alpha)


def _place_sizes(
    numbers: Numbers, what: str, both: Pairs, margin: float, alpha: float
) -> Comparison:
    wide, (c, d) = both
    terms, apart, over = _between(numbers, wide, (c, d))
    other_terms, total, _ = _between(numbers, wide, (d, c))
    apart, total = numbers.settled(terms, apart), numbers.settled(other_terms, total)
    if apart is None or total is None:
        return Comparison(what, "undecided", f"{what}: runs that show no scatter decide nothing")
    outcome = place_sizes(apart, total, margin, alpha)
    why = _sentence_of_sizes(what + over, apart, total, outcome, margin)
    return Comparison(what, outcome, why, _sizes(apart, total)[2])


def _between(
    numbers: Numbers, wide: Pair, narrow: Pair
) -> tuple[tuple[float, ...], Difference | None, str]:
    """The terms of (a - b) - (c - d), their sum where a spread is known, and over how many seeds
    that is where runs are left out.
    """
    a, b, c, d = (number for o in wide + narrow if (number := numbers.read(o)) is not None)
    pairs, over = numbers.pairs(wide + narrow, (1.0, -1.0, -1.0, 1.0))
    found = pairs or _apart(difference(a, b), difference(c, d))
    return (a.mean, -b.mean, -c.mean, d.mean), found, over


def _apart(first: Difference | None, second: Difference | None) -> Difference | None:
    """The difference of two independent differences, with Satterthwaite's degrees of freedom."""
    if first is None or second is None:
        return None
    estimate, error = first.estimate - second.estimate, math.hypot(first.error, second.error)
    if error == 0:
        return Difference.exact(estimate, first.size, second.size)
    inverse = sum((d.error / error) ** 4 / d.df for d in (first, second))
    return Difference(estimate, error, 1 / inverse)


def _sizes(apart: Difference, total: Difference) -> tuple[float, float, float]:
    """x, y and |x| - |y|, of x - y and x + y."""
    x, y = (total.estimate + apart.estimate) / 2, (total.estimate - apart.estimate) / 2
    return x, y, abs(x) - abs(y)


def _sentence_of_sizes(
    what: str, apart: Difference, total: Difference, outcome: OutcomeName, margin: float
) -> str:
    x, y, size = _sizes(apart, total)
    how, unsure = "no spread given", "is not"
    if apart.error or total.error:
        (low, high), (least, most) = apart.interval(), total.interval()
        how = (
            f"95 % interval of their difference {low:+.4g} to {high:+.4g}, "
            f"of their sum {least:+.4g} to {most:+.4g}"
        )
        unsure = "is not surely"
    verb = {"holds": "is", "fails": "is not", "undecided": unsure}[outcome]
    return (
        f"{what} is {size:+.4g}, of gaps of {x:+.4g} and {y:+.4g} ({how}), "
        f"and {verb} more than {margin:g}"
    )
