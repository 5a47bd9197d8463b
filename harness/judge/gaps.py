"""Claims about two gaps: how far one number leads another, here against elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from harness.judge.comparison import Comparison, Numbers, itself, not_run
from harness.judge.decision import ALPHA, Region, place_sizes
from harness.judge.model import OutcomeName
from harness.judge.moderated import Difference, difference
from harness.spec.operands import Pair

Gaps = tuple[Pair, Pair]
"""(a, b) and (c, d): the gaps a - b and c - d."""


def distinct_gaps(numbers: Numbers, gaps: Sequence[Gaps]) -> list[Gaps]:
    """Those that are of other runs than the ones before."""
    return numbers.distinct(gaps, [wide + narrow for wide, narrow in gaps])


def ask_gaps(numbers: Numbers, region: Region, gaps: Sequence[Gaps]) -> list[Comparison]:
    """For each two gaps (a, b) and (c, d): does (a - b) - (c - d) lie in the region?"""
    return _ask(numbers, gaps, partial(_answer_gaps, region))


def ask_sizes(numbers: Numbers, margin: float, gaps: Sequence[Gaps]) -> list[Comparison]:
    """For each two gaps (a, b) and (c, d): is |a - b| - |c - d| more than the margin?"""
    return _ask(numbers, gaps, partial(_answer_sizes, margin))


def _ask(
    numbers: Numbers,
    gaps: Sequence[Gaps],
    answer: Callable[[Pair, Pair, float, Numbers], Comparison],
) -> list[Comparison]:
    distinct = distinct_gaps(numbers, gaps)
    alpha = ALPHA / len(distinct)
    return [
        numbers.in_one_unit(wide + narrow, partial(answer, wide, narrow, alpha))
        for wide, narrow in distinct
    ]


def _answer_gaps(
    region: Region, wide: Pair, narrow: Pair, alpha: float, numbers: Numbers
) -> Comparison:
    what = f"({wide[0]} - {wide[1]}) - ({narrow[0]} - {narrow[1]})"
    if missing := numbers.missing(*wide, *narrow):
        return not_run(what, missing)
    if wide == narrow:
        return itself(what)
    if unusable := numbers.unusable(what, wide + narrow):
        return unusable
    terms, d, over = _between(numbers, wide, narrow)
    return numbers.placed(what + over, terms, d, region, alpha)


def _answer_sizes(
    margin: float, wide: Pair, narrow: Pair, alpha: float, numbers: Numbers
) -> Comparison:
    what = f"|{wide[0]} - {wide[1]}| - |{narrow[0]} - {narrow[1]}|"
    if missing := numbers.missing(*wide, *narrow):
        return not_run(what, missing)
    turned = narrow[1], narrow[0]
    if wide in (narrow, turned):
        return itself(what)
    if unusable := numbers.unusable(what, wide + narrow):
        return unusable
    terms, apart, over = _between(numbers, wide, narrow)
    other_terms, total, _ = _between(numbers, wide, turned)
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
