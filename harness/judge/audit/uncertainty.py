"""Rules: intervals, standard errors and stars go with the estimates beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.audit.finding import Finding
from harness.judge.audit.marks import RATIO
from harness.judge.audit.sheet import Number, Sheet
from harness.spec.printed import half_unit
from harness.words import counted

_ERROR = re.compile(r"s\.?e\.?|std\.? err(?:or|\.)?|standard error", re.IGNORECASE)
_LOWER = re.compile(
    r"(?:95 ?% )?(?:ci )?(?:lower|low|2\.5 ?%|lcl)(?: (?:bound|ci))?", re.IGNORECASE
)
_UPPER = re.compile(
    r"(?:95 ?% )?(?:ci )?(?:upper|high|97\.5 ?%|ucl)(?: (?:bound|ci))?", re.IGNORECASE
)
_ESTIMATE = re.compile(
    r"est(?:imate|\.)?|coef(?:ficient|\.)?|β|b|mean|effect|difference", re.IGNORECASE
)
_SKEWED = re.compile(
    r"median|iqr|quartile|percentile|range|ratio|\b[OHR]R\b|credible|posterior|log-?normal|min\b",
    re.IGNORECASE,
)
"""What need not lie in the middle of its interval."""
LEAST = 4
"""Other lines that must keep a relation before one that does not is news."""


@dataclass(frozen=True, slots=True)
class _Interval:
    """An estimate with its interval, and its standard error where that stands beside."""

    number: Number
    low: float
    high: float
    half: float
    """How far rounding may have moved each end."""
    error: Number | None
    ends: tuple[Number, ...] = ()
    """The two ends, where they are cells of their own."""

    @property
    def addresses(self) -> tuple[str, ...]:
        beside = () if self.error is None else (self.error,)
        return tuple(n.address for n in (self.number, *self.ends, *beside))

    def off_centre(self) -> bool:
        middle = (self.low + self.high) / 2
        return abs(middle - self.number.value) > self.half + self.number.slack

    def factors(self) -> tuple[float, float] | None:
        """The least and greatest half width in standard errors that rounding allows."""
        if self.error is None or self.error.value <= self.error.slack:
            return None
        width = (self.high - self.low) / 2
        return (
            max(0.0, width - self.half) / (self.error.value + self.error.slack),
            (width + self.half) / (self.error.value - self.error.slack),
        )


def interval_relations(sheet: Sheet) -> Iterator[Finding]:
    """Findings on an interval that alone is off its centre, or not as wide as its error says."""
    for way in sheet.both_ways():
        for held in _intervals(way) if not _SKEWED.search(sheet.caption) else ():
            off = [each for each in held if each.off_centre()]
            if len(off) == 1 and len(held) > LEAST:
                yield _off_centre(off[0], len(held) - 1)
            wide = [(each, f) for each in held if (f := each.factors()) is not None]
            for each, (least, most) in wide if len(wide) > LEAST and not off else ():
                others = [f for other, f in wide if other is not each]
                low, high = max(f[0] for f in others), min(f[1] for f in others)
                if low <= high and (most < low or least > high) and low <= 2.6 and high >= 1.6:
                    yield _wrong_width(each, (low + high) / 2, len(others))


def _intervals(sheet: Sheet) -> Iterator[list[_Interval]]:
    """The intervals of each column of estimates."""
    labels = [line.label.strip(" *$") for line in sheet.columns]
    groups = {line.group for line in sheet.columns}
    for group in sorted(groups):
        own = [c for c, line in enumerate(sheet.columns) if line.group == group]
        errors = [c for c in own if _ERROR.fullmatch(labels[c])]
        ends = [[c for c in own if p.fullmatch(labels[c])] for p in (_LOWER, _UPPER)]
        named = [c for c in own if _ESTIMATE.fullmatch(labels[c])]
        error = errors[0] if len(errors) == 1 else None
        if len(named) == len(ends[0]) == len(ends[1]) == 1:
            yield list(_beside(sheet, named[0], ends[0][0], ends[1][0], error))
        for column in own:
            yield [
                _Interval(n, float(n.low), float(n.high), _half(n),
                          None if error is None else sheet.numbers.get((row, error)))
                for row, n in sheet.column(column).items()
                if n.low is not None and n.high is not None and not _SKEWED.search(n.place)
            ]  # fmt: skip


def _half(number: Number) -> float:
    assert number.low is not None
    return float(half_unit(number.low)) * (1 + 1e-9) + 1e-12


def _beside(sheet: Sheet, at: int, low: int, high: int, error: int | None) -> Iterator[_Interval]:
    for row, number in sheet.column(at).items():
        least, most = sheet.numbers.get((row, low)), sheet.numbers.get((row, high))
        if least is not None and most is not None:
            beside = None if error is None else sheet.numbers.get((row, error))
            ends = (least, most)
            yield _Interval(number, least.value, most.value, least.slack, beside, ends)


def _off_centre(interval: _Interval, others: int) -> Finding:
    number, middle = interval.number, (interval.low + interval.high) / 2
    return Finding(
        rule="interval-centre",
        subject=number.address,
        addresses=interval.addresses,
        printed=f"{number} with the interval {interval.low:g} to {interval.high:g}",
        expected=f"an interval around {number.mean}; its middle is {middle:.6g}",
        severity="notable",
        confidence="likely",
        explanation=(
            f"The {others} other intervals lie evenly around their estimates. That of {number}, "
            f"{interval.low:g} to {interval.high:g}, lies around {middle:.6g}: one of the three "
            "numbers may be wrong."
        ),
    )


def _wrong_width(interval: _Interval, factor: float, others: int) -> Finding:
    assert interval.error is not None
    width = (interval.high - interval.low) / 2
    return Finding(
        rule="interval-width",
        subject=interval.number.address,
        addresses=interval.addresses,
        printed=f"{interval.low:g} to {interval.high:g} around {interval.number}, with the "
        f"standard error {interval.error.text}",
        expected=f"{factor:.3g} standard errors to each side, {factor * interval.error.value:.3g}",
        severity="severe",
        confidence="likely",
        explanation=(
            f"The {others} other intervals reach {factor:.3g} standard errors to each side. This "
            f"one reaches {width:.4g}, {width / interval.error.value:.3g} of its {interval.error}: "
            "an end of it or the error is wrong."
        ),
    )


_LEGEND = re.compile(
    r"(?P<stars>\*{1,4}|∗{1,4})\s*(?:[:=]\s*)?(?:indicates?\s*|denotes?\s*)?\(?[pP]\s*[<≤]\s*"
    r"(?P<level>0?\.\d+)"
)
_ERRORS_BELOW = re.compile(r"standard errors?|s\.e\.", re.IGNORECASE)
_OTHER_BELOW = re.compile(
    r"t[- ]?stat|z[- ]?stat|t[- ]?values?|bootstrap|permutation|corrected", re.I
)


def stars_by_legend(sheet: Sheet) -> Iterator[Finding]:
    """Findings on stars that the errors below cannot give, by the levels that the notes state.

    p is taken from the normal distribution, which gives the least; a t distribution gives more.
    So only stars that even the least p does not earn are reported.
    """
    levels = {len(m["stars"]): float(m["level"]) for m in _LEGEND.finditer(sheet.caption)}
    if not levels or not _ERRORS_BELOW.search(sheet.caption) or _OTHER_BELOW.search(sheet.caption):
        return
    if RATIO.search(sheet.caption):
        return
    for number in sheet.numbers.values():
        level = levels.get(number.stars)
        if level is None or not number.error or RATIO.search(number.place):
            continue
        error = float(number.error - half_unit(number.error))
        least = (
            math.erfc((abs(number.value) + number.slack) / error / math.sqrt(2)) if error > 0 else 0
        )
        if least > level:
            stars = counted(number.stars, "star")
            yield number.finding(
                "stars-level",
                expected=f"p < {level:g} for {stars}; it is {least:.2g} or more",
                severity="notable",
                confidence="likely",
                explanation=(
                    f"{number} has {stars}, p < {level:g} by the notes of "
                    f"{sheet.label}. With its standard error, p is {least:.2g} at least."
                ),
            )
