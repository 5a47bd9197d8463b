"""Rule: a p-value follows from the statistic and the degrees of freedom printed with it.

The check of statcheck (Nuijten et al., Behavior Research Methods 48, 2016): p is computed anew,
two-sided, for all values that round to the printed statistic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.judge.audit.finding import Finding
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Number, Sheet

_AMOUNT = r"[-−]?\d*\.?\d+"
_TEST = re.compile(
    r"(?<![A-Za-z])(?P<name>t|F|[χΧ]\^?\{?[2²]\}?|[cC]hi\^?2|[zZ]|r)\s*"
    r"(?:_?[({]\s*(?P<one>\d+(?:\.\d+)?)\s*(?:,\s*(?:[nN]\s*=\s*\d+|(?P<two>\d+(?:\.\d+)?))\s*)?[)}])?"
    rf"\s*=\s*(?P<value>{_AMOUNT})(?P<between>[^=<>≤≥]{{0,30}}?[,;]\s*|\s+\(?)"
    rf"[pP]\s*(?P<sign>[<>=≤≥])\s*(?P<p>\d*\.?\d+(?:\s*[eE×]\s*(?:10\^?\{{?)?[-−]\d+\}}?)?)"
)
_CORRECTED = re.compile(
    r"one[- ](?:sided|tailed)|directional|correct(?:ed|ion)|adjust|bonferroni|holm|fdr|permutation|"
    r"bootstrap|greenhouse|wilcoxon|mann",
    re.IGNORECASE,
)
_STOP = re.compile(r"(?<=[\da-z)*$])\.\s+")
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class _Test:
    """A printed test: its statistic with rounding, and what is said of p."""

    kind: str
    freedom: tuple[float, ...]
    value: float
    half: float
    sign: str
    p: float
    p_half: float

    def ends(self) -> tuple[float, float]:
        """The least and the greatest two-sided p of the statistics that round to the printed."""
        size = abs(self.value)
        tail = _tail(self.kind, self.freedom)
        return tail(size + self.half), tail(max(0.0, size - self.half))

    def agrees(self, share: float = 1.0) -> bool:
        """Whether what is said of p can be; half the share is p of one side."""
        low, high = (share * p for p in self.ends())
        if self.sign == "=":
            # A p of 0.000 stands for less than the digits show.
            return low - self.p_half * (1 + 1e-6) <= self.p <= high + self.p_half * (1 + 1e-6)
        return low < self.p if self.sign in "<≤" else high > self.p


def _tail(kind: str, freedom: tuple[float, ...]) -> Callable[[float], float]:
    """Statistic, not negative -> two-sided p; the upper tail of F and χ²."""
    from scipy import special  # takes a while, and few papers need it

    if kind == "t":
        return lambda x: float(2 * special.stdtr(freedom[0], -x))
    if kind == "F":
        return lambda x: float(special.fdtrc(freedom[0], freedom[1], x))
    if kind == "χ²":
        return lambda x: float(special.chdtrc(freedom[0], x))
    if kind == "r":
        return lambda x: (
            0.0
            if x >= 1
            else float(2 * special.stdtr(freedom[0], -x * math.sqrt(freedom[0] / (1 - x * x))))
        )
    return lambda x: float(2 * special.ndtr(-x))


def tests_in_text(said: Sequence[Said]) -> Iterator[Finding]:
    """Findings on tests in a text, such as `t(23) = 2.31, p = .03`, whose p is another."""
    for sentence in said:
        for match in _TEST.finditer(sentence.text):
            test = _read(match)
            if test is None or test.agrees() or _CORRECTED.search(_around(sentence.text, match)):
                continue
            printed = f"{match[0].strip()} ({sentence.where})"
            places = (sentence.address,)
            yield _finding(test, f"{sentence.address}:{match[0].strip()}", places, printed)


def _around(text: str, match: re.Match[str]) -> str:
    """The text from the full stop before a test to that after it, where a new test may begin."""
    stops = [stop.end() for stop in _STOP.finditer(text)]
    start = max((at for at in stops if at <= match.start()), default=0)
    end = min((at for at in stops if at >= match.end()), default=len(text))
    return text[start:end]


def _read(match: re.Match[str]) -> _Test | None:
    name = match["name"]
    kind = "χ²" if name[0] in "χΧcC" else name.lower() if name in "zZ" else name
    freedom = tuple(float(match[each]) for each in ("one", "two") if match[each] is not None)
    if len(freedom) != {"t": 1, "F": 2, "χ²": 1, "r": 1, "z": 0}[kind] or 0 in freedom:
        return None
    value, half = _rounded(match["value"])
    p, p_half = _rounded(match["p"])
    return _Test(kind, freedom, value, half, match["sign"], p, p_half)


def _rounded(text: str) -> tuple[float, float]:
    """A number, and half a unit of its last digit."""
    head, _, power = re.sub(r"[\s{}^]", "", text.replace("−", "-")).partition("×10")
    head, _, other = head.lower().partition("e")
    scale = 10.0 ** int(power or other or 0)
    places = len(head.partition(".")[2])
    return float(head) * scale, 0.5 * 10.0**-places * scale


def _finding(test: _Test, subject: str, places: tuple[str, ...], printed: str) -> Finding:
    low, high = test.ends()
    worked = f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
    one_sided = test.agrees(0.5)
    crosses = not one_sided and (
        low >= _LEVEL if _says_significant(test) else high < _LEVEL and test.p >= _LEVEL
    )
    sides = "" if test.kind in ("F", "χ²") else " on both sides"
    return Finding(
        rule="p-value",
        subject=subject,
        addresses=places,
        printed=printed,
        expected=f"p = {worked}",
        severity="minor" if one_sided else "severe" if crosses else "notable",
        confidence="possible" if one_sided else "certain",
        explanation=(
            f"{printed}: the statistic gives p = {worked}{sides}, whatever its rounding."
            + (" Half of that fits, so that p may be one-sided, which is not said." * one_sided)
            + (f" The two lie on either side of {_LEVEL}." * crosses)
        ),
    )


def _says_significant(test: _Test) -> bool:
    return test.p <= _LEVEL if test.sign in "<≤" else test.p < _LEVEL and test.sign == "="


_HEADINGS = {
    "t": re.compile(r"t|t[- ](?:value|stat(?:istic)?)\.?", re.IGNORECASE),
    "z": re.compile(r"z|z[- ](?:value|score|stat(?:istic)?)\.?", re.IGNORECASE),
    "χ²": re.compile(r"χ\^?2|χ²|chi-?(?:2|squared?)", re.IGNORECASE),
    "r": re.compile(r"r|pearson(?:'s)? r", re.IGNORECASE),
}
_FREEDOM = re.compile(r"d\.?f\.?|degrees of freedom", re.IGNORECASE)
_P = re.compile(r"p|p[- ]?values?|pr\(.*\)", re.IGNORECASE)
LEAST = 3
"""Other lines whose p follows from the statistic before one that does not is news."""


def tested_lines(sheet: Sheet) -> Iterator[Finding]:
    """Findings on the line of a table whose p is not that of its statistic, as those of others."""
    for way in sheet.both_ways():
        labels = [line.label.strip(" *$") for line in way.columns]
        ps = [c for c, label in enumerate(labels) if _P.fullmatch(label)]
        free = [c for c, label in enumerate(labels) if _FREEDOM.fullmatch(label)]
        for kind, heading in _HEADINGS.items():
            held = [c for c, label in enumerate(labels) if heading.fullmatch(label)]
            if len(ps) == len(held) == 1 and len(free) == (kind != "z"):
                yield from _lines(way, kind, held[0], free, ps[0])


def _lines(sheet: Sheet, kind: str, at: int, free: list[int], p_at: int) -> Iterator[Finding]:
    fits, misses = 0, []
    for row in range(len(sheet.rows)):
        needed = [sheet.numbers.get((row, c)) for c in (at, p_at, *free)]
        if any(n is None or not n.value for n in needed[:1] + needed[2:]) or needed[1] is None:
            continue
        statistic, p, *freedom = [n for n in needed if n is not None]
        degrees = tuple(n.value for n in freedom)
        test = _Test(kind, degrees, statistic.value, statistic.slack, "=", p.value, p.slack)
        fits += test.agrees()
        if not test.agrees():
            misses.append((test, statistic, p))
    if fits >= LEAST and fits > len(misses):
        for test, statistic, p in misses:
            yield _finding(test, p.address, _addresses(statistic, p), f"{statistic} and {p}")


def _addresses(*numbers: Number) -> tuple[str, ...]:
    return tuple(number.address for number in numbers)
