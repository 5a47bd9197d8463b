"""Rules: a value lies where its measure can, its ± is no larger than the measure allows, and scores
of one classifier can go together, whatever it classified.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from harness.judge.audit.finding import Confidence, Finding
from harness.judge.audit.sheet import Number, Sheet
from harness.later import np
from harness.spec.printed import decimals

_PROBABILITY = re.compile(r"p|(?i:p[- ]?values?|pr\(.*\)|p adj\w*\.?)")
_COEFFICIENT = re.compile(
    r"^(ρ|rho|τ|kendall.*|pearson.*|spearman.*|corr(elation)?\.?|mcc|kappa|κ)$", re.IGNORECASE
)
_SHARE = re.compile(
    r"\b(acc|accuracy|precision|recall|sensitivity|specificity|f1|auc|auroc|auprc|ap|map|iou|dice|"
    r"top-?[15]|accuracies)\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"Δ|∆|±|\b(delta|gain|diff\w*|improv\w*|change\w*|drop|loss|error|lift|speed-?up)\b", re.I
)
_SIGNED = re.compile(
    r"\b(est(imate)?s?|coef\w*|effect\w*|lower|upper|low|high|mean diff\w*|return\w*|z|t)\b|β",
    re.IGNORECASE,
)
"""What is as well negative as positive, so that one negative number among others is no slip."""
_DEVIATIONS = ("std", "unknown")
"""What ± may be for it to be held against the largest standard deviation."""
_CHANCE = re.compile(r"\b(?:random|chance)\b", re.IGNORECASE)
"""Rows that are no slip however far they are from the others."""
LEAST = 4
"""Other numbers of a line that must agree before one is taken for a slip."""
NARROW = 1.6
"""Largest factor between the least and the greatest of them."""


@dataclass(frozen=True, slots=True)
class _Range:
    low: float
    high: float
    what: str


def outside_range(sheet: Sheet) -> Iterator[Finding]:
    """Findings on values that their measure cannot have, and on ± that it cannot have."""
    for number, allowed in _ranged(sheet):
        if number.value + number.slack < allowed.low or number.value - number.slack > allowed.high:
            yield _outside(number, allowed)
        elif number.error is not None and allowed.low >= 0 and number.spread in _DEVIATIONS:
            largest = _largest_deviation(number, allowed, number.runs)
            if float(number.error) * (1 - 1e-9) > largest:
                yield _too_wide(number, allowed, largest)


def _ranged(sheet: Sheet) -> Iterator[tuple[Number, _Range]]:
    """Each number of a known measure, once, with the range of that measure."""
    known = [number for number in sheet.numbers.values() if number.percent]
    yield from ((number, _Range(0, 100, "a percentage")) for number in known)
    seen = {number.address for number in known}
    for way in sheet.both_ways():
        for index, line in enumerate(way.columns):
            allowed = _named_range(line.label, line.group)
            held = [n for n in way.column(index).values() if n.address not in seen]
            if allowed and allowed.what != "a probability":  # a change of a share may be negative
                held = [n for n in held if not _CHANGE.search(n.place)]
            # A heading may mean something else: most of its numbers must bear it out.
            inside = [n for n in held if allowed and allowed.low <= n.value <= allowed.high]
            if allowed and len(inside) * 3 >= len(held) * 2:
                seen |= {number.address for number in held}
                yield from ((number, allowed) for number in held)


def _named_range(label: str, group: str) -> _Range | None:
    words = [text.strip(" $*") for text in (label, group)]
    if any(_PROBABILITY.fullmatch(text) for text in words):
        return _Range(0, 1, "a probability")
    if any(_COEFFICIENT.fullmatch(text) for text in words):
        return _Range(-1, 1, "a correlation")
    if any(map(_SHARE.search, words)) and not any(map(_CHANGE.search, words)):
        return _Range(0, 100, "a share")
    return None


def _largest_deviation(number: Number, allowed: _Range, runs: int | None) -> float:
    """The largest standard deviation over runs that a mean inside a range leaves room for.

    The runs are at the ends of the range, as in DEBIT; of unknown number, they are taken as two.
    """
    n = max(runs or 2, 2)
    best = 0.0
    for mean in (number.value - number.slack, number.value, number.value + number.slack):
        room = max(0.0, (mean - allowed.low) * (allowed.high - mean))
        best = max(best, math.sqrt(room * n / (n - 1)))
    return best + number.slack


def _outside(number: Number, allowed: _Range) -> Finding:
    return number.finding(
        "outside-range",
        expected=f"{allowed.what}, from {allowed.low:g} to {allowed.high:g}",
        explanation=f"{number} is {allowed.what}, and none is outside {allowed.low:g} to "
        f"{allowed.high:g}.",
    )


def _too_wide(number: Number, allowed: _Range, largest: float) -> Finding:
    return number.finding(
        "impossible-spread",
        confidence="certain" if number.spread == "std" else "likely",
        expected=f"± at most {largest:.4g}",
        explanation=(
            f"Numbers between {allowed.low:g} and {allowed.high:g} with the mean {number.mean} "
            f"have a standard deviation of {largest:.4g} at most, whatever they are."
        ),
    )


def scale_slips(sheet: Sheet) -> Iterator[Finding]:
    """Findings on a number that is 10, 100 or 1000 times off from a line of like numbers."""
    seen = set()
    for way in sheet.both_ways() if _one_measure(sheet) else [sheet]:
        turned = way.transposed()
        for column in range(len(way.columns)):
            held = way.column(column)
            if not any(decimals(n.mean) for n in held.values()):
                continue  # sizes and counts, which may be of any size
            by_size = sorted(held, key=lambda row: abs(held[row].value))
            # Among numbers as narrow as NARROW, one that is ten times off is an end of them all.
            for row in sorted({*by_size[:1], *by_size[-1:]}):
                number = held[row]
                if _CHANCE.search(number.place):
                    continue
                others = [n.value for r, n in held.items() if r != row]
                factor = _slip(number, others)
                if not factor or number.address in seen:
                    continue
                across = [n.value for c, n in turned.column(row).items() if c != column]
                if not _alike(number.value, across):
                    seen.add(number.address)
                    yield _slipped(way, column, number, others, factor)


def _one_measure(sheet: Sheet) -> bool:
    """Whether the numbers of a table are of one size, so that its rows are like its columns."""
    sizes = [abs(n.value) for n in sheet.numbers.values() if n.value]
    middle = median(sizes) if sizes else 1.0
    return sum(1 / 3 < size / middle < 3 for size in sizes) * 4 >= len(sizes) * 3


def _alike(value: float, others: list[float]) -> bool:
    """Whether a value is of the size of most others."""
    like = [o for o in others if o * value > 0 and 1 / 3 < o / value < 3]
    return len(like) * 2 >= len(others) > 0


def _slip(number: Number, others: list[float]) -> float | None:
    """The power of ten that brings a number back among the others."""
    sizes = [abs(o) for o in others]
    if len(others) < LEAST or min(sizes) == 0 or max(sizes) > NARROW * min(sizes):
        return None
    if not number.value or len({o > 0 for o in others}) > 1:
        return None
    for factor in (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0):
        if min(sizes) / 1.25 <= abs(number.value) / factor <= max(sizes) * 1.25:
            return factor
    return None


def _slipped(
    sheet: Sheet, column: int, number: Number, others: list[float], factor: float
) -> Finding:
    low, high = min(others, key=abs), max(others, key=abs)
    return number.finding(
        "scale",
        expected=f"about {median(others):.4g}, as the {len(others)} other numbers of "
        f"{sheet.columns[column].label}",
        severity="notable",
        confidence="possible",
        explanation=(
            f"{number} is {factor:g} times what fits the other numbers of its {sheet.axis}, "
            f"which go from {low:g} to {high:g}: a point or a unit may have slipped."
        ),
    )


def intervals(sheet: Sheet) -> Iterator[Finding]:
    """Findings on a value outside the interval that is printed with it."""
    for number in sheet.numbers.values():
        if number.low is None or number.high is None:
            continue
        low, high = float(number.low), float(number.high)
        if low > high or not low - number.slack <= number.value <= high + number.slack:
            yield number.finding(
                "outside-interval",
                expected=f"a value from {min(low, high):g} to {max(low, high):g}",
                explanation=f"{number} is not inside its own interval, {low:g} to {high:g}.",
            )


def signs(sheet: Sheet) -> Iterator[Finding]:
    """Findings on the one negative number of a line of positive ones that fits without its sign."""
    for way in sheet.both_ways() if _one_measure(sheet) else [sheet]:
        for column in range(len(way.columns)):
            held = list(way.column(column).values())
            if any(_SIGNED.search(n.place) or _CHANGE.search(n.place) for n in held):
                continue
            for sign in (1, -1):
                odd = [n for n in held if sign * n.value < 0]
                rest = [sign * n.value for n in held if sign * n.value > 0]
                if len(odd) != 1 or len(rest) < LEAST or len(rest) + 1 < len(held):
                    continue
                if min(rest) / 1.25 <= -sign * odd[0].value <= max(rest) * 1.25 and max(
                    rest
                ) <= 10 * min(rest):
                    yield _wrong_sign(way, column, odd[0], len(rest))


def _wrong_sign(sheet: Sheet, column: int, number: Number, count: int) -> Finding:
    return Finding(
        rule="sign",
        subject=f"{number.address}:{sheet.axis}",
        addresses=(number.address,),
        printed=str(number),
        expected=f"the sign of the {count} other numbers of {sheet.columns[column].label}",
        severity="notable",
        confidence="likely",
        cause=f"sign {number.address}",
        explanation=(
            f"{number} alone has its sign among the numbers of its {sheet.axis}, and would be of "
            "their size without it."
        ),
    )


_NAMES = {
    "precision": re.compile(r"(?:precision|prec\.?|p|ppv)", re.IGNORECASE),
    "recall": re.compile(r"(?:recall|rec\.?|r)", re.IGNORECASE),
    "f1": re.compile(r"f-?_?1(?:[- ]?score)?|f-?(?:score|measure)", re.IGNORECASE),
    "sensitivity": re.compile(r"(?:sensitivity|sens\.?|tpr)", re.IGNORECASE),
    "specificity": re.compile(r"(?:specificity|spec\.?|tnr)", re.IGNORECASE),
    "accuracy": re.compile(r"(?:accuracy|acc\.?)", re.IGNORECASE),
}
_CLASSES = re.compile(
    r"(?P<p>\d[\d,]*) (?:\w+ )?positives?\b\D{1,20}(?P<n>\d[\d,]*) (?:\w+ )?negatives?\b",
    re.IGNORECASE,
)
_TWO_CLASSES = re.compile(r"\bbinary\b|\bpositives?\b.*\bnegatives?\b", re.IGNORECASE)
_AVERAGED = re.compile(r"fold|cross-?valid|runs|seeds|averag|mean|macro|±|bootstrap", re.IGNORECASE)
MOST = 4_000_000
"""Confusion matrices that are tried; with more, hardly any scores are impossible."""


def scores(sheet: Sheet) -> Iterator[Finding]:
    """Findings on F1 above the mean of precision and recall, and on accuracy outside its bounds.

    A harmonic mean is at most the arithmetic one, and means of both over classes, folds or runs
    keep that order, so that the bound holds for micro, macro and weighted F1. Accuracy of two
    classes is a mean of sensitivity and specificity, weighted by them; with more classes it is not,
    so that the caption has to say that there are two. Where the caption gives the numbers of
    positives and negatives, some confusion matrix must have all scores of a line, as in
    mlscorecheck (Fazekas and Kovács, Pattern Recognition 2024).
    """
    for way in sheet.both_ways():
        for group in sorted({line.group for line in way.columns}):
            at = _columns(way, group)
            for row in range(len(way.rows)):
                held = {name: way.numbers.get((row, column)) for name, column in at.items()}
                if len({n.value > 1 for n in held.values() if n is not None}) > 1:
                    continue  # some in percent, some not
                plain = [*_f1(held), *_accuracy(sheet.caption, held)]
                yield from plain or _impossible_scores(sheet.caption, held)


def _columns(sheet: Sheet, group: str) -> dict[str, int]:
    """Score -> its one column within a group of columns."""
    found: dict[str, list[int]] = {}
    for index, line in enumerate(sheet.columns):
        label = re.sub(r"\s*\(%\)|[*$%↑↓]", "", line.label).strip()
        for name, pattern in _NAMES.items():
            if line.group == group and pattern.fullmatch(label):
                found.setdefault(name, []).append(index)
    return {name: columns[0] for name, columns in found.items() if len(columns) == 1}


def _f1(held: dict[str, Number | None]) -> Iterator[Finding]:
    f1, precision, recall = (held.get(name) for name in ("f1", "precision", "recall"))
    if f1 is None or precision is None or recall is None:
        return
    most = (precision.value + recall.value) / 2
    if f1.value - f1.slack > most + (precision.slack + recall.slack) / 2:
        yield _scores_finding(f1, (precision, recall), f"at most {most:.4g}", (
            "F1 is a harmonic mean, which is never above the arithmetic one; that holds for means "
            "over classes and runs too"
        ))  # fmt: skip


def _accuracy(caption: str, held: dict[str, Number | None]) -> Iterator[Finding]:
    if not _TWO_CLASSES.search(caption) or _AVERAGED.search(caption):
        return
    names = ("accuracy", "sensitivity", "specificity")
    accuracy, one, other = (held.get(name) for name in names)
    if accuracy is None or one is None or other is None:
        return
    low, high = sorted((one, other), key=lambda n: n.value)
    above = accuracy.value - accuracy.slack > high.value + high.slack
    if above or accuracy.value + accuracy.slack < low.value - low.slack:
        yield _scores_finding(accuracy, (one, other), f"from {low.text} to {high.text}", (
            "accuracy of two classes is a mean of sensitivity and specificity, weighted by them"
        ), "likely")  # fmt: skip


def _impossible_scores(caption: str, held: dict[str, Number | None]) -> Iterator[Finding]:
    told = _CLASSES.search(caption)
    known = {name: number for name, number in held.items() if number is not None}
    if told is None or _AVERAGED.search(caption) or any(n.error for n in known.values()):
        return
    positives, negatives = (int(told[name].replace(",", "")) for name in ("p", "n"))
    if len(known) < 2 or not 0 < positives * negatives <= MOST:
        return
    if not _possible(known, positives, negatives):
        first, *rest = known.values()
        yield Finding(
            rule="scores",
            subject=first.address,
            addresses=tuple(n.address for n in known.values()),
            printed=f"{first} beside {', '.join(map(str, rest))}",
            expected=f"scores of one of the {(positives + 1) * (negatives + 1):,} confusion "
            "matrices",
            severity="severe",
            confidence="likely",
            explanation=(
                f"No classification of {positives} positives and {negatives} negatives has all of "
                f"these scores, however they were rounded: {', '.join(map(str, known.values()))}."
            ),
        )


def _possible(known: dict[str, Number], positives: int, negatives: int) -> bool:
    """Whether some confusion matrix has all of the scores, to their rounding."""

    tp = np.arange(positives + 1)[:, None]
    tn = np.arange(negatives + 1)[None, :]
    fits = np.ones((positives + 1, negatives + 1), dtype=bool)
    with np.errstate(invalid="ignore"):
        rates = {
            "sensitivity": tp / positives,
            "recall": tp / positives,
            "specificity": tn / negatives,
            "accuracy": (tp + tn) / (positives + negatives),
            "precision": tp / (tp + negatives - tn),
            "f1": 2 * tp / (positives + tp + negatives - tn),
        }
    scale = 100 if any(n.value > 1 for n in known.values()) else 1
    for name, number in known.items():
        fits &= np.abs(scale * rates[name] - number.value) <= number.slack
    return bool(fits.any())


def _scores_finding(
    score: Number,
    parts: tuple[Number, Number],
    expected: str,
    why: str,
    confidence: Confidence = "certain",
) -> Finding:
    return Finding(
        rule="scores",
        subject=score.address,
        addresses=(score.address, *(part.address for part in parts)),
        printed=f"{score} beside {parts[0]} and {parts[1]}",
        expected=expected,
        severity="severe",
        confidence=confidence,
        explanation=f"{score} cannot go with {parts[0]} and {parts[1]}: {why}.",
    )
