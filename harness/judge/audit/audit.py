"""The audit: all rules over one paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.judge.audit.captions import captions
from harness.judge.audit.contradicted import contradicted_claims
from harness.judge.audit.counts import parameter_counts
from harness.judge.audit.differences import printed_differences
from harness.judge.audit.domains import parameter_domains
from harness.judge.audit.finding import SEVERITIES, Finding
from harness.judge.audit.grids import grid_nodes
from harness.judge.audit.official import official_recipes
from harness.judge.audit.precision import precision
from harness.judge.audit.quantities import same_quantity
from harness.spec.paper import Paper

Rule = Callable[[Paper], Iterable[Finding]]
NUMBER_RULES: tuple[Rule, ...] = (same_quantity, printed_differences, parameter_domains)
"""The rules that may find a number severe. They import no statistics."""
RULES: tuple[Rule, ...] = (
    *NUMBER_RULES,
    grid_nodes,
    parameter_counts,
    captions,
    official_recipes,
    contradicted_claims,
    precision,
)


def audit(paper: Paper) -> tuple[Finding, ...]:
    """Everything in the paper that does not go together, the gravest first."""
    findings = [finding for rule in RULES for finding in rule(paper)]
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.id)))


def wrong_differences(paper: Paper, exhibit: str) -> dict[str, str]:
    """Address of a cell of an exhibit -> why the difference printed beside it is wrong."""
    found = (each for each in printed_differences(paper) if each.rule == "printed-difference")
    return {
        each.subject: each.explanation for each in found if each.subject.split(":")[0] == exhibit
    }
