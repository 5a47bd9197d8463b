"""The items of exhibits: a table has its cells, panels a point for each combination of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from harness.plan.exhibit import Planner
from harness.plan.item import Item
from harness.spec.exhibit import LAST_STEP, Address, Table, variables_of
from harness.spec.kinds import Panelled
from harness.spec.runs import Runs


def cell_items(table: Table, planner: Planner) -> Iterator[Item]:
    """Every cell, row by row. A mean has one run for each of its members."""
    for row, column, _ in table.cells():
        variables = variables_of(table, row, column)
        over, members = "", [variables]
        if table.average is not None:
            over = table.average.over
            members = [{**variables, over: value} for value in table.average.values]
        yield planner.item(
            Address(table.id, row.name, column.name),
            variables,
            read=(LAST_STEP,) if LAST_STEP in variables else (),
            members=members,
            mean_over=over,
            reported=row.cells.get(column.name),
            replicate=table.reporting_of(row.name, column.name).replicate,
        )


SINGLE = "run"
"""The name of the point of a panel that has only one."""


def panel_items(exhibit: Panelled, planner: Planner) -> Iterator[Item]:
    """Every point of every panel that is run."""
    for index, panel in enumerate(exhibit.panels):
        runs = panel.runs
        if runs is None:
            continue
        here, there = (side.values(exhibit, runs.bind) for side in (planner.ours, planner.stated))
        planner.choices[panel.name] = here
        planner.partial[panel.name] = _other_points(runs, here, there)
        for name, variables in _combinations(runs, here):
            yield planner.item(
                Address(exhibit.id, panel.name, name),
                variables,
                read=tuple(dict.fromkeys(reading.of for _, reading in panel.readings)),
                runs=runs,
                own=exhibit,
                place=("panels", index, "runs"),
                replicate=runs.replicate,
            )


def _values(runs: Runs, choices: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Variable -> the values it goes over."""
    return {
        variable: tuple(choices[values.strip("{}")] if isinstance(values, str) else values)
        for variable, values in runs.over.items()
    }


def _other_points(runs: Runs, ours: Mapping[str, Any], stated: Mapping[str, Any]) -> str:
    """How the points differ from the paper's, in words; empty where they do not."""
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
