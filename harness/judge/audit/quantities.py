"""Rule: a quantity that is printed in several places has one value.

Cells whose variables are all equal report the same run. Stated numbers name their quantity, and
may name a hyperparameter of a recipe or method, which is then a further place.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, mentions, stated_numbers
from harness.plan.identity import canonical
from harness.plan.step import Json
from harness.spec.exhibit import LAST_STEP, Column, Row, Table, variables_of
from harness.spec.paper import Paper
from harness.spec.printed import half_unit
from harness.spec.reading import read_printed
from harness.spec.setting import Choice
from harness.words import listed


def same_quantity(paper: Paper) -> Iterator[Finding]:
    """Findings on quantities with two values, severe unless both are called approximate."""
    for subject, places in quantities(paper).items():
        clashes = [pair for pair in combinations(places, 2) if not _agree(*pair)]
        if clashes:
            yield _finding(subject, places, clashes)


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
    """Whether some number rounds to both, and some ± to both where both print one."""
    if a.error is not None and b.error is not None and not _meet(a.error, b.error):
        return False
    return _meet(a.mean, b.mean)


def _meet(a: Decimal, b: Decimal) -> bool:
    return a == b or abs(a - b) < half_unit(a) + half_unit(b)


def _finding(
    subject: str, places: list[Mention], clashes: list[tuple[Mention, Mention]]
) -> Finding:
    approximate = all(a.approximate and b.approximate for a, b in clashes)
    mild = approximate or all(_within_spread(*pair) for pair in clashes)
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
        confidence="likely" if approximate else "certain",
        explanation=(
            f"One quantity is printed with {differ}: {first} and {second}. "
            + _consequence(first, second)
        ),
    )


def _consequence(first: Mention, second: Mention) -> str:
    if first.approximate and second.approximate:
        return "Both are called approximate, yet no one number rounds to both."
    if _within_spread(first, second):
        return (
            "The difference is within the printed ±, so it may be another run of the same setting; "
            "which of the two a reproduction should meet is not said."
        )
    return "No rounding covers that, so at least one of them cannot be right as printed."


def _within_spread(first: Mention, second: Mention) -> bool:
    """Whether two means are no further apart than a printed ±."""
    errors = [error for error in (first.error, second.error) if error is not None]
    return bool(errors) and 0 < abs(first.mean - second.mean) <= max(errors)
