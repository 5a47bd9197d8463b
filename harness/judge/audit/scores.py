"""Rules: scores of one classifier that cannot go together, whatever it classified."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.judge.audit.finding import Confidence, Finding
from harness.judge.audit.sheet import Number, Sheet

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
                yield from plain or _impossible(sheet.caption, held)


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
        yield _finding(f1, (precision, recall), f"at most {most:.4g}", (
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
        yield _finding(accuracy, (one, other), f"from {low.text} to {high.text}", (
            "accuracy of two classes is a mean of sensitivity and specificity, weighted by them"
        ), "likely")  # fmt: skip


def _impossible(caption: str, held: dict[str, Number | None]) -> Iterator[Finding]:
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
    import numpy as np  # takes a while, and few papers need it

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


def _finding(
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
