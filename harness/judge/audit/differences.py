"""Rule: printed differences, ranges and products follow from the numbers they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import prod

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, half_unit, mentions, stated_numbers
from harness.spec.exhibit import Derivation, Derived, Table
from harness.spec.paper import Paper

_SIGNED = re.compile(r"(?P<sign>[+\-−]?)\s*(?P<number>\d+(?:\.\d+)?)")


def printed_differences(paper: Paper) -> Iterator[Finding]:
    """Severe findings on differences beside cells and on stated ones that do not come out."""
    numbers = {mention.address: mention for mention in mentions(paper)}
    for table in paper.exhibits_of(Table):
        for row in table.rows:
            for column, derived in row.derived.items():
                cell = f"{table.id}:{row.name}:{column}"
                base = f"{table.id}:{derived.minus}:{column}"
                if cell in numbers and base in numbers:
                    yield from _check_beside(derived, numbers[cell], numbers[base])
    for stated, mention in stated_numbers(paper):
        if stated.derived:
            yield from _check_stated(stated.derived, mention, numbers)


def _check_beside(derived: Derived, cell: Mention, base: Mention) -> Iterator[Finding]:
    match = _SIGNED.search(derived.text)
    if match is None:
        return
    printed = Decimal(match["number"])
    printed = -printed if match["sign"] in ("-", "−") else printed
    value = cell.mean - base.mean
    slack = half_unit(printed) + cell.half + base.half
    if abs(value - printed) >= slack:
        yield Finding(
            rule="printed-difference",
            subject=cell.address,
            addresses=(cell.address, base.address),
            printed=derived.text,
            expected=f"{value:+} from {cell} and {base}",
            severity="severe",
            confidence="certain",
            explanation=(
                f"The difference {derived.text} beside {cell} is {value:+} when computed from the "
                f"printed numbers, so one of the three is wrong."
            ),
        )


def _check_stated(
    derivation: Derivation, stated: Mention, numbers: Mapping[str, Mention]
) -> Iterator[Finding]:
    sources = (*derivation.left, *derivation.right)
    if any(address not in numbers for address in sources):
        return
    value, slack = _derive(derivation, numbers)
    if abs(value - stated.mean) >= stated.half + slack:
        words = "the product" if derivation.kind == "product" else f"the {derivation.take}"
        yield Finding(
            rule="stated-derivation",
            subject=stated.address,
            addresses=(stated.address, *sources),
            printed=str(stated),
            expected=f"{value}, {words} over {', '.join(str(numbers[a]) for a in sources)}",
            severity="severe",
            confidence="likely" if stated.approximate else "certain",
            explanation=(
                f"The text says {stated}, but the numbers it speaks of give {value}; a reader who "
                "takes the sentence for the numbers is misled."
            ),
        )


def _derive(derivation: Derivation, numbers: Mapping[str, Mention]) -> tuple[Decimal, Decimal]:
    """The derived value, and how far rounding of its sources may move it."""
    left = [numbers[address] for address in derivation.left]
    if derivation.kind == "product":
        return Decimal(prod(mention.mean for mention in left)), Decimal(0)
    right = [numbers[address] for address in derivation.right]
    gaps = [(a.mean - b.mean, a.half + b.half) for a, b in zip(left, right, strict=True)]
    return min(gaps) if derivation.take == "smallest" else max(gaps)
