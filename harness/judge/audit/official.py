"""Rules: what is said of official code and of networks holds of their settings and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, stated_numbers
from harness.spec.exhibit import Count
from harness.spec.paper import Paper
from harness.spec.parts import Follows, Recipe
from harness.spec.printed import half_unit
from harness.spec.setting import Choice, Choices
from harness.words import listed


def official_recipes(paper: Paper) -> Iterator[Finding]:
    """One finding for each recipe and official code that it is said to follow and does not."""
    for recipe in paper.recipes.values():
        for follows in recipe.follows:
            official = paper.official[follows.recipe]
            differences = {
                setting: list(_differences(ours.choices, official.settings[setting].choices))
                for setting, ours in recipe.settings.items()
                if setting in official.settings
                and (not follows.settings or setting in follows.settings)
            }
            found = {setting: pairs for setting, pairs in differences.items() if pairs}
            if found:
                yield _finding(recipe, official, follows, found)


def _differences(ours: Choices, theirs: Choices) -> Iterator[tuple[str, str]]:
    """The value in the paper and the value in the code, case by case."""
    for choice in ours:
        if choice.source != "paper":
            continue
        for case in _cases(choice, theirs):
            official = next((other for other in theirs if _applies(other, case)), None)
            if official is None:
                yield _shown(choice.value, case), _shown("undefined", case)
            elif official.value != choice.value:
                yield _shown(choice.value, case), _shown(official.value, case)


def _cases(choice: Choice, theirs: Choices) -> Iterator[dict[str, Any]]:
    """The cases that a choice is for, told apart as finely as either side does."""
    told: dict[str, list[Any]] = {}
    for other in theirs:
        for name, values in _when(other).items():
            told.setdefault(name, []).extend(v for v in values if v not in told.get(name, []))
    told.update(_when(choice))
    for combination in product(*told.values()):
        yield dict(zip(told, combination, strict=True))


def _when(choice: Choice) -> dict[str, list[Any]]:
    """The condition, in terms of what the paper calls its variables."""
    return {name.removeprefix("paper."): list(values) for name, values in choice.when.items()}


def _applies(choice: Choice, case: dict[str, Any]) -> bool:
    return all(case.get(name) in values for name, values in _when(choice).items())


def _shown(value: Any, case: dict[str, Any]) -> str:
    where = ", ".join(f"{name} {setting}" for name, setting in case.items())
    return f"{value} ({where})" if where else str(value)


def _finding(
    recipe: Recipe, official: Recipe, follows: Follows, found: dict[str, list[tuple[str, str]]]
) -> Finding:
    printed = {name: ", ".join(ours for ours, _ in pairs) for name, pairs in found.items()}
    expected = {name: ", ".join(theirs for _, theirs in pairs) for name, pairs in found.items()}
    tail = (
        "Tuning explains that; the values that it began from and how it was done are not stated."
        if follows.tuned
        else "Whoever follows the sentence trains otherwise than whoever follows the table."
    )
    return Finding(
        rule="official-recipe",
        cause=f"{official.id}: {follows.quote}",
        subject=f"{recipe.id}:{official.id}",
        addresses=tuple(f"recipe:{recipe.id}:{name}" for name in found),
        printed="; ".join(f"{name} {value}" for name, value in printed.items()),
        expected="; ".join(f"{name} {value}" for name, value in expected.items()),
        severity="minor" if follows.tuned else "notable",
        confidence="possible" if follows.tuned else "likely",
        explanation=(
            f"{follows.where} says: “{follows.quote}”. But what the paper states of "
            f"{listed([*found])} for {recipe.label} is not what {official.label}'s code has. {tail}"
        ),
    )


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
