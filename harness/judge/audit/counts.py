"""Rule: a stated number of parameters is that of the network on the data set in question."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, stated_numbers
from harness.spec.exhibit import Count
from harness.spec.paper import Paper
from harness.spec.printed import half_unit
from harness.words import listed


def parameter_counts(paper: Paper) -> Iterator[Finding]:
    """Findings on counts that round to that of no network which the text speaks of."""
    for stated, mention in stated_numbers(paper):
        if stated.count:
            yield from _check(paper, stated.count, mention)


def _check(paper: Paper, count: Count, stated: Mention) -> Iterator[Finding]:
    actual = {
        dataset: paper.network(network).parameters[dataset]
        for dataset, network in sorted(count.networks.items())
        if dataset in paper.network(network).parameters
    }
    wrong = [dataset for dataset, n in actual.items() if not _rounds(n, stated.mean, count.unit)]
    if wrong:
        # A final zero may be a rounding to fewer digits than are printed.
        coarse = stated.mean % 10 == 0 and all(
            _rounds(actual[dataset] / 10, stated.mean / 10, count.unit) for dataset in wrong
        )
        known = [f"{paper.datasets[name].label}: {n:,}" for name, n in actual.items()]
        yield Finding(
            rule="parameter-count",
            subject=stated.address,
            addresses=(stated.address,),
            printed=str(stated),
            expected="; ".join(known),
            severity="minor" if coarse else "notable",
            confidence="possible" if coarse else "likely",
            explanation=_explanation(paper, count, stated, wrong),
        )


def _explanation(paper: Paper, count: Count, stated: Mention, wrong: list[str]) -> str:
    labels = listed([paper.datasets[dataset].label for dataset in wrong])
    elsewhere = _elsewhere(paper, count, stated)
    return (
        f"{stated} is not the rounded number of parameters on {labels}. "
        + (f"It is that of {listed(elsewhere)}. " if elsewhere else "")
        + "Either the count was copied from another setting, or another network was trained."
    )


def _rounds(number: float, printed: Decimal, unit: int) -> bool:
    return abs(Decimal(number) / unit - printed) <= half_unit(printed)


def _elsewhere(paper: Paper, count: Count, stated: Mention) -> list[str]:
    """Networks of the same label, and data sets, that have the stated count."""
    labels = {paper.network(network).label for network in count.networks.values()}
    return sorted(
        f"{network.label} on {dataset} ({number:,}; {network.origin})"
        for network in paper.networks.values()
        if network.label in labels
        for dataset, number in network.parameters.items()
        if _rounds(number, stated.mean, count.unit)
    )
