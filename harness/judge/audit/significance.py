"""Rules: p-values and "significant" against what the statistics printed with them allow.

A p-value follows from the statistic and the degrees of freedom, the check of statcheck (Nuijten et
al., Behavior Research Methods 48, 2016): p is computed anew, two-sided, for all values that round
to the printed statistic. "Significant" and "no correlation" go with a coefficient and its points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.judge.audit.finding import Finding
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Mention, Sheet, mentions
from harness.spec.claims import Correlation
from harness.spec.paper import Paper

_SIGNIFICANT = re.compile(r"(?<!in)(?<!non-)(?<!not )\bsignificant(ly)?\b", re.IGNORECASE)
_NONE = re.compile(r"\bno[ *_]+(?:\w+[ *_]+)?correlation|\buncorrelated\b", re.IGNORECASE)
_NOT_ABOVE = re.compile(r"\b(?:zero|null|no) or (?:a )?negative\b|\bnon-?positive\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(?:no|not|never|neither|nor|without|fails?|failed|lacks?)\b|n't\b", re.IGNORECASE
)
_COEFFICIENT = re.compile(
    r"(?<![A-Za-z])(?:r_?s?|ρ|rho)\s*=\s*(?P<rho>[-−–]?0?\.\d+)", re.IGNORECASE
)
_CLAUSE = re.compile(r";|,? (?:but|while|whereas|although)\b|, (?:and|nor|yet)\b")
_POINTS = re.compile(r"(?<![A-Za-z])[nN]\s*=\s*(?P<n>\d+)(?![\d.,]*\d)")
SURE = 0.04, 0.06
"""A p below which a coefficient in a text differs from 0, and above which it does not, however it
was tested."""
_LEVEL = 1.959964
"""Of the standard normal distribution, for 5 % on both sides."""
MODEST = 0.2
"""A coefficient from which a correlation is not called none."""


_MINUS = str.maketrans("−–", "--")


def significance(paper: Paper) -> Iterator[Finding]:
    """Findings on words about a correlation that its coefficient and points do not bear."""
    numbers = {mention.address: mention for mention in mentions(paper)}
    claims = [claim for claim in paper.claims.values() if isinstance(claim, Correlation)]
    elsewhere = max((claim.points or 0 for claim in claims), default=0)
    for claim in claims:
        mention = numbers.get(str(claim.value))
        if mention is None or abs(mention.mean) >= 1:
            continue
        rho, points = float(mention.mean), claim.points or elsewhere
        if _says_significant(claim.text) and points and not _differs(rho, points):
            yield _not_significant(claim, mention, rho, points)
        elif _NONE.search(claim.text) and claim.points:
            low, high = interval(rho, claim.points)
            if _differs(rho, claim.points) or max(-low, high) > MODEST:
                yield _not_none(claim, mention, low, high)
        elif _NOT_ABOVE.search(claim.text) and claim.points:
            low, high = interval(rho, claim.points)
            if high > MODEST:
                yield _not_none(claim, mention, low, high)


def correlations_in_text(said: Sequence[Said]) -> Iterator[Finding]:
    """Findings on sentences with one coefficient and its n that call it what it is not."""
    for sentence in said:
        rhos = [float(m["rho"].translate(_MINUS)) for m in _COEFFICIENT.finditer(sentence.text)]
        counts = [int(m["n"]) for m in _POINTS.finditer(sentence.text)]
        if len(rhos) != 1 or len(counts) != 1 or counts[0] < 4 or abs(rhos[0]) >= 1:
            continue
        rho, points = rhos[0], counts[0]
        p = _p(rho, points)
        clause = next(c for c in _CLAUSE.split(sentence.text) if _COEFFICIENT.search(c))
        claimed = _says_significant(clause)
        if (_NONE.search(clause) and p < SURE[0]) or (claimed and p > SURE[1]):
            yield _in_text(sentence, f"{rho:g} over {points} points", p)


def _says_significant(text: str) -> bool:
    return bool(_SIGNIFICANT.search(text)) and not _NEGATED.search(text)


def interval(rho: float, points: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's coefficient on Fisher's scale (Bonett and Wright, 2000)."""
    error = math.sqrt((1 + rho**2 / 2) / (points - 3))
    return tuple(math.tanh(math.atanh(rho) + side * _LEVEL * error) for side in (-1, 1))  # type: ignore[return-value]


