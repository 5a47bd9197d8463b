"""Planning a figure, a fit or a lemma: every point, its steps, and what can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from harness.errors import UserError
from harness.plan.graph import GraphBuilder
from harness.plan.item import (
    Item,
    all_settings,
    blaming_the_profile,
    cannot_run,
    check_taken,
    difference,
    not_official,
)
from harness.plan.library import step_types
from harness.plan.resolver import Resolver
from harness.plan.settings import Variation
from harness.plan.step import Step
from harness.spec.exhibit import Address
from harness.spec.others import Panelled
from harness.spec.paper import Paper
from harness.spec.profile import Profile
from harness.spec.runs import Panel, Runs

SINGLE = "run"
"""The name of the point of a panel that has only one."""


@dataclass(frozen=True, kw_only=True)
class Point(Item):
    """One combination of values of a panel, resolved."""

    stated: Mapping[str, Any]
    """The paper's variables."""
    measured: Mapping[str, tuple[str, ...]]
    """What readings are of -> identities of the steps, one for each seed."""

    @property
    def identities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(i for seeds in self.measured.values() for i in seeds))


@dataclass(frozen=True)
class PointsPlan:
    """A figure, a fit or a lemma under a profile."""

    exhibit: Panelled
    profile: Profile
    points: tuple[Point, ...]
    steps: Mapping[str, Step]
    """Identity -> step, inputs before the steps that read them."""
    choices: Mapping[str, Mapping[str, Any]]
    """Panel -> the exhibit's own settings there."""
    partial: Mapping[str, str]
    """Panel -> how its set of points differs from the paper's; empty where it does not."""

    @property
    def items(self) -> tuple[Item, ...]:
        """What is planned: the points."""
        return self.points

    def chosen(self, panel: str, value: Any) -> Any:
        """A value of a panel; `{name}` stands for the exhibit's setting of that name."""
        if isinstance(value, str) and value.startswith("{"):
            return self.choices[panel][value.strip("{}")]
        return value

    def of(self, panel: str) -> tuple[Point, ...]:
        """The points of one panel."""
        return tuple(point for point in self.points if point.address.row == panel)


def plan_points(
    paper: Paper,
    exhibit: str,
    profile: str | None = None,
    seeds: int | None = None,
    variation: Variation | None = None,
) -> PointsPlan:
    """Resolve an exhibit into points and steps; as `plan_exhibit` does for tables.

    Raises:
        UserError: nothing runs for it, something in the specs cannot be resolved, or a variation
            has no effect here.
    """
    shown = paper.panelled(exhibit)
    chosen, as_stated = paper.profile(profile), paper.profile(paper.about.paper_profile)
    builder = GraphBuilder(step_types(paper), paper)
    ours = Resolver(paper, chosen, variation or {}, builder)
    stated = Resolver(paper, as_stated, variation or {}, GraphBuilder(step_types(paper), paper))
    points: list[Point] = []
    choices, partial = {}, {}
    for index, panel in enumerate(shown.panels):
        if panel.runs is None:
            continue
        count = seeds or panel.runs.seeds or chosen.seeds
        here, there = _choices(ours, shown, panel.runs), _choices(stated, shown, panel.runs)
        choices[panel.name], partial[panel.name] = here, _other_points(panel.runs, here, there)
        for name, variables in _combinations(panel.runs, here):
            address = Address(shown.id, panel.name, name)
            points.append(_plan_point(shown, index, address, variables, range(count), ours, stated))
    for name, value in (variation or {}).items():
        check_taken(name, value, points, chosen)
    return PointsPlan(shown, chosen, tuple(points), builder.steps, choices, partial)


def _choices(resolver: Resolver, exhibit: Panelled, runs: Runs) -> dict[str, Any]:
    """The exhibit's own settings, for the variables that all points of a panel share."""
    used = resolver.settings(exhibit, runs.bind)
    return {setting.name.rpartition(".")[2]: setting.value for setting in used}


def _values(runs: Runs, choices: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Variable -> the values it goes over."""
    return {
        variable: tuple(choices[values.strip("{}")] if isinstance(values, str) else values)
        for variable, values in runs.over.items()
    }


def _other_points(runs: Runs, ours: Mapping[str, Any], stated: Mapping[str, Any]) -> str:
    here, there = _values(runs, ours), _values(runs, stated)
    changed = [
        f"{name} over {list(here[name])} instead of {list(there[name])}"
        for name in here
        if here[name] != there[name]
    ]
    return ", ".join(changed)


def _combinations(runs: Runs, choices: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and variables of every point; the first variable changes slowest."""
    values = _values(runs, choices)
    for combination in product(*values.values()):
        over = dict(zip(values, combination, strict=True))
        name = "/".join(
            value if isinstance(value, str) else f"{variable} {value}"
            for variable, value in over.items()
        )
        yield name or SINGLE, {**runs.bind, **over}


def _plan_point(
    exhibit: Panelled,
    index: int,
    address: Address,
    variables: Mapping[str, Any],
    seeds: range,
    ours: Resolver,
    stated: Resolver,
) -> Point:
    panel = exhibit.panels[index]
    measured: dict[str, tuple[str, ...]] = {}
    reason = cannot_run(ours, variables, _recipes(panel, variables))
    if not reason:
        try:
            twin = stated.measured(exhibit, index, variables, 0)
            with blaming_the_profile(ours, variables):
                found = [ours.measured(exhibit, index, variables, seed) for seed in seeds]
        except UserError as error:
            raise UserError(f"{address}: {error}") from None
        measured = {name: tuple(each[name] for each in found) for name in twin}
        if found[0] != twin:
            reason = difference(ours, variables, exhibit)
        reason = reason or not_official(ours, variables)
    return Point(
        address=address,
        stated=variables,
        run=ours.bound(variables),
        settings=tuple(all_settings(ours, variables, exhibit)),
        seeds=tuple(seeds) if measured else (),
        measured=measured,
        comparable=bool(measured) and not reason,
        reason=reason,
    )


def _recipes(panel: Panel, variables: Mapping[str, Any]) -> list[str]:
    """The variables whose recipes are read."""
    return [name for name in {reading.of: 0 for _, reading in panel.readings} if name in variables]
