"""Rules: what sentences and captions say of exhibits holds of them, and of the paper's numbers.

A sentence may be several claims, such as one for each pair of methods that it compares; where its
numbers contradict it, it gets one finding, which names those that fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.audit.finding import Finding, Source
from harness.judge.audit.sheet import Mention, mentions
from harness.judge.outcomes import on_reported
from harness.spec.base import Scalar
from harness.spec.claims import Claim, ParameterCount, addresses
from harness.spec.exhibit import Table, variables_of
from harness.spec.kinds import Lemma, Panelled
from harness.spec.paper import Paper
from harness.spec.statements import Bound, NamesRows, Plots, Symbol
from harness.words import listed

_CITED = re.compile(
    r"\b(?P<word>Fig(?:ure|s)?|Tab(?:le|s)?)\b\.?\s*(?P<number>\d+)\s*(?:\((?P<panel>[a-z])\))?"
    r"(?P<after>.{0,24})",
    re.DOTALL,
)
_ELSEWHERE = re.compile(r"main (?:paper|text)|appendix|supplement|\[\d+\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence or a caption."""

    address: str
    where: str
    """The same, in the words of the paper."""
    text: str
    references: tuple[str, ...] = ()
    """Labels of tables and figures that it refers to, where its source has labels."""
    source: Source | None = None


def bounds(paper: Paper) -> Iterator[Finding]:
    """Findings on a row that is called the best obtainable and that others exceed."""
    numbers = {mention.address: mention for mention in mentions(paper)}
    for statement in paper.statements:
        if isinstance(statement, Bound):
            found = [
                pair
                for name in statement.exhibits
                for pair in _above(paper, statement, name, numbers)
            ]
            sure = [pair for pair in found if _beyond_spread(*pair)]
            if found:
                yield _exceeded(statement, found, sure)


def _above(
    paper: Paper, bound: Bound, name: str, numbers: dict[str, Mention]
) -> Iterator[tuple[Mention, Mention]]:
    """(best, above it) wherever rounding does not explain it."""
    exhibit = paper.exhibits[name]
    for column in exhibit.column_names:
        best = numbers.get(f"{name}:{bound.row}:{column}")
        for row in bound.over:
            other = numbers.get(f"{name}:{row}:{column}")
            if best and other and other.mean - other.half >= best.mean + best.half:
                yield best, other


def _beyond_spread(best: Mention, other: Mention) -> bool:
    errors = [m.error for m in (best, other) if m.error is not None]
    return len(errors) == 2 and other.mean - best.mean > 2 * sum(errors)


def _exceeded(
    bound: Bound, found: list[tuple[Mention, Mention]], sure: list[tuple[Mention, Mention]]
) -> Finding:
    first, by = max(sure or found, key=lambda pair: pair[1].mean - pair[0].mean)
    gaps = [
        f"{other} is {other.mean - best.mean} above {best.text}"
        for best, other in sorted(found, key=lambda pair: pair[0].mean - pair[1].mean)
    ]
    return Finding(
        rule="bound-exceeded",
        subject=f"{bound.exhibits[0]}:{bound.row}",
        addresses=tuple(dict.fromkeys(m.address for pair in found for m in pair)),
        printed="; ".join(gaps),
        expected=f"nothing above {bound.row}",
        severity="notable",
        confidence="certain" if sure else "likely",
        explanation=(
            f"{bound.where} calls {bound.row} the best that can be had: “{bound.quote}”. But "
            f"{by} is {by.mean - first.mean} above {first}"
            + (", more than twice what both ± sum to" if sure else "")
            + ". Either it was not searched to the end, or the two were not run alike."
        ),
    )


def named_rows(paper: Paper) -> Iterator[Finding]:
    """Findings on rows that a sentence names and the table that it cites does not have."""
    for statement in paper.statements:
        if not isinstance(statement, NamesRows):
            continue
        missing = {
            name: [row for row in statement.rows if row not in paper.exhibits[name].row_names]
            for name in statement.exhibits
        }
        for name, rows in missing.items():
            if rows:
                label = paper.exhibits[name].label
                yield Finding(
                    rule="named-row",
                    subject=f"{name}:{','.join(rows)}",
                    addresses=(f"{name}:table",),
                    printed=f"“{statement.quote}” ({statement.where})",
                    expected=f"{listed(rows)} among the rows of {label}: "
                    + ", ".join(paper.exhibits[name].row_names),
                    severity="notable",
                    confidence="likely",
                    explanation=(
                        f"{statement.where} names {listed(rows)} and cites {label} for it, which "
                        f"has no such row, so that the sentence cannot be checked there."
                    ),
                )


