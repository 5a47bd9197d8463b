"""Rules on what a paper leaves unsaid, or says with two names."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.judge.audit.finding import Finding
from harness.judge.audit.quantities import run_of
from harness.judge.audit.said import texts
from harness.judge.audit.sheet import mentions, stated_numbers
from harness.spec.exhibit import Address, Table, variables_of
from harness.spec.kinds import Fit
from harness.spec.paper import Paper
from harness.spec.parts import Choice, Choices, Setting, applies
from harness.spec.printed import Printed
from harness.words import counted, listed

_RUN = re.compile(r"(?<![\w-])[A-Za-z0-9]+(?:[\s_-][A-Za-z0-9]+)*")
"""Words with one separator between each two."""
_WORD, _JOINED = re.compile(r"[A-Za-z0-9]+"), re.compile(r"[\w-]")


def setting_gaps(paper: Paper) -> Iterator[Finding]:
    """Findings on settings that the paper states for some of the cells in use, not for others."""
    gaps: dict[tuple[str, str], dict[str, list[str]]] = {}
    for table in paper.exhibits_of(Table):
        for row, column, printed in table.cells():
            variables = variables_of(table, row, column)
            if printed is None or not printed.is_number:
                continue
            for owner, settings in _owners(paper, variables):
                for name, setting in settings.items():
                    case = _gap(setting.choices, variables, paper.about.variables)
                    if case:
                        places = gaps.setdefault((owner, name), {}).setdefault(case, [])
                        places.append(f"{table.id}:{row.name}:{column.name}")
    for (owner, name), cases in gaps.items():
        yield _gap_finding(paper, owner, name, cases)


def _owners(
    paper: Paper, variables: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Setting]]]:
    recipe = paper.recipes.get(variables.get("recipe", ""))
    method = paper.methods.get(variables.get("method", ""))
    for owner in (recipe, method):
        if owner is not None:
            yield owner.id, owner.settings


def _gap(choices: Choices, variables: Mapping[str, Any], kinds: Mapping[str, str]) -> str:
    """The case for which the paper states no value, although it does for others like it."""
    told = [choice for choice in choices if choice.source == "paper" and choice.when]
    asked = {f"paper.{name}": value for name, value in variables.items()} | dict(variables)
    if not told or any(c.source == "paper" and applies(c.when, asked) for c in choices):
        return ""
    names = {name for choice in told for name in choice.when}
    name = next(iter(names))
    variable = name.removeprefix("paper.")
    # Told apart by one number, such as a size: this case is then one more on the same scale.
    if len(names) != 1 or name not in asked or kinds.get(variable) != "value":
        return ""
    return f"{variable} {asked[name]}"


def _case(choice: Choice) -> str:
    """`50 (ipc 10)`."""
    cases = [
        f"{name.removeprefix('paper.')} {value}"
        for name, values in choice.when.items()
        for value in values
    ]
    return f"{choice.value} ({', '.join(cases)})"


def _gap_finding(paper: Paper, owner: str, name: str, cases: dict[str, list[str]]) -> Finding:
    spec = paper.owner(owner)
    stated = [_case(choice) for choice in spec.settings[name].choices if choice.source == "paper"]
    count = sum(map(len, cases.values()))
    return Finding(
        rule="setting-gap",
        subject=f"{owner}.{name}",
        addresses=(f"recipe:{owner}:{name}", *(a for places in cases.values() for a in places)),
        printed=f"{name} of {spec.label}: {', '.join(stated)}",
        expected=f"a value for {listed(list(cases))} as well",
        severity="notable",
        confidence="certain",
        explanation=(
            f"{counted(count, 'printed number is', 'printed numbers are')} for "
            f"{listed(list(cases))}, for which the paper states no "
            f"{name.replace('_', ' ')}; whoever runs them must choose one."
        ),
    )


_Error = tuple[str, int | str]
"""What the ± of a number is, and over how many runs."""


def two_readings(paper: Paper) -> Iterator[Finding]:
    """Findings on a run that two tables print with another number of runs, or another ±."""
    found: dict[str, list[tuple[Table, str, _Error]]] = {}
    for table in paper.exhibits_of(Table):
        for row, column, printed in table.cells():
            if printed is not None and printed.is_number:
                address = f"{table.id}:{row.name}:{column.name}"
                how = table.reporting_of(row.name, column.name)
                place = (table, address, (how.spread_of(printed), printed.n or how.n))
                found.setdefault(run_of(table, row, column), []).append(place)
    told: dict[tuple[str, str], tuple[list[str], tuple[_Error, _Error]]] = {}
    for places in found.values():
        first = places[0]
        for other in places[1:]:
            readings = (first[2], other[2])
            one, two = readings
            if one != two and "unknown" not in (*one, *two):
                pair = told.setdefault((first[0].id, other[0].id), ([], readings))
                pair[0].extend((first[1], other[1]))
    for (a, b), (addresses, readings) in told.items():
        labels = [paper.exhibits[name].label for name in (a, b)]
        said = [
            f"{spread} over {n} runs ({label})"
            for (spread, n), label in zip(readings, labels, strict=True)
        ]
        yield Finding(
            rule="runs-differ",
            subject=f"{a}:{b}",
            addresses=tuple(dict.fromkeys(addresses)),
            printed=" and ".join(said),
            expected="one account of the same numbers",
            severity="notable",
            confidence="certain",
            explanation=(
                f"{labels[0]} and {labels[1]} print the same runs, but call them {listed(said)}."
            ),
        )


def unnamed(paper: Paper) -> Iterator[Finding]:
    """Findings on tables that name no data set, network or measure, in print or in the caption."""
    lacking: dict[str, list[str]] = {}
    for table in paper.exhibits_of(Table):
        printed = _squeezed(" ".join(_printed_words(table)))
        for variable, value in table.bind.items():
            kind = paper.about.variables.get(variable)
            if variable not in ("dataset", "network") or kind not in ("dataset", "network"):
                continue
            if variable not in table.caption_binds and not any(
                name and name in printed for name in map(_squeezed, _names(paper, kind, str(value)))
            ):
                lacking.setdefault(table.id, []).append(variable)
        words = [_squeezed(word)[:3] for word in re.split(r"[\W_]+", table.measure.value)]
        if not any(len(word) == 3 and word in printed for word in words):
            lacking.setdefault(table.id, []).append("measure")
    for name, variables in lacking.items():
        label = paper.exhibits[name].label
        yield Finding(
            rule="unnamed",
            subject=name,
            addresses=(f"{name}:table",),
            printed=f"{label} names {listed([f'no {variable}' for variable in variables])}",
            expected=f"{listed([f'the {variable}' for variable in variables])} of its numbers",
            severity="minor",
            confidence="certain",
            cause="tables that do not say what they are about",
            explanation=(
                "Without them, in the caption or the headings, a reader must search the text for "
                "what the numbers are."
            ),
        )


def _names(paper: Paper, kind: str, value: str) -> Iterator[str]:
    """What a paper may call a data set or a network."""
    spec = paper.dataset(value) if kind == "dataset" else paper.network(value)
    yield from (value, spec.label, re.sub(r"\(.*?\)", "", spec.label), *spec.abbreviations)


def _printed_words(table: Table) -> Iterator[str]:
    yield from (table.caption, table.stub)
    yield from (text for row in table.rows for text in (row.label, row.group))
    yield from (text for column in table.columns for text in (column.label, column.group))


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def spellings(paper: Paper) -> Iterator[Finding]:
    """Findings on names of rows that texts and other tables spell otherwise."""
    places: dict[str, dict[str, list[str]]] = {}
    names = {row.name for table in paper.exhibits_of(Table) for row in table.rows}
    names |= {re.sub(r"\s*\(.*?\)|\s*\[\d+\]", "", m.label) for m in paper.methods.values()}
    names |= {re.sub(r"\s*\(.*?\)", "", d.label) for d in paper.datasets.values()}
    keys = {_squeezed(name): name for name in names if len(_squeezed(name)) >= 4}
    longest = max(map(len, keys), default=0)
    for where, text in _quoted(paper):
        for key, form in _spelt(text, keys, longest):
            places.setdefault(key, {}).setdefault(form, []).append(where)
    for key, found in sorted(places.items()):
        forms = {
            form: places
            for form, places in found.items()
            if not form[0].islower() or len(found) == 1
        }
        if len(forms) > 1:
            told = [
                f"{form} ({listed(list(dict.fromkeys(at))[:2])})"
                for form, at in sorted(forms.items())
            ]
            yield Finding(
                rule="spelling",
                subject=key,
                addresses=(f"name:{key}",),
                printed="; ".join(told),
                expected="one spelling",
                severity="minor",
                confidence="likely",
                cause="names in two spellings",
                explanation=f"One name is spelt {listed(sorted(forms))}, so that a search for one "
                "misses the other.",
            )


def _spelt(text: str, keys: Container[str], longest: int) -> Iterator[tuple[str, str]]:
    """The names in a text, with any one separator between their letters and digits: their key and
    how they are spelt. Each place is looked up, so that many names take no longer than few.
    """
    for run in _RUN.finditer(text):
        words = list(_WORD.finditer(text, *run.span()))
        for first, begin in enumerate(words):
            if first and text[begin.start() - 1] in "_-":
                continue
            key = ""
            for word in words[first:]:
                key += word[0].lower()
                if len(key) > longest:
                    break
                if key in keys and not _JOINED.match(text, word.end()):
                    yield key, text[begin.start() : word.end()]


def _quoted(paper: Paper) -> Iterator[tuple[str, str]]:
    yield from ((said.where, said.text) for said in texts(paper))
    for table in paper.exhibits_of(Table):
        yield from ((f"{table.label}, row", row.label) for row in table.rows)


def bare_estimates(paper: Paper) -> Iterator[Finding]:
    """Findings on fitted values that are given without an error."""
    for fit in paper.exhibits_of(Fit):
        bare = [
            mention
            for stated, mention in stated_numbers(paper)
            if stated.parameter
            and mention.address.startswith(f"{fit.id}:")
            and mention.error is None
        ]
        if bare:
            yield Finding(
                rule="bare-estimate",
                subject=fit.id,
                addresses=tuple(mention.address for mention in bare),
                printed=listed([mention.text for mention in bare]),
                expected="an error or an interval for each",
                severity="minor",
                confidence="certain",
                explanation=(
                    f"{fit.label} gives {counted(len(bare), 'fitted value')} without any error, "
                    "so that no two of them can be told apart from fits to the same law."
                ),
            )


def bare_correlations(paper: Paper) -> Iterator[Finding]:
    """Findings on correlations that are given without a number of points."""
    claims = [claim for claim in paper.claims.values() if claim.kind == "correlation"]
    counted = {claim.value for claim in claims if claim.points is not None}
    loose = {c.value for c in claims if isinstance(c.value, str)} - counted
    known = {mention.address: mention for mention in mentions(paper)}
    bare = [known[address] for address in sorted(loose) if address in known]
    if bare:
        yield Finding(
            rule="bare-correlation",
            subject=bare[0].address,
            addresses=tuple(mention.address for mention in bare),
            printed=listed([str(mention) for mention in bare]),
            expected="the number of points of each, or an interval",
            severity="minor",
            confidence="certain",
            explanation=(
                "Without the number of points it cannot be said whether a coefficient differs from "
                "0 or from another."
            ),
        )


@dataclass(frozen=True, slots=True)
class _Cell:
    address: Address
    printed: Printed

    @property
    def has_error(self) -> bool:
        return self.printed.error is not None or self.printed.interval is not None


def precision(paper: Paper) -> Iterator[Finding]:
    """Minor findings: ± that is missing, ± that is not explained."""
    tables = paper.exhibits_of(Table)
    cells = {table.id: _cells(table) for table in tables}
    used = any(cell.has_error for own in cells.values() for cell in own)
    for table in tables:
        yield from _error_bars(table, cells[table.id], used)
        yield from _unexplained(table, cells[table.id])


def _cells(table: Table) -> list[_Cell]:
    return [_Cell(at, number) for at, number in table.printed_cells() if number.is_number]


def _error_bars(table: Table, cells: list[_Cell], used: bool) -> Iterator[Finding]:
    """Cells without ± where the table, or the paper elsewhere, prints it."""
    bare = [cell for cell in cells if not cell.has_error]
    if not bare or not used:
        return
    some = len(bare) < len(cells)
    yield _finding(
        "missing-error-bars",
        table,
        bare,
        printed=f"{len(bare)} of {counted(len(cells), 'number')} without ±",
        expected="±, as " + ("the other numbers of the table" if some else "in other tables"),
        why="Without a spread no difference of these numbers can be told from chance, and it is "
        "not known whether they are single runs.",
    )


def _unexplained(table: Table, cells: list[_Cell]) -> Iterator[Finding]:
    """± of which neither the paper nor the caption says what it is."""
    barred = []
    unsaid: dict[str, None] = {}
    for cell in (cell for cell in cells if cell.has_error):
        reporting = table.reporting_of(cell.address.row, cell.address.column)
        told = {"what ± is": reporting.spread_of(cell.printed), "over how many runs": reporting.n}
        lacking = [words for words, value in told.items() if value == "unknown"]
        barred += [cell] if lacking else []
        unsaid |= dict.fromkeys(lacking)
    if unsaid:
        yield _finding(
            "unexplained-error-bars",
            table,
            barred,
            printed=f"{counted(len(barred), 'number')} with ±",
            expected=f"a word on {listed(list(unsaid))}",
            why="A standard deviation, a standard error and an interval over the same runs differ "
            "by factors of two and more.",
        )


def _finding(
    rule: str, table: Table, cells: list[_Cell], *, printed: str, expected: str, why: str
) -> Finding:
    return Finding(
        rule=rule,
        subject=table.id,
        cause=rule,
        addresses=tuple(str(cell.address) for cell in cells),
        printed=printed,
        expected=expected,
        severity="minor",
        confidence="certain",
        explanation=f"{table.label}: {printed}. {why}",
    )
