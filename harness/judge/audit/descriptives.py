"""Rules on descriptive statistics: a mean with its standard deviation, extremes and count.

The deviation of numbers between two ends is bounded by their mean; that of zeros and ones follows
from it (DEBIT: Heathers and Brown, 2019). A mean of whole numbers is one of few values (GRIM: Brown
and Heathers, Social Psychological and Personality Science 8, 2017).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.judge.audit.finding import Finding
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Number, Sheet
from harness.spec.printed import half_unit, may_print
from harness.words import counted

_HEADINGS = {
    "mean": re.compile(r"mean|m|average|avg\.?", re.IGNORECASE),
    "deviation": re.compile(r"s\.?d\.?|std\.?(?: ?dev\.?)?|standard deviation", re.IGNORECASE),
    "low": re.compile(r"min\.?|minimum", re.IGNORECASE),
    "high": re.compile(r"max\.?|maximum", re.IGNORECASE),
    "count": re.compile(r"n|obs\.?|observations", re.IGNORECASE),
}
_BINARY = re.compile(
    r"\([^()]*\b(?:binary|dummy|indicator|0/1|yes/no)\b[^()]*\)"
    r"|\b(?:binary|dummy|indicator) variable\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:likert|(?:number|count) of|[1-9]-point|on a scale (?:of|from) \d)\b", re.IGNORECASE
)
"""What is counted or answered in whole numbers."""
_COMPOSED = re.compile(r"\b(?:mean|average) of\b|\bitems\b|\bcomposite\b", re.IGNORECASE)
"""What is a mean of several such answers, and so no whole number."""
_AMOUNT = r"\d+\.\d+"
_MEAN_IN_TEXT = re.compile(rf"(?<![A-Za-z])M\s*=\s*(?P<mean>{_AMOUNT})(?![\d%])")
_COUNT_IN_TEXT = re.compile(r"(?<![A-Za-z])[nN]\s*=\s*(?P<n>\d+)(?![\d.,]*\d)")
_PART = re.compile(
    r"(?<![\d.~≈<>≤≥–-])(?P<share>\d+(?:\.\d+)?)\s*% of (?:the |all |our |these )*(?P<n>\d+) "
    r"(?P<what>participants|subjects|patients|respondents|people|students|children|users|raters|"
    r"annotators|women|men|cases|samples|images|items|questions|problems|tasks|papers|sentences)\b"
)
_ROUGHLY = re.compile(r"about|around|roughly|approximately|nearly|almost|over|than|to|up", re.I)


@dataclass(frozen=True)
class _Line:
    """What a line prints of one variable."""

    words: str
    held: Mapping[str, Number]

    def ends(self) -> tuple[float, float] | None:
        """The least and the greatest value that it can have."""
        if self.binary:
            return 0.0, 1.0
        low, high = self.held.get("low"), self.held.get("high")
        if low is None or high is None or low.value >= high.value:
            return None
        return low.value - low.slack, high.value + high.slack

    @property
    def binary(self) -> bool:
        """Whether it is said to be of zeros and ones, and no percentage of them."""
        return bool(_BINARY.search(self.words)) and 0 <= self.held["mean"].value <= 1

    def count(self) -> int:
        """How many there are; two where that is not said, which leaves most room."""
        told = self.held.get("count")
        return max(2, int(told.value)) if told is not None else 2


def descriptives(sheet: Sheet) -> Iterator[Finding]:
    """Findings on deviations and means that the other statistics of their line rule out."""
    for way in sheet.both_ways():
        for line in _lines(way):
            mean, deviation = line.held["mean"], line.held.get("deviation")
            if deviation is not None and deviation.value >= 0:
                yield from _deviation(line, mean, deviation)
            if "count" in line.held and _whole(line.words):
                yield from _mean_of_whole(
                    mean.value, mean.slack, line.count(), (mean.address,), str(mean)
                )


def _whole(words: str) -> bool:
    return bool(_WHOLE.search(words)) and not _COMPOSED.search(words)


def _lines(sheet: Sheet) -> Iterator[_Line]:
    """The rows of each group of columns that has one column of means."""
    groups: dict[str, dict[str, list[int]]] = {}
    for index, column in enumerate(sheet.columns):
        for name, heading in _HEADINGS.items():
            if heading.fullmatch(column.label.strip(" *$")):
                groups.setdefault(column.group, {}).setdefault(name, []).append(index)
    for found in groups.values():
        at = {name: columns[0] for name, columns in found.items() if len(columns) == 1}
        if "mean" not in at or len(at) < 2:
            continue
        for row, line in enumerate(sheet.rows):
            held = {
                name: sheet.numbers[row, c] for name, c in at.items() if (row, c) in sheet.numbers
            }
            if "mean" in held:
                yield _Line(line.words, held)


def _deviation(line: _Line, mean: Number, deviation: Number) -> Iterator[Finding]:
    ends, n = line.ends(), line.count()
    if ends is None:
        return
    reach = [
        math.sqrt(max(0.0, (m - ends[0]) * (ends[1] - m)))
        for m in (mean.value - mean.slack, mean.value, mean.value + mean.slack)
        if ends[0] <= m <= ends[1]
    ]
    if not reach:
        return  # a mean beyond the extremes is another rule's
    room = math.sqrt(n / (n - 1))
    most, least = max(reach) * room, min(reach)
    if deviation.value - deviation.slack > most:
        why = "numbers between the least and the greatest of them deviate by"
        yield _wrong_deviation(line, f"{most:.4g} at most", why)
    elif line.binary and "count" in line.held and deviation.value + deviation.slack < least:
        yield _wrong_deviation(line, f"{least:.4g} at least", "zeros and ones deviate by")


def _wrong_deviation(line: _Line, allowed: str, why: str) -> Finding:
    mean, deviation = line.held["mean"], line.held["deviation"]
    beside = [line.held[name] for name in ("low", "high", "count") if name in line.held]
    return Finding(
        rule="impossible-spread",
        subject=deviation.address,
        addresses=tuple(n.address for n in (deviation, mean, *beside)),
        printed=f"{deviation} beside {', '.join(map(str, (mean, *beside)))}",
        expected=allowed,
        severity="severe",
        confidence="certain",
        explanation=f"With the mean {mean.text}, {why} {allowed}; {deviation} is printed.",
    )


def counts_in_text(said: Sequence[Said]) -> Iterator[Finding]:
    """Findings on a share or a mean in a sentence that so many people or things cannot give."""
    for sentence in said:
        yield from _shares(sentence)
        counts = {int(match["n"]) for match in _COUNT_IN_TEXT.finditer(sentence.text)}
        if len(counts) == 1 and _whole(sentence.text):
            for match in _MEAN_IN_TEXT.finditer(sentence.text):
                half = float(half_unit(Decimal(match["mean"])))
                words = f"{match[0]} ({sentence.where})"
                place = (sentence.address,)
                yield from _mean_of_whole(float(match["mean"]), half, min(counts), place, words)


def _shares(sentence: Said) -> Iterator[Finding]:
    for match in _PART.finditer(sentence.text):
        share, n = Decimal(match["share"]), int(match["n"])
        before = sentence.text[: match.start()].split()[-1:]
        if not n or any(map(_ROUGHLY.fullmatch, before)):
            continue
        near = math.floor(share * n / 100)
        can = [Decimal(100 * k) / n for k in (near, near + 1)]
        if not any(may_print(value, share) for value in can):
            yield Finding(
                rule="granularity",
                subject=f"{sentence.address}:{match[0]}",
                addresses=(sentence.address,),
                printed=f"{match[0]} ({sentence.where})",
                expected=f"{near} of {n}, {can[0]:.4g} %, or {near + 1}, {can[1]:.4g} %",
                severity="notable",
                confidence="likely",
                explanation=(
                    f"{sentence.where} prints {match[0]}, which is no whole number of {n}."
                ),
            )


def _mean_of_whole(
    mean: float, slack: float, n: int, places: tuple[str, ...], words: str
) -> Iterator[Finding]:
    """A finding where no sum of n whole numbers has the mean."""
    low, high = (mean - slack) * n, (mean + slack) * n
    if math.floor(high + 1e-9) >= math.ceil(low - 1e-9):
        return
    near = math.floor(mean * n)
    yield Finding(
        rule="granularity",
        subject=f"{places[0]}:mean",
        addresses=places,
        printed=f"{words} over {n}",
        expected=f"{near}/{n} = {near / n:.4f} or {near + 1}/{n} = {(near + 1) / n:.4f}",
        severity="notable",
        confidence="likely",
        explanation=f"{words}: no {n} whole numbers have that mean, however it was rounded.",
    )


MOST_SUMS = 20_000
"""Sums of squares that are tried for one ±; beyond, the test has no power anyway."""


def granularity(sheet: Sheet) -> Iterator[Finding]:
    """Findings on percentages, and on their ±, that no counts of the test items give."""
    for number in sheet.numbers.values():
        items, runs = number.items, number.runs
        if items is None or runs is None or not number.percent:
            continue
        counts = _counts(number, items * runs)
        if not counts:
            why = f"{number.text} percent of {items * runs} is no whole number"
            yield _impossible(number, why)
        elif not _spread_possible(number, counts, runs, items):
            why = f"no {runs} whole numbers of {items} have that mean and deviation"
            yield _impossible(number, why)


def _counts(number: Number, total: int) -> range:
    """The whole numbers that round to the percentage."""
    low = math.ceil((number.value - number.slack) * total / 100 - 1e-9)
    high = math.floor((number.value + number.slack) * total / 100 + 1e-9)
    return range(low, high + 1)


def _spread_possible(number: Number, counts: range, n: int, items: int) -> bool:
    """Whether some runs with one of these sums have the printed deviation (divisor n or n - 1)."""
    unit = 100 / items
    if n < 2 or number.error is None or number.spread != "std":
        return True
    half = float(half_unit(number.error))
    low, high = max(0.0, float(number.error) - half), float(number.error) + half
    for divisor in (n, n - 1):
        least, most = divisor * (low / unit) ** 2, divisor * (high / unit) ** 2
        for total in counts:
            # The sum of squares is whole, has the parity of the sum, and is its variance plus this.
            base = total * total / n
            first, last = math.ceil(base + least - 1e-9), math.floor(base + most + 1e-9)
            if last - first > MOST_SUMS or any(
                (s - total) % 2 == 0 for s in range(first, last + 1)
            ):
                return True
    return False


def _impossible(number: Number, why: str) -> Finding:
    runs = counted(number.runs or 1, "run")
    return number.finding(
        "granularity",
        expected=f"a mean over {runs} of counts of {number.items} items",
        explanation=f"{number} cannot be had from {number.items} test items: {why}.",
    )
