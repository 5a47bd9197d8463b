"""Planning an exhibit: every cell, the steps it stands on, and whether it can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.plan.graph import GraphBuilder
from harness.plan.library import step_types
from harness.plan.resolver import Resolver
from harness.plan.settings import Used, Variation
from harness.plan.step import Step
from harness.spec.exhibit import Address, Column, Measure, Row, Table, variables_of
from harness.spec.paper import Owner, Paper
from harness.spec.profile import Profile
from harness.spec.toml import located


@dataclass(frozen=True)
class Cell:
    """One cell, resolved."""

    address: Address
    reported: str | None
    """The number as the paper prints it."""
    run: Mapping[str, Any]
    """The variables after the profile's mapping: what is really run."""
    settings: tuple[Used, ...]
    seeds: tuple[int, ...]
    terms: tuple[tuple[str, ...], ...]
    """For each seed, the identities of the runs whose mean is the cell (mostly one)."""
    measure: Measure
    comparable: bool
    reason: str
    """Why it is not comparable, or why it cannot be run; empty where neither holds."""


@dataclass(frozen=True)
class Plan:
    """An exhibit under a profile."""

    exhibit: Table
    profile: Profile
    cells: tuple[Cell, ...]
    steps: Mapping[str, Step]
    """Identity -> step, inputs before the steps that read them."""


def plan_exhibit(
    paper: Paper,
    exhibit: str,
    profile: str | None = None,
    seeds: int | None = None,
    variation: Variation | None = None,
) -> Plan:
    """Resolve an exhibit into cells and steps. Pure: reads specs, touches no data and no store.

    Args:
        profile: name of a profile; the paper's default where None.
        seeds: number of student seeds; the profile's where None.

    Raises:
        UserError: something in the specs cannot be resolved, or a variation has no effect here.
    """
    table = paper.table(exhibit)
    chosen = paper.profile(profile)
    as_stated = paper.profile(paper.about.paper_profile)
    count = chosen.seeds if seeds is None else seeds
    builder = GraphBuilder(step_types(paper), paper)
    shadow = GraphBuilder(step_types(paper), paper)
    ours = Resolver(paper, chosen, variation or {}, builder)
    stated = Resolver(paper, as_stated, variation or {}, shadow)
    cells = tuple(
        _plan_cell(table, row, column, range(count), ours, stated)
        for row, column, _ in table.cells()
    )
    for name, value in (variation or {}).items():
        _check_taken(name, value, cells, chosen)
    return Plan(table, chosen, cells, builder.steps)


def _check_taken(name: str, value: Any, cells: Sequence[Cell], profile: Profile) -> None:
    """A variation that no cell can take would show the default numbers under its name."""
    used = [used.value for cell in cells for used in cell.settings if used.name == name]
    if used and value not in used:
        raise UserError(
            f"--vary {name}={value}: no cell can take it, since it is {used[0]} under profile "
            f"{profile.id}, by the paper or by the profile; `repro assumptions` lists what is open"
        )


def _plan_cell(
    table: Table, row: Row, column: Column, seeds: range, ours: Resolver, stated: Resolver
) -> Cell:
    members = _members(table, variables_of(table, row, column))
    variables = members[0]
    address = Address(table.id, row.name, column.name)
    terms: tuple[tuple[str, ...], ...] = ()
    reason = _cannot_run(ours.paper, variables)
    if not reason:
        try:
            twins = tuple(stated.student(m, 0) for m in members)
            terms = _terms(ours, members, seeds)
        except UserError as error:
            raise UserError(f"{address}: {error}") from None
        if not terms or terms[0] != twins:
            reason = _difference(ours, variables)
        reason = reason or _not_official(ours, variables)
    return Cell(
        address=address,
        reported=row.cells.get(column.name),
        run=_run(ours, table, members),
        settings=tuple(_all_settings(ours, variables)),
        seeds=tuple(seeds) if terms else (),
        terms=terms,
        measure=table.measure,
        comparable=bool(terms) and not reason,
        reason=reason,
    )


def _terms(
    ours: Resolver, members: Sequence[Mapping[str, Any]], seeds: range
) -> tuple[tuple[str, ...], ...]:
    """The runs of a cell that can be planned as the paper states it.

    Raises:
        SpecError: they cannot under the profile; the message begins with what it changed.
    """
    try:
        return tuple(tuple(ours.student(m, seed) for m in members) for seed in seeds)
    except UserError as error:
        place = ours.changed_at(members[0])
        if place is None:
            raise
        path = ours.paper.root / "profiles" / f"{ours.profile.id}.toml"
        raise located(path, place, str(error)) from None


def _cannot_run(paper: Paper, variables: Mapping[str, Any]) -> str:
    """Why nothing can be run for a cell; empty if something can."""
    method, recipe = paper.method(variables["method"]), paper.recipe(variables["recipe"])
    if method.state != "runs":
        return method.note
    if not recipe.steps:
        return f"Recipe {recipe.id} is declared, but this version has no steps for it."
    return ""


def _members(table: Table, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    if table.average is None:
        return [dict(variables)]
    return [{**variables, table.average.over: value} for value in table.average.values]


def _run(ours: Resolver, table: Table, members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The variables of what is run; of a mean, the averaged one as a list."""
    bound = [ours.bound(member) for member in members]
    if table.average is None:
        return bound[0]
    return {**bound[0], table.average.over: [each[table.average.over] for each in bound]}


def _all_settings(resolver: Resolver, variables: Mapping[str, Any]) -> list[Used]:
    """The settings of the method and of every recipe that the cell refers to."""
    paper = resolver.paper
    owners: list[Owner] = [paper.method(variables["method"])]
    owners += [
        paper.recipe(variables[name])
        for name, kind in paper.about.variables.items()
        if kind == "recipe" and name in variables
    ]
    return [used for owner in owners for used in resolver.settings(owner, variables)]


def _difference(ours: Resolver, variables: Mapping[str, Any]) -> str:
    """In words, what a profile runs otherwise than the paper."""
    changes = [
        f"{name} {ours.bound(variables)[name]} instead of {value}"
        for name, value in variables.items()
        if ours.bound(variables)[name] != value
    ]
    changes += [
        f"{used.name} {used.value} instead of {_plain(used.stated.value)}"
        for used in _all_settings(ours, variables)
        if used.overridden and used.value != _plain(used.stated.value)
    ]
    return f"profile {ours.profile.id}: " + ", ".join(changes)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _not_official(ours: Resolver, variables: Mapping[str, Any]) -> str:
    """Why a cell that is run as stated still cannot be compared; empty if it can."""
    images = ours.paper.method(variables["method"]).images
    if images.here != images.paper:
        return f"images are {images.here}, the paper evaluated {images.paper}"
    for name, kind in ours.paper.about.variables.items():
        if kind == "dataset" and name in variables:
            dataset = ours.paper.dataset(ours.bound(variables)[name])
            if not dataset.official:
                return f"{dataset.label} is not known to be the official data set"
    return ""
