"""Rules on parameters: of fits, of recipes that follow official code, and counts of a network's.

Fitted ones have a domain and a sign, and may be nodes of a search grid. Of the parameter's own
grid, a node says how fine the search was. Of another parameter's grid, for values that their own
domain excludes, it says that the two symbols were exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from harness.judge.audit.finding import Finding
from harness.judge.audit.sheet import Mention, stated_mention, stated_numbers
from harness.spec.exhibit import Count
from harness.spec.kinds import Fit, Grid, Parameter
from harness.spec.paper import Paper
from harness.spec.parts import Choice, Choices, Follows, Recipe
from harness.spec.printed import decimals, half_unit
from harness.words import listed


def parameter_domains(paper: Paper) -> Iterator[Finding]:
    """Severe findings on stated values that no rounding brings into the parameter's domain."""
    for fit in paper.exhibits_of(Fit):
        for name, parameter in fit.parameters.items():
            for value in values_of(fit, name):
                if wrong_sign(parameter, value):
                    yield _sign_finding(fit, name, parameter, value)
                elif outside(parameter, value):
                    yield _domain_finding(fit, name, parameter, value)


def values_of(fit: Fit, parameter: str) -> list[Mention]:
    """The values that the paper states of one parameter."""
    return [
        stated_mention(fit.id, key, stated)
        for key, stated in fit.stated.items()
        if stated.parameter == parameter
    ]


def outside(parameter: Parameter, value: Mention) -> bool:
    """Whether a value is outside the open domain, however it was rounded."""
    low = parameter.low is not None and value.mean + value.half <= Decimal(str(parameter.low))
    high = parameter.high is not None and value.mean - value.half >= Decimal(str(parameter.high))
    return low or high


def wrong_sign(parameter: Parameter, value: Mention) -> bool:
    """Whether a value has the sign that the parameter cannot have."""
    if parameter.sign == "any":
        return False
    signed = value.mean if parameter.sign == "positive" else -value.mean
    return signed + value.half <= 0 and signed < 0


def interval(parameter: Parameter) -> str:
    """The domain, in the usual notation."""
    low = "-∞" if parameter.low is None else f"{parameter.low:g}"
    high = "∞" if parameter.high is None else f"{parameter.high:g}"
    return f"({low}, {high})"


def _domain_finding(fit: Fit, name: str, parameter: Parameter, value: Mention) -> Finding:
    return Finding(
        rule="parameter-domain",
        subject=f"{fit.id}:{name}",
        cause=f"{fit.id}:{name}",
        addresses=(value.address,),
        printed=f"{name} = {value}",
        expected=f"{name} in {interval(parameter)}",
        severity="severe",
        confidence="certain",
        explanation=(
            f"{name} = {value} is outside {interval(parameter)}, where the paper's own equation "
            f"puts it ({parameter.derivation}). A reader cannot compute the law with it, or "
            f"read it as what it stands for: {parameter.meaning}."
        ),
    )


def _sign_finding(fit: Fit, name: str, parameter: Parameter, value: Mention) -> Finding:
    others = [
        other
        for other in values_of(fit, name)
        if other != value and not wrong_sign(parameter, other)
    ]
    beside = f" Its other values, such as {others[0]}, have the right sign." if others else ""
    return Finding(
        rule="sign-convention",
        subject=f"{fit.id}:{name}",
        cause=f"{fit.id}:{name}",
        addresses=(value.address,),
        printed=f"{name} = {value}",
        expected=f"{name} = {-value.mean}, {parameter.sign}",
        severity="severe",
        confidence="certain" if others else "likely",
        explanation=(
            f"{name} = {value} has the wrong sign: {parameter.derivation}.{beside} Values of one "
            "parameter cannot be compared across settings when a sign is dropped."
        ),
    )


CHANCE = 0.01
"""A match that chance makes more often than this is not reported."""
SURE = 1e-6
"""A match that chance makes less often than this is certain."""
RELATIONS: Mapping[str, Callable[[float], float]] = {
    "half_life": lambda other: math.pow(0.5, 1 / other)
}
"""Kind of a relation -> the parameter, from the other one."""


