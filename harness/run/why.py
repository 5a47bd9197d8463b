"""Why a step will run or not: the components in which it differs from the nearest record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.plan.step import Json, Step
from harness.run.state import State, states
from harness.store.index import Index
from harness.store.record import Record
from harness.store.store import Store

_MEANING: dict[State, str] = {
    "current": "is current",
    "run": "will run",
    "linked": "will be linked to a record of the same work",
    "blocked": "is blocked: a step that it needs failed",
    "running": "is running in another process",
    "failed": "failed when it last ran, and will run again",
}


def why(steps: Iterable[Step], graph: Mapping[str, Step], store: Store) -> list[str]:
    """Lines that say what will become of steps and why; those on their inputs are indented.

    An input that has no record, or another record than the nearest one had, is followed up the
    graph to the steps that cause it. What was told once is not told again.
    """
    explainer = _Explainer(graph, store)
    return [line for step in steps for line in explainer.lines(step, None, 0)]


class _Explainer:
    def __init__(self, graph: Mapping[str, Step], store: Store) -> None:
        self._graph = graph
        self._store = store
        self._index = Index(store)
        self._states = states(graph, store)
        self._told: set[str] = set()

    def lines(self, step: Step, against: Record | None, depth: int) -> Iterator[str]:
        """Lines on one step, compared with `against`, or else with the nearest record."""
        indent = "  " * depth
        state = self._states[step.identity]
        yield f"{indent}{step.name} {step.identity[:12]} {_MEANING[state]}"
        if step.identity in self._told:
            yield f"{indent}  (see above)"
            return
        self._told.add(step.identity)
        if state == "failed":
            failure = self._store.failures.get(step.identity)
            yield f"{indent}  {failure.message if failure else 'the failure cannot be read'}"
        if state == "current" and against is None:
            return
        record = against or self._index.nearest(step)
        if record is None:
            yield f"{indent}  no record of a step {step.name!r} exists"
            yield from self._inputs(step, None, depth + 1)
            return
        yield f"{indent}  compared with record {record.identity[:12]}:"
        yield from (f"{indent}  {line}" for line in _differences(step, record))
        yield from self._inputs(step, record, depth + 1)

    def _inputs(self, step: Step, record: Record | None, depth: int) -> Iterator[str]:
        indent = "  " * depth
        for name, identity in sorted(step.inputs.items()):
            before = record.inputs.get(name) if record else None
            if before == identity and self._states.get(identity, "current") == "current":
                continue
            if before is None:
                yield f"{indent}input {name} is new:" if record else f"{indent}input {name}:"
            elif before != identity:
                yield f"{indent}input {name} was {before[:12]}, is {identity[:12]}:"
            else:
                yield f"{indent}input {name} has lost its record:"
            if identity in self._graph:
                earlier = self._store.get(before) if before else None
                yield from self.lines(self._graph[identity], earlier, depth + 1)


def _differences(step: Step, record: Record) -> Iterator[str]:
    """Components other than inputs, as `path: old → new`."""
    if step.revision != record.revision:
        yield f"revision: {record.revision} → {step.revision}"
    old, new = _flat("params", dict(record.params)), _flat("params", dict(step.params))
    for path in sorted({*old, *new}):
        before, after = old.get(path, "(absent)"), new.get(path, "(absent)")
        if before != after:
            yield f"{path}: {before} → {after}"
    if step.seed != record.seed:
        yield f"seed: {record.seed} → {step.seed}"
    for name in sorted(set(record.inputs) - set(step.inputs)):
        yield f"input {name}: no longer there"


def _flat(path: str, value: Json) -> dict[str, Any]:
    """Leaves of a JSON value by dotted path."""
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = [(str(place), item) for place, item in enumerate(value)]
    else:
        return {path: value}
    leaves: dict[str, Any] = {}
    for key, child in children:
        leaves.update(_flat(f"{path}.{key}", child))
    return leaves
