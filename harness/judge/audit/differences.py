"""Rule: printed differences, ranges and products follow from the numbers they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import prod

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, mentions, stated_numbers
from harness.spec.exhibit import Derivation, Derived, Table
from harness.spec.paper import Paper
from harness.spec.printed import half_unit

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
    value, slack = _derive(derivation, stated, numbers)
    if abs(value - stated.mean) >= stated.half + slack and value != stated.mean:
        mild = derivation.kind == "multiple"
        yield Finding(
            rule="stated-derivation",
            subject=stated.address,
            addresses=(stated.address, *sources),
            printed=str(stated),
            expected=f"{_short(value)}, {_words(derivation)} "
            f"{', '.join(str(numbers[a]) for a in sources)}",
            severity="minor" if mild else "severe",
            confidence="possible" if mild else "likely" if stated.approximate else "certain",
            explanation=_explanation(stated, value, mild),
        )


def _explanation(stated: Mention, value: Decimal, mild: bool) -> str:
    if mild:
        return (
            f"The text says {stated}, which its equal parts do not make up: the nearest whole "
            f"multiple is {_short(value)}. Which parts have fewer is not said, so that nobody can "
            "make the same ones."
        )
    return (
        f"The text says {stated}, but the numbers it speaks of give {_short(value)}; a reader who "
        "takes the sentence for the numbers is misled."
    )


def _words(derivation: Derivation) -> str:
    words = {
        "difference": f"the {derivation.take} over",
        "product": "the product over",
        "multiple": "the nearest whole multiple of",
        "same": "as printed in",
        "sum": "the sum of",
        "mean": "the mean of",
        "ratio": "the ratio of",
        "change": "the change in percent from the second to the first of",
    }
    return words[derivation.kind]


def _short(value: Decimal) -> str:
    """A computed number with six digits, or more where it is a whole one."""
    return f"{value:f}" if value == value.to_integral_value() else f"{float(value):.6g}"


def _derive(
    derivation: Derivation, stated: Mention, numbers: Mapping[str, Mention]
) -> tuple[Decimal, Decimal]:
    """The derived value, and how far rounding of its sources may move it."""
    left = [numbers[address] for address in derivation.left]
    right = [numbers[address] for address in derivation.right]
    if derivation.kind == "product":
        return Decimal(prod(mention.mean for mention in left)), Decimal(0)
    if derivation.kind == "multiple":
        part = Decimal(prod(mention.mean for mention in left))
        return part * max(Decimal(1), (stated.mean / part).to_integral_value()), Decimal(0)
    if derivation.kind in ("same", "sum", "mean"):
        total = sum((mention.mean for mention in left), Decimal(0))
        slack = sum((mention.half for mention in left), Decimal(0))
        count = len(left) if derivation.kind == "mean" else 1
        return total / count, slack / count
    gaps = [(a.mean - b.mean, a.half + b.half) for a, b in zip(left, right, strict=True)]
    if derivation.kind == "difference":
        return min(gaps) if derivation.take == "smallest" else max(gaps)
    return _quotient(derivation.kind == "change", left[0], right[0])


def _quotient(percent: bool, above: Mention, below: Mention) -> tuple[Decimal, Decimal]:
    """above / below, or the change in percent, with the reach of their rounding."""

    def of(a: Decimal, b: Decimal) -> Decimal:
        return 100 * (a - b) / b if percent else a / b

    value = of(above.mean, below.mean)
    ends = [
        of(above.mean + i * above.half, below.mean + j * below.half)
        for i in (-1, 1)
        for j in (-1, 1)
    ]
    return value, max(abs(end - value) for end in ends)


def wrong_differences(paper: Paper, exhibit: str) -> dict[str, str]:
    """Address of a cell of an exhibit -> why the difference printed beside it is wrong."""
    if "printed differences" not in paper.kept:  # they are asked for exhibit by exhibit
        paper.kept["printed differences"] = tuple(printed_differences(paper))
    found = (e for e in paper.kept["printed differences"] if e.rule == "printed-difference")
    return {
        each.subject: each.explanation for each in found if each.subject.split(":")[0] == exhibit
    }