def plotted_terms(paper: Paper) -> Iterator[Finding]:
    """Findings on quantities that a caption speaks of and no panel of its figure shows."""
    for statement in paper.statements:
        if not isinstance(statement, Plots):
            continue
        exhibit = paper.exhibits[statement.exhibit]
        panels = exhibit.panels if isinstance(exhibit, Panelled) else ()
        shown = " ".join(
            f"{p.shows} {p.x} {p.y} {' '.join((*p.methods, *p.networks, *p.regimes))}"
            for p in panels
        ).casefold()
        for term in statement.terms:
            if term.casefold() not in shown:
                yield Finding(
                    rule="unplotted-term",
                    subject=f"{statement.exhibit}:{term}",
                    addresses=(f"{statement.exhibit}:caption:{term}",),
                    printed=f"“{statement.quote}” ({statement.where})",
                    expected=f"{term} in a panel of {exhibit.label}",
                    severity="notable",
                    confidence="likely",
                    explanation=(
                        f"{statement.where} speaks of {term}, which no panel of {exhibit.label} "
                        "plots. Another quantity may be meant, and a reader cannot tell which."
                    ),
                )


def symbols(paper: Paper) -> Iterator[Finding]:
    """Findings on symbols that are given two meanings."""
    found: dict[str, list[Symbol]] = {}
    for statement in paper.statements:
        if isinstance(statement, Symbol):
            found.setdefault(statement.symbol, []).append(statement)
    for symbol, places in sorted(found.items()):
        meanings = list(dict.fromkeys(place.meaning for place in places))
        if len(meanings) > 1:
            told = "; ".join(f"{place.meaning} ({place.where})" for place in places)
            yield Finding(
                rule="symbol",
                subject=symbol,
                addresses=tuple(f"symbol:{symbol}:{place.where}" for place in places),
                printed=f"{symbol}: {told}",
                expected=f"one meaning of {symbol}",
                severity="minor",
                confidence="certain",
                explanation=(
                    f"{symbol} stands for {listed(meanings)}. Who reads one of the places with the "
                    "meaning of another is misled."
                ),
            )


def citations(paper: Paper) -> Iterator[Finding]:
    """Findings on figures, tables and panels that a quoted sentence cites and nobody finds."""
    labels = {exhibit.label: exhibit for exhibit in paper.exhibits.values()}
    missing: dict[str, str] = {}
    for said in texts(paper):
        where = said.where
        for match in _CITED.finditer(said.text):
            if _ELSEWHERE.search(match["after"]):
                continue
            label = f"{'Figure' if match['word'].startswith('Fig') else 'Table'} {match['number']}"
            exhibit = labels.get(label)
            panels = [p.name for p in exhibit.panels] if isinstance(exhibit, Panelled) else []
            lettered = bool(panels) and all(re.fullmatch("[a-z]", name) for name in panels)
            if exhibit is None and any(known.split()[0] == label.split()[0] for known in labels):
                missing.setdefault(label, where)
            elif match["panel"] and lettered and match["panel"] not in panels:
                missing.setdefault(f"{label}({match['panel']})", where)
    for label, where in missing.items():
        yield Finding(
            rule="citation",
            subject=label,
            addresses=(f"citation:{label}",),
            printed=f"{label} ({where})",
            expected="a figure, table or panel that the paper has",
            severity="notable",
            confidence="likely",
            explanation=f"{where} cites {label}, which is not there, so that its evidence is not.",
        )


def texts(paper: Paper) -> Iterator[Said]:
    """All that the specs quote."""
    for exhibit in paper.exhibits.values():
        yield Said(f"{exhibit.id}:caption", f"{exhibit.label}, caption", exhibit.caption)
        for key, stated in exhibit.stated.items():
            yield Said(f"{exhibit.id}:stated:{key}", stated.where, stated.quote)
    for claim in paper.claims.values():
        yield Said(f"claim:{claim.id}", claim.where, claim.text)
    for statement in paper.statements:
        yield Said(f"citation:{statement.where}", statement.where, statement.quote)


def relations(paper: Paper) -> Iterator[Finding]:
    """Findings on a relation that one place states with ≈ and another with =."""
    for lemma in paper.exhibits_of(Lemma):
        found: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
        places = {"assumption": lemma.assumption, "statement": lemma.statement, **lemma.steps}
        for place, text in places.items():
            for left, sign, right in _formulas(text):
                found.setdefault((_bare(left), _bare(right)), {}).setdefault(
                    sign, (place, f"{left} {sign} {right}")
                )
        for signs in found.values():
            if len(signs) > 1:
                yield _changed(lemma, signs)


_SIGNS = r"\\approx|\\leq?|\\geq?|\\equiv|\\propto|\\sim|<|>|="