def _differs(rho: float, points: int) -> bool:
    """Whether 0 is rejected at 5 %, with the error that holds where there is no correlation."""
    return abs(math.atanh(rho)) * math.sqrt(points - 3) > _LEVEL


def _p(rho: float, points: int) -> float:
    return math.erfc(abs(math.atanh(rho)) * math.sqrt((points - 3) / 2))


def _not_significant(claim: Correlation, mention: Mention, rho: float, points: int) -> Finding:
    needed = math.ceil((_LEVEL / abs(math.atanh(rho))) ** 2 + 3) if rho else 0
    where = "" if claim.points else ", the number of points that it gives elsewhere"
    return Finding(
        rule="significance",
        subject=claim.id,
        addresses=(f"claim:{claim.id}", mention.address),
        printed=f"“{claim.text}” and {mention}",
        expected=f"a coefficient of 0 rejected; over {points} points{where}, p is "
        f"{_p(rho, points):.2g}",
        severity="notable",
        confidence="likely" if claim.points else "possible",
        explanation=(
            f"{claim.where} says “significant” of {mention}. Over {points} points{where}, p is "
            f"{_p(rho, points):.2g}; it would take {needed} points to tell it from 0 at 5 %."
        ),
    )


def _not_none(claim: Correlation, mention: Mention, low: float, high: float) -> Finding:
    return Finding(
        rule="significance",
        subject=claim.id,
        addresses=(f"claim:{claim.id}", mention.address),
        printed=f"“{claim.text}” and {mention}",
        expected=f"an interval that leaves none; it is {low:+.2f} to {high:+.2f}",
        severity="minor",
        confidence="likely",
        explanation=(
            f"{claim.where} says this of {mention} over {claim.points} points. The "
            f"95 % interval, {low:+.2f} to {high:+.2f}, leaves more: that none was shown "
            "is not that there is none."
        ),
    )


def _in_text(sentence: Said, told: str, p: float) -> Finding:
    return Finding(
        rule="significance",
        subject=sentence.address,
        addresses=(sentence.address,),
        printed=f"“{sentence.text}” ({sentence.where})",
        expected=f"words that go with p = {p:.2g}",
        severity="notable",
        confidence="likely",
        explanation=f"{sentence.where} speaks of a coefficient of {told}, whose p is {p:.2g}.",
    )


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
_ALPHA = 0.05


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
            yield _p_finding(test, f"{sentence.address}:{match[0].strip()}", places, printed)


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


def _p_finding(test: _Test, subject: str, places: tuple[str, ...], printed: str) -> Finding:
    low, high = test.ends()
    worked = f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
    one_sided = test.agrees(0.5)
    crosses = not one_sided and (
        low >= _ALPHA if _p_significant(test) else high < _ALPHA and test.p >= _ALPHA
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
            + (f" The two lie on either side of {_ALPHA}." * crosses)
        ),
    )


def _p_significant(test: _Test) -> bool:
    return test.p <= _ALPHA if test.sign in "<≤" else test.p < _ALPHA and test.sign == "="


_HEADINGS = {
    "t": re.compile(r"t|t[- ](?:value|stat(?:istic)?)\.?", re.IGNORECASE),
    "z": re.compile(r"z|z[- ](?:value|score|stat(?:istic)?)\.?", re.IGNORECASE),
    "χ²": re.compile(r"χ\^?2|χ²|chi-?(?:2|squared?)", re.IGNORECASE),
    "r": re.compile(r"r|pearson(?:'s)? r", re.IGNORECASE),
}
_FREEDOM = re.compile(r"d\.?f\.?|degrees of freedom", re.IGNORECASE)
_P_HEADING = re.compile(r"p|p[- ]?values?|pr\(.*\)", re.IGNORECASE)
LEAST = 3
"""Other lines whose p follows from the statistic before one that does not is news."""


def tested_lines(sheet: Sheet) -> Iterator[Finding]:
    """Findings on the line of a table whose p is not that of its statistic, as those of others."""
    for way in sheet.both_ways():
        labels = [line.label.strip(" *$") for line in way.columns]
        ps = [c for c, label in enumerate(labels) if _P_HEADING.fullmatch(label)]
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
            both = (statistic.address, p.address)
            yield _p_finding(test, p.address, both, f"{statistic} and {p}")
