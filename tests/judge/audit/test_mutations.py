"""Mutation check: a changed number that the paper determines twice is always reported.

Mutants are listed without the audit's own notion of what belongs together: cells by comparing
their variables pair by pair, and once more by the text alone. Each is tried on the paper as
printed and on a copy in which all severe contradictions are mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import pytest

from harness.judge.audit.audit import NUMBER_RULES, audit
from harness.judge.audit.finding import Finding
from harness.spec.exhibit import Table, variables_of
from harness.spec.kinds import Fit
from harness.spec.paper import Paper, load_paper
from harness.spec.reading import read_printed
from tests.judge.audit.papers import SPECS, with_derived, with_number, with_setting

MENDED = {
    "table6:CA2D:HL/IPC 50": "41.72",
    "figure4:stated:n-synthesis": "80",
    "figure4:stated:tm-loss-resnet18-caption": "0.805",
    "scaling:stated:delta-sl-kd": "0.7871",
    "scaling:stated:delta-hl-random": "0.8766",
    "scaling:stated:delta-hl-el2n": "0.7005",
    "scaling:stated:b-sl-kd": "-0.05",
    "figure2:stated:points": "161",
}


class Mutant(NamedTuple):
    what: str
    address: str
    """Where the audit must point."""
    paper: Paper


@lru_cache
def printed() -> Paper:
    return load_paper(SPECS)


@lru_cache
def mended() -> Paper:
    paper = with_setting(printed(), "datm.n_synthesis", 80)
    for address, text in MENDED.items():
        paper = with_number(paper, address, text)
    return paper


def shifted(value: Decimal, by: int) -> str:
    """The value, moved by units of its last digit."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return str(value + Decimal(by).scaleb(exponent))


def texts(text: str, with_error: bool) -> Iterator[str]:
    """Other texts for a printed number: the last or an earlier digit, and the number after ±."""
    printed = read_printed(text)
    mean, error = printed.number, printed.spread
    after = "" if error is None else f" ± {error}"
    for by in (1, -1, 10, -10):
        yield f"{shifted(mean, by)}{after}"
    if with_error and error is not None:
        yield f"{mean} ± {shifted(error, 1)}"
        yield f"{mean} ± {shifted(error, 10)}"


def cells(paper: Paper) -> list[tuple[str, str, object]]:
    """(address, text, everything that the cell depends on)."""
    return [
        (
            f"{table.id}:{row.name}:{column.name}",
            number.text,
            (variables_of(table, row, column), table.average, table.measure),
        )
        for table in paper.exhibits.values()
        if isinstance(table, Table)
        for row, column, number in table.cells()
        if number is not None
    ]


def cell_mutants(paper: Paper) -> Iterator[Mutant]:
    for (a, first, one), (b, second, other) in combinations(cells(paper), 2):
        if one == other:
            both = "±" in first and "±" in second
            for address, text in ((a, first), (b, second)):
                for new in texts(text, both):
                    what = f"{address}: {text} -> {new}"
                    yield Mutant(what, address, with_number(paper, address, new))


def stated_mutants(paper: Paper) -> Iterator[Mutant]:
    """Numbers stated twice, stated as a setting, or stated as a result of others."""
    stated = {
        f"{exhibit.id}:stated:{key}": item
        for exhibit in paper.exhibits.values()
        for key, item in exhibit.stated.items()
    }
    quantities = [item.quantity for item in stated.values()]
    for address, item in stated.items():
        if quantities.count(item.quantity) > 1 or item.setting or item.derived:
            for new in texts(item.text.text, False):
                what = f"{address}: {item.text} -> {new}"
                yield Mutant(what, address, with_number(paper, address, new))
        if item.setting:
            owner, _, setting = item.setting.partition(".")
            for by in (1, -1):
                value = int(item.text.number) + by
                changed = with_setting(paper, item.setting, value)
                yield Mutant(f"{item.setting} -> {value}", f"recipe:{owner}:{setting}", changed)


def derived_mutants(paper: Paper) -> Iterator[Mutant]:
    for table in paper.exhibits.values():
        for row in table.rows if isinstance(table, Table) else ():
            for column, derived in row.derived.items():
                address = f"{table.id}:{row.name}:{column}"
                number = Decimal(derived.text.strip("(+ )"))
                for new in (f"(+ {shifted(number, 1)})", f"(+ {shifted(number, -1)})",
                            f"(- {number})"):  # fmt: skip
                    what = f"{address}: {derived.text} -> {new}"
                    yield Mutant(what, address, with_derived(paper, address, new))


def domain_mutants(paper: Paper) -> Iterator[Mutant]:
    """Every value of a bounded parameter, mirrored beyond each of its bounds."""
    for fit in paper.exhibits.values():
        for key, item in fit.stated.items() if isinstance(fit, Fit) else ():
            assert isinstance(fit, Fit)
            parameter = fit.parameters[item.parameter]
            value = item.text.number
            ends = [(parameter.low, -1), (parameter.high, 1)]
            for bound, side in [(Decimal(str(b)), s) for b, s in ends if b is not None]:
                address = f"{fit.id}:stated:{key}"
                new = str(bound + side * (abs(value - bound) + 2 * abs(value)))
                yield Mutant(f"{address} -> {new}", address, with_number(paper, address, new))


MUTATORS: tuple[Callable[[Paper], Iterator[Mutant]], ...] = (
    cell_mutants,
    stated_mutants,
    derived_mutants,
    domain_mutants,
)


def findings(paper: Paper) -> set[Finding]:
    """What the rules on numbers find; claims and the rest do not help here."""
    return {finding for rule in NUMBER_RULES for finding in rule(paper)}


def caught(mutant: Mutant, before: set[Finding]) -> bool:
    """Whether the audit says something else about the changed number than before.

    On the mended paper, which has no findings, that is a new finding. On the paper as printed it
    may also be that one goes, where the change happens to mend a contradiction.
    """
    changed = findings(mutant.paper) ^ before
    return any(mutant.address in finding.addresses for finding in changed)


def test_the_mended_paper_has_no_findings_on_numbers() -> None:
    assert findings(mended()) == set()
    assert {f.severity for f in audit(mended())} == {"notable", "minor"}


@pytest.mark.parametrize("paper", [printed, mended], ids=["as printed", "mended"])
def test_mutation_score(paper: Callable[[], Paper], capsys: pytest.CaptureFixture[str]) -> None:
    before = findings(paper())
    score: dict[str, tuple[int, int]] = {}
    missed = []
    for mutator in MUTATORS:
        results = {mutant.what: caught(mutant, before) for mutant in mutator(paper())}
        missed += [what for what, found in results.items() if not found]
        score[mutator.__name__] = sum(results.values()), len(results)
    total = sum(count for _, count in score.values())
    with capsys.disabled():
        print(f"\nmutation score: {total - len(missed)}/{total} {score}")
    assert missed == []
    assert all(count >= 6 for _, count in score.values())


def test_a_text_printed_in_two_tables_is_linked_by_its_variables() -> None:
    """A number with its ± does not come twice by chance: both places must be known as one run."""
    paper = printed()
    before = findings(paper)
    pairs = [
        (a, b, text)
        for (a, text, _), (b, other, _) in combinations(cells(paper), 2)
        if text == other and "±" in text and a.split(":")[0] != b.split(":")[0]
    ]
    assert len(pairs) == 8
    for a, b, text in pairs:
        changed = next(texts(text, False))
        new = findings(with_number(paper, a, changed)) - before
        assert any({a, b} <= set(finding.addresses) for finding in new), (a, b)
