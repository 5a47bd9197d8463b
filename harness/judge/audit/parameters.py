"""Rules on fitted parameters: their domain and sign, and values that are nodes of a search grid.

Of the parameter's own grid, a node says how fine the search was. Of another parameter's grid, for
values that their own domain excludes, it says that the two symbols were exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, stated_mention
from harness.spec.others import Fit, Grid, Parameter
from harness.spec.paper import Paper
from harness.spec.printed import decimals
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
