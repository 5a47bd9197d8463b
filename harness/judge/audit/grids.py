"""Rule: a printed value that is, to the digit, a node of a search grid.

Of the parameter's own grid, this says how fine the search was. Of another parameter's grid, for
values that their own domain excludes, it says that the two symbols were exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from harness.judge.audit.domains import outside, values_of
from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention
from harness.spec.others import Fit, Grid, Parameter
from harness.spec.paper import Paper
from harness.spec.printed import decimals
from harness.words import listed

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
