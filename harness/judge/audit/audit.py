"""The audit: all rules over one paper, and one finding for one cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from harness.judge.audit.aggregates import aggregates, counts_of, extremes, shares
from harness.judge.audit.descriptives import counts_in_text, descriptives, granularity
from harness.judge.audit.finding import SEVERITIES, Finding
from harness.judge.audit.marks import (
    bold_is_best,
    digits,
    repeated_rows,
    star_order,
    underline_is_second,
)
from harness.judge.audit.order import order_breaks
from harness.judge.audit.parameters import (
    grid_nodes,
    official_recipes,
    parameter_counts,
    parameter_domains,
)
from harness.judge.audit.quantities import printed_differences, same_quantity
from harness.judge.audit.ranges import intervals, outside_range, scale_slips, scores, signs
from harness.judge.audit.said import (
    Said,
    bounds,
    captions,
    citations,
    contradicted_claims,
    named_rows,
    plotted_terms,
    relations,
    symbols,
    texts,
)
from harness.judge.audit.sentences import worked_numbers
from harness.judge.audit.sheet import Sheet, sheets
from harness.judge.audit.significance import (
    correlations_in_text,
    significance,
    tested_lines,
    tests_in_text,
)
from harness.judge.audit.uncertainty import interval_relations, stars_by_legend
from harness.judge.audit.unsaid import (
    bare_correlations,
    bare_estimates,
    precision,
    setting_gaps,
    spellings,
    two_readings,
    unnamed,
)
from harness.spec.paper import Paper

Rule = Callable[[Paper], Iterable[Finding]]
SheetRule = Callable[[Sheet], Iterable[Finding]]
NUMBER_RULES: tuple[Rule, ...] = (same_quantity, printed_differences, parameter_domains)
"""The rules that may find a number severe. They import no statistics."""
SHEET_RULES: tuple[SheetRule, ...] = (
    aggregates,
    shares,
    counts_of,
    extremes,
    outside_range,
    scale_slips,
    signs,
    intervals,
    descriptives,
    interval_relations,
    tested_lines,
    scores,
    granularity,
    bold_is_best,
    underline_is_second,
    star_order,
    stars_by_legend,
    order_breaks,
    repeated_rows,
    digits,
)
"""The rules on one table, which need nothing but its numbers and headings."""
RULES: tuple[Rule, ...] = (
    *NUMBER_RULES,
    grid_nodes,
    parameter_counts,
    captions,
    bounds,
    named_rows,
    plotted_terms,
    citations,
    symbols,
    relations,
    official_recipes,
    setting_gaps,
    two_readings,
    significance,
    contradicted_claims,
    precision,
    bare_estimates,
    bare_correlations,
    unnamed,
    spellings,
)


def audit(paper: Paper) -> tuple[Finding, ...]:
    """Everything in the paper that does not go together, the gravest first."""
    findings = [finding for rule in RULES for finding in rule(paper)]
    findings += [finding for sheet in sheets(paper) for finding in audit_sheet(sheet)]
    findings += audit_texts(list(texts(paper)))
    return in_order(finding for finding in merged(findings) if finding.id not in paper.accepted)


def audit_sheet(sheet: Sheet) -> list[Finding]:
    """What the rules on one table find in it; only digits where the table is too small."""
    return [finding for rule in SHEET_RULES for finding in rule(sheet)]


def audit_texts(said: Sequence[Said]) -> list[Finding]:
    """What sentences say that does not go with what they say themselves."""
    rules = (worked_numbers, tests_in_text, counts_in_text, correlations_in_text)
    return [finding for rule in rules for finding in rule(said)]


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, then by id."""
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.id)))


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each cause, with all of its places.

    Findings with one cause are one. A sentence that fails on no other numbers than those which
    rules on numbers report is a further place of the gravest of these findings.
    """
    leading: dict[str, Finding] = {}
    for finding in in_order(findings):
        cause = finding.cause or finding.id
        known = leading.get(cause)
        leading[cause] = finding if known is None else _joined(known, finding)
    kept = [finding for finding in leading.values() if finding.rule != "claim"]
    told = {a for finding in kept if finding.rule in _NUMBERS for a in finding.addresses}
    for claim in (finding for finding in leading.values() if finding.rule == "claim"):
        about = {a for a in claim.addresses if not a.startswith("claim:")}
        homes = [i for i, f in enumerate(kept) if f.rule in _NUMBERS and about & set(f.addresses)]
        if about <= told and homes:
            kept[homes[0]] = _joined(kept[homes[0]], claim)
        else:
            kept.append(claim)
    return kept


_NUMBERS = ("same-quantity", "printed-difference", "stated-derivation", "parameter-domain",
            "sign-convention", "order-break")  # fmt: skip


def _joined(first: Finding, second: Finding) -> Finding:
    """The first finding with the places and the words of the second."""
    also = "" if second.explanation in first.explanation else f" {second.explanation}"
    return replace(
        first,
        addresses=tuple(dict.fromkeys((*first.addresses, *second.addresses))),
        printed=_both(first.printed, second.printed),
        expected=_both(first.expected, second.expected),
        explanation=f"{first.explanation}{also}",
    )


def _both(first: str, second: str) -> str:
    return first if second in first.split("; ") else f"{first}; {second}"
