"""Rules: scores of one classifier that cannot go together, whatever it classified."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Number, Sheet

_NAMES = {
    "precision": re.compile(r"(?:precision|prec\.?|p|ppv)", re.IGNORECASE),
    "recall": re.compile(r"(?:recall|rec\.?|r)", re.IGNORECASE),
    "f1": re.compile(r"f-?_?1(?:[- ]?score)?|f-?(?:score|measure)", re.IGNORECASE),
    "sensitivity": re.compile(r"(?:sensitivity|sens\.?|tpr)", re.IGNORECASE),
    "specificity": re.compile(r"(?:specificity|spec\.?|tnr)", re.IGNORECASE),
    "accuracy": re.compile(r"(?:accuracy|acc\.?)", re.IGNORECASE),
}


def scores(sheet: Sheet) -> Iterator[Finding]:
    """Findings on F1 above the mean of precision and recall, and on accuracy outside its bounds.

    A harmonic mean is at most the arithmetic one, and means of both over classes, folds or runs
    keep that order, so that the bound holds for micro, macro and weighted F1. Accuracy is a mean of
    sensitivity and specificity, weighted by the classes.
    """
    for way in sheet.both_ways():
        for group in sorted({line.group for line in way.columns}):
            at = _columns(way, group)
            for row in range(len(way.rows)):
                held = {name: way.numbers.get((row, column)) for name, column in at.items()}
                yield from _f1(held)
                yield from _accuracy(held)


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


def _accuracy(held: dict[str, Number | None]) -> Iterator[Finding]:
    names = ("accuracy", "sensitivity", "specificity")
    accuracy, one, other = (held.get(name) for name in names)
    if accuracy is None or one is None or other is None:
        return
    low, high = sorted((one, other), key=lambda n: n.value)
    above = accuracy.value - accuracy.slack > high.value + high.slack
    if above or accuracy.value + accuracy.slack < low.value - low.slack:
        yield _finding(accuracy, (one, other), f"from {low.text} to {high.text}", (
            "accuracy is a weighted mean of sensitivity and specificity, whatever the classes"
        ))  # fmt: skip


def _finding(score: Number, parts: tuple[Number, Number], expected: str, why: str) -> Finding:
    return Finding(
        rule="scores",
        subject=score.address,
        addresses=(score.address, *(part.address for part in parts)),
        printed=f"{score} beside {parts[0]} and {parts[1]}",
        expected=expected,
        severity="severe",
        confidence="certain",
        explanation=f"{score} cannot go with {parts[0]} and {parts[1]}: {why}.",
    )
