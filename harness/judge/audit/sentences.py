"""Rules: numbers in running text against the cells of tables, and against each other.

A sentence is tied to a cell where it names one row and one column of a table, as the table spells
them, and has as many numbers as cells. A number that some other cell has, or that follows from two
cells, may be about those; it is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from math import prod

from harness.judge.audit.finding import Finding
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Number, Sheet
from harness.spec.printed import decimals, half_unit, may_print

_NUMBER = re.compile(r"(?<![\w.,^_{/])[-−+]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w^]|[.,]\d)")
_AFTER_SIGN = re.compile(r"(?:±|\+/-)\s*$")
_ELSEWHERE = re.compile(
    r"(?:tab(?:le|s)?|fig(?:ure|s)?|sec(?:tion)?|eq(?:uation)?|appendix|chapter|seeds?|p)\W*$",
    re.IGNORECASE,
)
_COMPARING = re.compile(
    r"\b(?:by|points?|pp|at (?:least|most)|than|"
    r"up to|down to|nearly|almost|about|around|roughly|approximately|gains?|improve\w*|increas\w*|"
    r"decreas\w*|drop\w*|differen\w*|gap|margin|between|from|average\w*|mean|prior work|et al|"
    r"previous\w*|earlier|originally|reported in|threshold|target|if|would|when)\b|[~≈<>≤≥]",
    re.IGNORECASE,
)
"""Words with which a number may be another than the cell that the names meet in."""
_COMMON = re.compile(
    r"all|total|mean|average|yes|no|none|other|ours?|base|full|the|in|on|is|model|method|data|set|"
    r"values?|scores?|results?|tests?|train|time|size|type|name|n",
    re.IGNORECASE,
)
"""Labels that may stand in a sentence without naming a line."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A number in a sentence, and the cell that it is about."""

    text: str
    value: Decimal
    cell: Number

    @property
    def agrees(self) -> bool:
        """Whether some number rounds to both, in the same unit or in percent of it."""
        cell = self.cell
        for scale in (Decimal(1), Decimal(100), Decimal("0.01")):
            slack = half_unit(self.value) + cell.half * scale
            if abs(self.value - cell.mean * scale) <= slack:
                return True
        return False


def told_cells(said: Sequence[Said], sheets: Sequence[Sheet]) -> Iterator[Finding]:
    """Findings on sentences with another number than the cell that they name."""
    if not sheets:
        return
    for sentence in said:
        cited = [sheet for sheet in sheets if sheet.label in sentence.references]
        read = [(sheet, told) for sheet in cited or sheets if (told := _read(sentence, sheet))]
        wrong = [(sheet, [t for t in told if not t.agrees]) for sheet, told in read]
        # With two readings, one that agrees is the one that is meant.
        if len(read) == 1 and wrong[0][1]:
            sheet, told = wrong[0]
            beside = cited or sheets
            if all(_is_alone(each, beside, told) for each in told) and (
                cited or not any(_follows(each, sheet) for each in told)
            ):
                yield _told_finding(sentence, sheet, told, certain=bool(cited))


def _read(sentence: Said, sheet: Sheet) -> list[_Told]:
    """The numbers of a sentence, each with the cell that the names beside it meet in."""
    if _COMPARING.search(sentence.text):
        return []
    rows, text = _named(sentence.text, [line.label for line in sheet.rows])
    columns, text = _named(text, [line.label for line in sheet.columns])
    if len(sheet.columns) == 1 and not columns:
        columns = [0]
    numbers = [
        (match[0], Decimal(match[0].replace("−", "-").replace(",", "")))
        for match in _NUMBER.finditer(text)
        if not _ELSEWHERE.search(text[: match.start()])
        and not _AFTER_SIGN.search(text[: match.start()])
    ]
    if 1 not in (len(rows), len(columns)):
        return []
    places = [(r, c) for r in rows for c in columns]
    cells = [sheet.numbers[at] for at in places if at in sheet.numbers]
    if not cells or not len(numbers) == len(cells) == len(places):
        return []
    pairs = zip(numbers, cells, strict=True)
    told = [_Told(word, value, cell) for (word, value), cell in pairs]
    near = sheet.label in sentence.references
    return told if all(_like(each, near) for each in told) else []


def named_lines(text: str, labels: Sequence[str]) -> list[tuple[int, int, int]]:
    """The lines that a text names once, in its order, each with where its name begins and ends.

    None, where one is named twice, or by a label that several lines have.
    """
    places: dict[int, tuple[int, int]] = {}
    for label in sorted(set(labels), key=lambda label: (-len(label), label)):
        if len(label) < 2 or not re.search(r"[A-Za-z]", label) or _COMMON.fullmatch(label):
            continue
        pattern = re.compile(rf"(?<![\w-]){re.escape(label)}(?![\w-]|\.\d)")
        for match in list(pattern.finditer(text)):
            if labels.count(label) > 1:
                return []
            places[match.start()] = (labels.index(label), match.end())
            text = _blanked(text, match.start(), match.end())
    found = [(places[at][0], at, places[at][1]) for at in sorted(places)]
    return found if len({line for line, _, _ in found}) == len(found) else []


def _named(text: str, labels: Sequence[str]) -> tuple[list[int], str]:
    """The lines that a text names, and the text without the names."""
    found = named_lines(text, labels)
    for _, start, end in found:
        text = _blanked(text, start, end)
    return [line for line, _, _ in found], text


def _blanked(text: str, start: int, end: int) -> str:
    return text[:start] + "·" * (end - start) + text[end:]


