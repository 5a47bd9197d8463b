"""Rule: a sentence that calls a row the best, or better than another, agrees with the table.

A sentence is held against a table only where it names rows and columns as the table spells them.
Which values are better is known from an arrow, from what bold marks, or from the measure's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.judge.audit.finding import Finding
from harness.judge.audit.marks import direction
from harness.judge.audit.said import Said
from harness.judge.audit.sentences import named_lines
from harness.judge.audit.sheet import Better, Number, Sheet
from harness.words import listed

_BEST = re.compile(
    r"\b(?:has|have|achiev\w+|obtain\w*|reach\w*|attain\w*|yields?|gets?|shows?|with|is|are) "
    r"(?:by far )?the (?:overall )?(?P<word>best|highest|largest|lowest|smallest)\b"
    r"(?! (?:of|among|in) (?:the )?(?:\w+ )?(?:baselines|others|remaining|rest))",
    re.IGNORECASE,
)
_BETTER = re.compile(
    r"^[\s,(]*(?:(?:also|clearly|consistently|substantially|significantly|even) )*"
    r"(?P<word>outperforms?|beats?|surpass(?:es)?|exceeds?|is (?:better|higher|lower) than)\b"
    r"[\s,]*(?:the |both )*$",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\b(?:not|never|neither|nor|cannot|fails?|without|except|excluding|besides|aside|apart|among|"
    r"amongst|within|second|third|next|most|mostly|many|some|often|usually|generally|average\w*|"
    r"mean|up to|trade-?off|previous\w*|prior|although|while|whereas|but|however|when|if|would|"
    r"could|may|might|expected?|per|relative|gains?|improve\w*|gap|drop)\b|n't\b",
    re.IGNORECASE,
)
"""Words with which a sentence may rank others than all rows, or something else than the cells."""
_EVERYWHERE = re.compile(
    r"\b(?:on|in|across|for|over) (?:all|every|each)\b|\beverywhere\b|\bthroughout\b", re.IGNORECASE
)
_HIGH = re.compile(
    r"\b(?:acc(?:uracy)?|f1|auc|auroc|bleu|rouge|map|miou|recall|precision|psnr|ssim|r2)\b", re.I
)
_LOW = re.compile(
    r"\b(?:error|loss|rmse|mse|mae|mape|smape|perplexity|ppl|fid|wer|cer|latency|runtime)\b", re.I
)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A row that a sentence puts first, and the one that it is put above, or all others."""

    row: int
    below: int | None
    word: str


def rankings(said: Sequence[Said], sheets: Sequence[Sheet]) -> Iterator[Finding]:
    """Findings on sentences that rank rows otherwise than the table that they name or cite."""
    for sentence in said:
        if _HEDGED.search(sentence.text):
            continue
        cited = [sheet for sheet in sheets if sheet.label in sentence.references]
        read = [(s, found) for s in cited or sheets if (found := _read(sentence.text, s))]
        if len(read) == 1:
            sheet, (ranked, columns) = read[0]
            wrong = [pair for c in columns if (pair := _against(sheet, ranked, c)) is not None]
            if wrong:
                yield _finding(sentence, sheet, ranked, wrong, certain=bool(cited))


def _read(text: str, sheet: Sheet) -> tuple[_Ranked, list[int]] | None:
    """What a sentence ranks, and in which columns."""
    rows = named_lines(text, [line.label for line in sheet.rows])
    named = named_lines(text, [line.label for line in sheet.columns])
    if rows and len({start > rows[0][1] for _, start, _ in named}) > 1:
        return None  # several clauses, each with its own columns
    columns = [at for at, _, _ in named]
    if not columns and (len(sheet.columns) == 1 or _EVERYWHERE.search(text)):
        columns = list(range(len(sheet.columns)))
    if not columns or not rows:
        return None
    row, _, end = rows[0]
    best = _BEST.search(text)
    if len(rows) == 1 and best and 0 <= best.start() - end <= 20:
        return _Ranked(row, None, best["word"].lower()), columns
    if len(rows) == 2:
        between = _BETTER.match(text[end : rows[1][1]])
        if between:
            return _Ranked(row, rows[1][0], between["word"].lower()), columns
    return None


def _against(sheet: Sheet, ranked: _Ranked, column: int) -> tuple[Number, Number] | None:
    """(the number that is put first, one that is surely before it) in a column, or None."""
    held = sheet.column(column)
    better = _better(sheet, ranked.word, column)
    first = held.get(ranked.row)
    if first is None or not better:
        return None
    others = [n for row, n in held.items() if row != ranked.row and ranked.below in (None, row)]
    sign = 1 if better == "higher" else -1
    above = [n for n in others if sign * n.value - n.slack > sign * first.value + first.slack]
    return (first, max(above, key=lambda n: sign * n.value)) if above else None


_OF_VALUE: dict[str, Better] = {
    "highest": "higher", "largest": "higher", "is higher than": "higher",
    "lowest": "lower", "smallest": "lower", "is lower than": "lower",
    "exceed": "higher", "exceeds": "higher",
}  # fmt: skip


def _better(sheet: Sheet, word: str, column: int) -> Better:
    """Which values the word calls better in a column; nothing where that cannot be told."""
    if word in _OF_VALUE:
        return _OF_VALUE[word]
    better = direction(sheet, column) or _by_name(sheet, column)
    # With errors and durations, "surpasses" may mean that it is better, or that it is more.
    return "" if word.startswith("surpass") and better == "lower" else better


def _by_name(sheet: Sheet, column: int) -> Better:
    """Which values are better by the names of well-known measures."""
    words = f"{sheet.columns[column].words} {sheet.caption}"
    high, low = bool(_HIGH.search(words)), bool(_LOW.search(words))
    if high == low:
        return ""
    return "higher" if high else "lower"


def _finding(
    sentence: Said,
    sheet: Sheet,
    ranked: _Ranked,
    wrong: Sequence[tuple[Number, Number]],
    *,
    certain: bool,
) -> Finding:
    pairs = [f"{first} and {other}" for first, other in wrong]
    return Finding(
        rule="ranking",
        subject=sentence.address,
        addresses=(sentence.address, *(n.address for pair in wrong for n in pair)),
        printed=f"“{sentence.text}” ({sentence.where}); {listed(pairs)}",
        expected=f"{sheet.rows[ranked.row].label} {ranked.word} in {sheet.label}",
        severity="notable",
        confidence="likely" if certain else "possible",
        explanation=(
            f"{sentence.where} says that {sheet.rows[ranked.row].label} comes first, which "
            f"{listed(pairs)} of {sheet.label} do not bear out."
        ),
    )