def _formulas(text: str) -> Iterator[tuple[str, str, str]]:
    """(left, sign, right) of every formula with one relation, and of each step of a chain."""
    formulas = re.findall(r"\$([^$]+)\$", text) or [text]
    for formula in formulas:
        parts = re.split(f"({_SIGNS})", re.sub(r"[&\n]|\\\\", " ", formula))
        for index in range(1, len(parts) - 1, 2):
            left, right = parts[index - 1].strip(" ,.;"), parts[index + 1].strip(" ,.;")
            if left and right:
                yield left, parts[index], right


def _bare(formula: str) -> str:
    """A formula without spaces and without the arguments of its functions."""
    text = re.sub(r"\\(?:left|right|,|;|!|quad)", "", formula)
    text = re.sub(r"(?<=[A-Za-z}])\s*\([^()]*\)", "", text)
    return re.sub(r"\s+", "", text)


def _changed(lemma: Lemma, signs: dict[str, tuple[str, str]]) -> Finding:
    told = [f"{formula} ({place})" for place, formula in signs.values()]
    return Finding(
        rule="relation",
        subject=f"{lemma.id}:{' '.join(sorted(place for place, _ in signs.values()))}",
        addresses=tuple(f"{lemma.id}:{place}" for place, _ in signs.values()),
        printed="; ".join(told),
        expected="one relation between the two sides",
        severity="minor",
        confidence="certain",
        explanation=(
            f"{lemma.label} relates the same two sides by {listed(sorted(signs))}: {listed(told)}. "
            "What holds exactly and what approximately is then not said."
        ),
    )


def captions(paper: Paper) -> Iterator[Finding]:
    """Findings on captions that name another value than the cells have."""
    for table in paper.exhibits_of(Table):
        for variable, said in table.caption_binds.items():
            used = _caption_values(table, variable)
            if used - {said}:
                yield _caption_finding(table, variable, said, used)


def _caption_values(table: Table, variable: str) -> set[Scalar | None]:
    """The values that a variable has over the cells of a table."""
    if table.average is not None and table.average.over == variable:
        return set(table.average.values)
    return {variables_of(table, row, column).get(variable) for row, column, _ in table.cells()}


def _caption_finding(
    table: Table, variable: str, said: Scalar, used: set[Scalar | None]
) -> Finding:
    values = ", ".join(sorted(str(value) for value in used))
    averaged = table.average is not None and table.average.over == variable
    cells = "means over" if averaged else "cells of"
    other = sorted(name for name, value in table.bind.items() if value == said and name != variable)
    reading = f" It is the {other[0].replace('_', ' ')}, which may be meant." if other else ""
    return Finding(
        rule="caption",
        subject=f"{table.id}:{variable}",
        addresses=(f"{table.id}:caption:{variable}",),
        printed=f"{variable} {said} ({table.label}, caption)",
        expected=f"{variable} {values}",
        severity="notable",
        confidence="likely",
        cause=f"caption: {variable} beside {', '.join(other)}" if other else "",
        explanation=(
            f"The caption of {table.label} gives {said} as the {variable}, but the text makes its "
            f"numbers {cells} {values}.{reading} A reader who goes by the caption runs something "
            "else."
        ),
    )


def contradicted_claims(paper: Paper) -> Iterator[Finding]:
    """Findings on sentences with claims that fail, whatever the specs expect of them."""
    sentences: dict[tuple[str, str], list[Claim]] = {}
    for claim in paper.claims.values():
        # The rule for counts reports on these, and knows of what network a wrong one is.
        if not isinstance(claim, ParameterCount):
            sentences.setdefault((claim.where, claim.text), []).append(claim)
    numbers = {mention.address: str(mention) for mention in mentions(paper)}
    for claims in sentences.values():
        outcomes = {claim.id: on_reported(paper, claim) for claim in claims}
        failed = [claim for claim in claims if outcomes[claim.id].outcome == "fails"]
        if failed:
            why = outcomes[failed[0].id].why
            compared = [text for address, text in numbers.items() if address in why]
            yield _finding(claims, failed, why, compared)


def _finding(claims: list[Claim], failed: list[Claim], why: str, compared: list[str]) -> Finding:
    first = failed[0]
    numbers = dict.fromkeys(address for claim in failed for address in addresses(claim))
    many = (
        f"{len(failed)} of the {len(claims)} comparisons in it fail, first " if claims[1:] else ""
    )
    return Finding(
        rule="claim",
        subject=claims[0].id,
        addresses=(*(f"claim:{claim.id}" for claim in failed), *numbers),
        cause=f"claim: {first.text}",
        printed=f"“{first.text}” ({first.where})"
        + (f" and {listed(compared[:4])}" if compared else ""),
        expected="numbers that bear it out",
        severity="notable",
        confidence="likely",
        explanation=(
            f"{first.where} says “{first.text}”. On the paper's own numbers, "
            f"{many}{first.id}: {why}."
        ),
    )