def _like(told: _Told, cited: bool) -> bool:
    """Whether a number of a text is of the kind of a cell, and of its size if none is cited."""
    cell = told.cell
    shape = decimals(told.value) > 0 or (not decimals(cell.mean) and abs(cell.mean) >= 100)
    near = cell.mean != 0 and Decimal("0.5") < told.value / cell.mean < 2
    return shape and (cited or near or told.agrees)


def _is_alone(told: _Told, sheets: Sequence[Sheet], wrong: Sequence[_Told]) -> bool:
    """Whether no other cell has the number, in its value or after its ±."""
    own = {each.cell.address for each in wrong}
    slack = half_unit(told.value)
    return not any(
        abs(value - told.value) <= slack
        for other in sheets
        for number in other.numbers.values()
        if number.address not in own
        for value in (number.mean, number.error)
        if value is not None
    )


def _follows(told: _Told, sheet: Sheet) -> bool:
    """Whether two cells of the row or the column derive the number."""
    for way in sheet.both_ways():
        for index in range(len(way.columns)):
            line = list(way.column(index).values())
            if told.cell in line and _derived(told.value, line, half_unit(told.value)):
                return True
    return False


def _derived(value: Decimal, line: Sequence[Number], slack: Decimal) -> bool:
    """Whether a number is the mean of a line, or a difference or a change of two of its cells."""
    total = sum((n.mean for n in line), Decimal(0))
    if abs(total / len(line) - value) <= slack or abs(total - value) <= slack:
        return True
    for a, b in combinations(line, 2):
        gap = abs(a.mean - b.mean)
        worked = [gap, (a.mean + b.mean) / 2, *(100 * gap / n.mean for n in (a, b) if n.mean)]
        if any(abs(abs(value) - each) <= slack + a.half + b.half for each in worked):
            return True
    return False


def _told_finding(sentence: Said, sheet: Sheet, told: Sequence[_Told], *, certain: bool) -> Finding:
    pairs = "; ".join(f"{each.text}, where the table has {each.cell}" for each in told)
    within = all(
        each.cell.error is not None and abs(each.value - each.cell.mean) <= each.cell.error
        for each in told
    )
    return Finding(
        rule="text-cell",
        subject=sentence.address,
        addresses=(sentence.address, *(each.cell.address for each in told)),
        printed=f"“{sentence.text}” ({sentence.where})",
        expected=", ".join(str(each.cell) for each in told),
        severity="notable" if within else "severe",
        confidence="certain" if certain else "likely",
        explanation=(
            f"{sentence.where} says {pairs}. No rounding makes them one number, and no other cell "
            f"of {sheet.label} has the one in the text."
        ),
    )


_OF = re.compile(
    r"(?<![\d.,/])(?P<part>\d+)\s*(?:/|(?:out )?of)\s*(?P<whole>\d+)\s*[^\d()]{0,20}"
    r"\((?P<share>\d+(?:\.\d+)?)\s*%\)"
)
_TERM = r"\d+(?:,\d{3})*(?:\.\d+)?"
_WORKED = re.compile(
    rf"(?<![\w.,])(?P<left>{_TERM}(?:\s*[×+]\s*{_TERM})+)\s*=\s*"
    rf"(?P<right>{_TERM})(?![\d.,]*\s*[×*+/–−^%-]|\.?\d|[A-Za-z]|\s*[KMB]\b|\s*[bm]illion)"
)
_GOES_ON = ("×", "*", "·", "+", "/", "–", "−", "-", "^", "_", ",", ".")
"""Signs before a formula of which it may be the end only."""


def worked_numbers(said: Sequence[Said]) -> Iterator[Finding]:
    """Findings on `k of n (p %)`, `a × b = c` and `a + b = c` in a text that do not come out."""
    for sentence in said:
        for match in _OF.finditer(sentence.text):
            part, whole, share = (Decimal(match[name]) for name in ("part", "whole", "share"))
            if whole and part <= whole:
                yield from _unless(sentence, match[0], 100 * part / whole, share, "percent")
        for match in _WORKED.finditer(sentence.text):
            value = _worked(sentence.text[: match.start()], match)
            if value is not None:
                yield from _unless(sentence, match[0], value, _decimal(match["right"]), "")


def _worked(before: str, match: re.Match[str]) -> Decimal | None:
    """The value of a formula; None where it is the end of a longer one.

    Terms with decimals may be rounded: where the printed result lies in their reach, it is taken.
    """
    signs = set(re.findall(r"[×+]", match["left"]))
    if len(signs) != 1 or before.rstrip().endswith(_GOES_ON):
        return None
    terms = [_decimal(term) for term in re.split(r"\s*[×+]\s*", match["left"])]
    halves = [half_unit(term) if decimals(term) else Decimal(0) for term in terms]
    low, value, high = (
        sum(each, Decimal(0)) if signs == {"+"} else prod(each, start=Decimal(1))
        for each in (
            [term + side * half for term, half in zip(terms, halves, strict=True)]
            for side in (-1, 0, 1)
        )
    )
    told = _decimal(match["right"])
    return told if low <= told <= high else value


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _unless(
    sentence: Said, printed: str, value: Decimal, told: Decimal, unit: str
) -> Iterator[Finding]:
    """A finding, unless the told number is the value, rounded or cut off."""
    if may_print(value, told):
        return
    short = f"{value:f}" if value == value.to_integral_value() else f"{float(value):.6g}"
    yield Finding(
        rule="worked-number",
        subject=f"{sentence.address}:{printed}",
        addresses=(sentence.address,),
        printed=f"{printed} ({sentence.where})",
        expected=f"{short} {unit}".strip(),
        severity="severe",
        confidence="certain",
        explanation=f"{sentence.where} prints {printed}, which comes to {short}.",
    )