@dataclass(frozen=True, slots=True)
class Match:
    """Values of one parameter that are nodes of a grid of another, or of the same."""

    owner: str
    grid: Grid
    values: tuple[Mention, ...]
    chance: float
    """Probability that as many arbitrary values of these digits are nodes of any grid tried."""

    @property
    def step(self) -> float:
        return (self.grid.high - self.grid.low) / (self.grid.points - 1)


def grid_nodes(paper: Paper) -> Iterator[Finding]:
    """Findings on values that were read off a search grid, with the probability of chance."""
    for fit in paper.exhibits_of(Fit):
        for name, parameter in fit.parameters.items():
            values = values_of(fit, name)
            misfits = [value for value in values if outside(parameter, value)]
            others = [owner for owner in fit.parameters if owner != name]
            exchanged = _best(fit, others, misfits)
            if exchanged:
                yield _exchanged(fit, name, parameter, exchanged)
            own = _best(fit, [name], [value for value in values if value not in misfits])
            if own:
                yield _coarse(fit, name, own)


def _best(fit: Fit, owners: list[str], values: list[Mention]) -> Match | None:
    """The match that chance explains least."""
    grids = [(owner, grid) for owner in owners for grid in fit.parameters[owner].grids]
    matches = []
    for owner, grid in grids:
        on_grid = tuple(value for value in values if _is_node(grid, value))
        chance = len(grids) * math.prod(_chance(grid, value) for value in on_grid)
        if on_grid and chance < CHANCE:
            matches.append(Match(owner, grid, on_grid, chance))
    return min(matches, key=lambda match: match.chance, default=None)


def _is_node(grid: Grid, value: Mention) -> bool:
    """Whether a node of the grid rounds to the value."""
    step = (grid.high - grid.low) / (grid.points - 1)
    index = round((float(value.mean) - grid.low) / step)
    node = grid.low + index * step
    return 0 <= index < grid.points and abs(node - float(value.mean)) <= float(value.half)


def _chance(grid: Grid, value: Mention) -> float:
    """The share of the values of these digits, over the range of the grid, that are nodes."""
    digits = math.pow(10, decimals(value.mean))
    return min(1.0, grid.points / ((grid.high - grid.low) * digits + 1))


def _described(match: Match) -> str:
    grid = match.grid
    return (
        f"the grid of {grid.points} values from {grid.low:g} to {grid.high:g} for {match.owner} "
        f"({grid.origin})"
    )


def _exchanged(fit: Fit, name: str, parameter: Parameter, match: Match) -> Finding:
    texts = [value.text for value in match.values]
    relation = parameter.relation
    expected = f"values of {name} inside its domain"
    consequence = ""
    if relation is not None and relation.of == match.owner:
        meant = [f"{RELATIONS[relation.kind](float(value.mean)):.4f}" for value in match.values]
        expected = f"{name} = {listed(meant)}"
        consequence = f" If these are values of {match.owner}, {name} would be {listed(meant)}."
    return Finding(
        rule="grid-node",
        subject=f"{fit.id}:{name}",
        cause=f"{fit.id}:{name}",
        addresses=tuple(value.address for value in match.values),
        printed=f"{name} = {listed(texts)}",
        expected=expected,
        severity="notable",
        confidence="certain" if match.chance < SURE else "likely",
        explanation=(
            f"{listed(texts)}, printed as values of {name}, cannot be its values, but are nodes of "
            f"{_described(match)}; chance would do this with probability {match.chance:.1g}."
            f"{consequence} They are known to half a step only, ±{match.step / 2:.2g}, so that "
            "equal values need not mean equal behaviour."
        ),
    )


def _coarse(fit: Fit, name: str, match: Match) -> Finding:
    texts = [value.text for value in match.values]
    return Finding(
        rule="grid-resolution",
        subject=f"{fit.id}:{name}",
        addresses=tuple(value.address for value in match.values),
        printed=f"{name} = {listed(texts)}",
        expected=f"as many digits as a search with step {match.step:.2g} gives",
        severity="minor",
        confidence="certain" if match.chance < SURE else "likely",
        explanation=(
            f"{listed(texts)} are nodes of {_described(match)}; chance would do this with "
            f"probability {match.chance:.1g}. They are known to half a step only, "
            f"±{match.step / 2:.2g}, which their digits do not show."
        ),
    )


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
                yield _official_finding(recipe, official, follows, found)


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


def _official_finding(
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
