"""The items of an exhibit made of panels: one point for each combination of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from harness.plan.exhibit import Planner
from harness.plan.item import Item
from harness.spec.exhibit import Address
from harness.spec.others import Panelled
from harness.spec.runs import Runs

SINGLE = "run"
"""The name of the point of a panel that has only one."""


def panel_items(exhibit: Panelled, planner: Planner) -> Iterator[Item]:
    """Every point of every panel that is run."""
    for index, panel in enumerate(exhibit.panels):
        runs = panel.runs
        if runs is None:
            continue
        here, there = (
            {used.name.rpartition(".")[2]: used.value for used in side.settings(exhibit, runs.bind)}
            for side in (planner.ours, planner.stated)
        )
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
