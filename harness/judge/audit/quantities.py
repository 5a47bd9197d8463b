"""Rules: a quantity printed in several places has one value, and what is computed comes out.

Cells whose variables are all equal report the same run. Stated numbers name their quantity, and
may name a hyperparameter of a recipe or method, which is then a further place. Printed differences,
ranges and products follow from the numbers that they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from math import prod

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Mention, mentions, stated_numbers
from harness.plan.identity import canonical
from harness.plan.step import Json
from harness.spec.exhibit import LAST_STEP, Column, Derivation, Derived, Row, Table, variables_of
from harness.spec.paper import Paper
from harness.spec.parts import Choice
from harness.spec.printed import half_unit
from harness.spec.reading import read_printed
from harness.words import listed


def same_quantity(paper: Paper) -> Iterator[Finding]:
    """Findings on quantities with two values, severe unless both are called approximate."""
    for subject, places in quantities(paper).items():
        clashes = [pair for pair in combinations(places, 2) if not _agree(*pair)]
        if clashes:
            yield _quantity_finding(subject, places, clashes)


def rivals(paper: Paper) -> dict[str, list[Mention]]:
    """Address of a printed number -> the numbers printed elsewhere for the same that clash."""
    found: dict[str, list[Mention]] = {}
    for places in quantities(paper).values():
        for first, second in combinations(places, 2):
            if not _agree(first, second) and not (first.approximate and second.approximate):
                found.setdefault(first.address, []).append(second)
                found.setdefault(second.address, []).append(first)
    return found


def quantities(paper: Paper) -> dict[str, list[Mention]]:
    """Quantities that are printed in two places or more, by the name or first address of each."""
    found: dict[str, list[Mention]] = {}
    cells = {mention.address: mention for mention in mentions(paper)}
    runs: dict[str, list[Mention]] = {}
    for table in paper.exhibits_of(Table):
        for row, column, printed in table.cells():
            if printed is not None and printed.is_number:
                mention = cells[f"{table.id}:{row.name}:{column.name}"]
                runs.setdefault(run_of(table, row, column), []).append(mention)
    for places in runs.values():
        found[places[0].address] = places
    settings: dict[str, set[str]] = {}
    for stated, mention in stated_numbers(paper):
        found.setdefault(stated.quantity, []).append(mention)
        if stated.setting:
            settings.setdefault(stated.quantity, set()).add(stated.setting)
    for quantity, names in settings.items():
        for name in sorted(names):
            found[quantity] += _setting_mentions(paper, name)
    return {subject: places for subject, places in found.items() if len(places) > 1}


def run_of(table: Table, row: Row, column: Column) -> str:
    """The quantity that a cell reports, whatever its row and column are called."""
    average: Json = None
    variables = variables_of(table, row, column)
    if LAST_STEP not in variables:  # nothing is said of it but where it stands
        return canonical([table.id, row.name, column.name])
    if table.average is not None:
        variables.pop(table.average.over, None)
        average = {
            table.average.over: [str(value) for value in sorted(table.average.values, key=str)]
        }
    measure = table.measure_of(row.name, column.name)
    what: Json = [measure.value, measure.scale, table.reporting_of(row.name, column.name).unit]
    return canonical([variables, average, what])


def _setting_mentions(paper: Paper, name: str) -> Iterator[Mention]:
    """The numbers that the paper states for a hyperparameter."""
    owner, _, setting = name.rpartition(".")
    spec = paper.methods.get(owner) or paper.recipe(owner)
    for choice in spec.settings[setting].choices:
        if choice.source == "paper" and _is_number(choice):
            number = read_printed(format(Decimal(str(choice.value)), "f"))
            place = f"{setting} of {spec.label}, {choice.place.partition(':')[0]}"
            yield Mention(f"recipe:{owner}:{setting}", place, number)


def _is_number(choice: Choice) -> bool:
    return isinstance(choice.value, int | float) and not isinstance(choice.value, bool)


def _agree(a: Mention, b: Mention) -> bool:
    """Whether some number rounds to both, and some ± to both where both print one of one kind.

    A standard deviation and a standard error of the same runs differ.
    """
    (kind, n), (other, m) = a.reading, b.reading
    alike = kind == other and (n == m or "unknown" in (n, m))
    if alike and a.error is not None and b.error is not None and not _meet(a.error, b.error):
        return False
    return _meet(a.mean, b.mean)


def _meet(a: Decimal, b: Decimal) -> bool:
    return a == b or abs(a - b) < half_unit(a) + half_unit(b)


def _quantity_finding(
    subject: str, places: list[Mention], clashes: list[tuple[Mention, Mention]]
) -> Finding:
    approximate = all(a.approximate and b.approximate for a, b in clashes)
    unsaid = all(_unsaid(*pair) for pair in clashes)
    mild = approximate or unsaid or all(_within_spread(*pair) for pair in clashes)
    first, second = clashes[0]
    gap = abs(first.mean - second.mean)
    differ = f"values that are {gap} apart" if gap else "different numbers after ±"
    return Finding(
        rule="same-quantity",
        subject=subject,
        addresses=tuple(dict.fromkeys(place.address for place in places)),
        printed=listed([str(place) for place in places]),
        expected="one value in all of these places",
        severity="notable" if mild else "severe",
        confidence="likely" if approximate or unsaid else "certain",
        explanation=(
            f"One quantity is printed with {differ}: {first} and {second}. "
            + _consequence(first, second)
        ),
    )


def _consequence(first: Mention, second: Mention) -> str:
    if first.approximate and second.approximate:
        return "Both are called approximate, yet no one number rounds to both."
    if _unsaid(first, second):
        what = "what ± is" if "unknown" in first.reading[0] else "over how many runs ± is"
        return f"It is not said {what}; unless it is two things, they cannot both be right."
    if _within_spread(first, second):
        return (
            "The difference is within the printed ±, so it may be another run of the same setting; "
            "which of the two a reproduction should meet is not said."
        )
    return "No rounding covers that, so at least one of them cannot be right as printed."


def _unsaid(first: Mention, second: Mention) -> bool:
    """Whether two clash in their ± alone, and may be of two kinds."""
    return _meet(first.mean, second.mean) and "unknown" in (*first.reading, *second.reading)


def _within_spread(first: Mention, second: Mention) -> bool:
    """Whether two means are no further apart than a printed ±."""
    errors = [error for error in (first.error, second.error) if error is not None]
    return bool(errors) and 0 < abs(first.mean - second.mean) <= max(errors)


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
    every = paper.once("printed differences", lambda paper: tuple(printed_differences(paper)))
    found = (each for each in every if each.rule == "printed-difference")
    return {
        each.subject: each.explanation for each in found if each.subject.split(":")[0] == exhibit
    }
