"""Planning a table of results: every cell, its steps, and whether it can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from harness.spec.exhibit import Address, Column, Measure, Row, Table, variables_of
from harness.spec.paper import Paper
from harness.spec.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Cell(Item):
    """One cell, resolved."""

    reported: str | None
    """The number as the paper prints it."""
    terms: tuple[tuple[str, ...], ...]
    """For each seed, the identities of the runs whose mean is the cell (mostly one)."""
    measure: Measure

    @property
    def identities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(identity for terms in self.terms for identity in terms))


@dataclass(frozen=True)
class Plan:
    """A table under a profile."""

    exhibit: Table
    profile: Profile
    cells: tuple[Cell, ...]
    steps: Mapping[str, Step]
    """Identity -> step, inputs before the steps that read them."""

    @property
    def items(self) -> tuple[Item, ...]:
        """What is planned: the cells."""
        return self.cells


def plan_exhibit(
    paper: Paper,
    exhibit: str,
    profile: str | None = None,
    seeds: int | None = None,
    variation: Variation | None = None,
) -> Plan:
    """Resolve a table into cells and steps. Pure: reads specs, touches no data and no store.

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
        check_taken(name, value, cells, chosen)
    return Plan(table, chosen, cells, builder.steps)


def _plan_cell(
    table: Table, row: Row, column: Column, seeds: range, ours: Resolver, stated: Resolver
) -> Cell:
    members = _members(table, variables_of(table, row, column))
    variables = members[0]
    address = Address(table.id, row.name, column.name)
    terms: tuple[tuple[str, ...], ...] = ()
    reason = cannot_run(ours, variables, ["recipe"])
    if not reason:
        try:
            twins = tuple(stated.students(m, [0])[0] for m in members)
            with blaming_the_profile(ours, members[0]):
                terms = tuple(zip(*(ours.students(m, seeds) for m in members), strict=True))
        except UserError as error:
            raise UserError(f"{address}: {error}") from None
        if not terms or terms[0] != twins:
            reason = difference(ours, variables)
        reason = reason or not_official(ours, variables)
    return Cell(
        address=address,
        reported=row.cells.get(column.name),
        run=_run(ours, table, members),
        settings=tuple(all_settings(ours, variables)),
        seeds=tuple(seeds) if terms else (),
        terms=terms,
        measure=table.measure,
        comparable=bool(terms) and not reason,
        reason=reason,
    )


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
