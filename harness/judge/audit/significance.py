"""Rule: "significant" and "no correlation" against what the coefficient and its points allow."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, mentions
from harness.judge.audit.said import Said
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
