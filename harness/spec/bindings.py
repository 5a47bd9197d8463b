"""Checks that what exhibits bind, and what panels run and read, is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.spec.runs import Counterpart, Runs
from harness.spec.toml import located, require_at

if TYPE_CHECKING:
    from harness.spec.kinds import Panelled
    from harness.spec.paper import Paper

Keys = list[int | str]


def check_binding(paper: Paper, path: Path, keys: Keys, variable: str, value: Any) -> None:
    """Check one variable and the value that it is bound to.

    Raises:
        SpecError: there is no such variable, or nothing of the name that it holds.
    """
    kinds = paper.about.variables
    require_at(path, keys, variable, kinds, f"unknown variable '{variable}'")
    check_name(paper, path, keys, kinds[variable], value)


def check_bindings(paper: Paper, path: Path, keys: Keys, bind: Mapping[str, Any]) -> None:
    """`check_binding` of every variable in a table of them."""
    for variable, value in bind.items():
        check_binding(paper, path, [*keys, variable], variable, value)


def check_name(paper: Paper, path: Path, keys: Keys, kind: str, value: Any) -> None:
    """Check that a value of one kind of variable names something that exists."""
    lookups: Mapping[str, Callable[[str], Any]] = {
        "method": paper.method,
        "recipe": paper.recipe,
        "dataset": paper.dataset,
        "network": paper.network,
    }
    try:
        lookups.get(kind, str)(str(value))
    except UserError as error:
        raise located(path, keys, str(error)) from None


def check_panels(paper: Paper, path: Path, exhibit: Panelled) -> None:
    """Check what the panels of an exhibit bind and read, and which points stated numbers are of."""
    for index, panel in enumerate(exhibit.panels):
        if panel.runs is None:
            continue
        _check_runs(paper, path, ["panels", index, "runs"], exhibit, panel.runs)
        bound = {*panel.runs.bind, *panel.runs.over}
        known = [step.id for step in panel.runs.steps]
        known += [name for name in sorted(bound) if paper.about.variables[name] == "recipe"]
        for keys, reading in panel.readings:
            message = f"nothing here is called '{reading.of}'"
            require_at(path, ["panels", index, *keys, "of"], reading.of, known, message)
    named: list[tuple[Keys, Counterpart]] = [
        (["stated", key, "ours"], s.ours) for key, s in exhibit.stated.items() if s.ours
    ]
    named += [(["unprinted", key], each) for key, each in exhibit.unprinted.items()]
    for place, counterpart in named:
        for variable, values in counterpart.where.items():
            for value in values:
                check_binding(paper, path, [*place, "where", variable], variable, value)


def _check_runs(paper: Paper, path: Path, keys: Keys, exhibit: Panelled, runs: Runs) -> None:
    check_bindings(paper, path, [*keys, "bind"], runs.bind)
    for variable, values in runs.over.items():
        place: Keys = [*keys, "over", variable]
        if variable in runs.bind:
            raise located(path, place, f"'{variable}' is in 'bind' too; expected one of the two")
        for value in _listed(path, place, exhibit, values):
            check_binding(paper, path, place, variable, value)


def _listed(path: Path, keys: Keys, exhibit: Panelled, values: Any) -> list[Any]:
    """The values themselves, or all that the setting may list that they refer to."""
    if not isinstance(values, str):
        return list(values)
    name = values.strip("{}")
    require_at(path, keys, name, exhibit.settings, f"unknown setting '{name}' of this exhibit")
    lists = [
        value
        for choice in exhibit.settings[name].choices
        for value in (choice.value, *choice.alternatives)
    ]
    if not all(isinstance(value, tuple) for value in lists):
        raise located(path, ["settings", name], "expected lists, as a variable goes over them")
    return [item for value in lists if isinstance(value, tuple) for item in value]
