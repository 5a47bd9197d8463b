"""Steps that a changed file has left without a record, known by the records of the same work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.plan.exhibit import ExhibitPlan
from harness.plan.identity import canonical
from harness.plan.inputs import GONE, file_fields
from harness.plan.step import Json, Step, StepType, uncounted
from harness.store.index import Index
from harness.store.store import Store
from harness.words import counted

_SHOWN = 4
"""Files in a line."""


def outdated(
    steps: Mapping[str, Step], store: Store, types: Mapping[str, StepType]
) -> dict[str, frozenset[str]]:
    """Identity of a step without a record -> the files, in words, but for which it has one.

    Args:
        steps: by identity, inputs before the steps that read them.
    """
    lacking = [step for step in steps.values() if not store.has(step.identity)]
    if not any(file_fields(types[step.name].params) for step in lacking):
        return {}
    if not store.root.is_dir():
        return {}
    before = _Before(store, types)
    for step in lacking:
        before.look_for(step)
    return before.changed


def outdated_notice(
    plan: ExhibitPlan, store: Store, types: Mapping[str, StepType]
) -> Iterator[str]:
    """One line on the numbers of an exhibit that are outdated, if any. Runs nothing."""
    changed = outdated(plan.steps, store, types)
    numbers = [item for item in plan.items if not changed.keys().isdisjoint(item.identities)]
    if numbers:
        files = {file for item in numbers for i in item.identities for file in changed.get(i, ())}
        yield (
            f"{plan.exhibit.id}: {len(numbers)} of {counted(len(plan.items), 'number')} outdated: "
            f"{in_words(files)} since; `repro make {plan.exhibit.id}` makes them anew"
        )


def in_words(files: Iterable[str]) -> str:
    """Files that changed or are gone, the first few of them."""
    told = sorted(files)
    return ", ".join(told[:_SHOWN]) + (f" and {len(told) - _SHOWN} more" * (len(told) > _SHOWN))


class _Before:
    """Records by what they have beside the digests of files."""

    def __init__(self, store: Store, types: Mapping[str, StepType]) -> None:
        self._index = Index(store)
        self._types = types
        self._records: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._earlier: dict[str, set[str]] = {}
        """Outdated step -> identities that the same work had."""
        self.changed: dict[str, frozenset[str]] = {}

    def look_for(self, step: Step) -> None:
        """Find the records of the same work with other files, its own or those of its inputs."""
        files = file_fields(self._types[step.name].params)
        if not files and not self.changed.keys() & step.inputs.values():
            return
        alike = self._alike(step.name).get(self._key(step.name, step.params, step.seed), ())
        found = {
            row["identity"]: changes
            for row in alike
            if self._same_inputs(step, row) and (changes := self._changes(step, row))
        }
        if found:
            self._earlier[step.identity] = set(found)
            self.changed[step.identity] = min(found.values(), key=lambda c: (len(c), sorted(c)))

    def _alike(self, name: str) -> dict[str, list[dict[str, Any]]]:
        if name not in self._records:
            held = self._records[name] = defaultdict(list)
            for row in self._index.records(name):
                held[self._key(name, row["params"], row["seed"])].append(row)
        return self._records[name]

    def _key(self, name: str, params: Mapping[str, Any], seed: int) -> str:
        kind = self._types[name].params
        left_out = file_fields(kind) | uncounted(kind)
        return canonical([seed, {n: held for n, held in params.items() if n not in left_out}])

    def _same_inputs(self, step: Step, row: Mapping[str, Any]) -> bool:
        return step.inputs.keys() == row["inputs"].keys() and all(
            row["inputs"][name] in {identity, *self._earlier.get(identity, ())}
            for name, identity in step.inputs.items()
        )

    def _changes(self, step: Step, row: Mapping[str, Any]) -> frozenset[str]:
        found = {file for i in step.inputs.values() for file in self.changed.get(i, ())}
        for field in file_fields(self._types[step.name].params):
            found |= set(differing(_files(row["params"], field), _files(step.params, field)))
        return frozenset(found)


def files_of(steps: Mapping[str, Step], types: Mapping[str, StepType]) -> dict[str, Json]:
    """File -> digest, of all files that steps read."""
    found: dict[str, Json] = {}
    for step in steps.values():
        for field in file_fields(types[step.name].params):
            found |= _files(step.params, field)
    return found


def _files(params: Mapping[str, Any], field: str) -> dict[str, Any]:
    """File -> digest, of one parameter; nothing where it is left out."""
    held = params.get(field)
    return held if isinstance(held, dict) else {}


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """The files, in words, that have another digest than before."""
    for file in {**before, **now}:
        digest = now.get(file, GONE)
        if digest != before.get(file, GONE):
            yield f"{file} is gone" if digest == GONE else f"{file} changed"
