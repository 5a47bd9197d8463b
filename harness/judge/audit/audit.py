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


def severe_cells(paper: Paper) -> dict[str, str]:
    """Address -> explanation of the severe findings, for printed cells."""
    found: dict[str, str] = {}
    cells = {str(address) for e in paper.exhibits.values() for address, _ in e.printed_cells()}
    for finding in (finding for rule in NUMBER_RULES for finding in rule(paper)):
        for address in finding.addresses if finding.severity == "severe" else ():
            if address in cells:
                found[address] = " ".join(filter(None, (found.get(address), finding.explanation)))
    return found
