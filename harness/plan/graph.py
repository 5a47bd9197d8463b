"""Building steps from templates; equal work is one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import UserError, nearest
from harness.plan.expressions import Unfilled, fill
from harness.plan.identity import canonical, identity_of
from harness.plan.library import find
from harness.plan.step import Facts, Step, StepType
from harness.spec.base import Misplaced
from harness.spec.template import StepTemplate


class GraphBuilder:
    """Collects steps in topological order: an input always precedes the step that reads it."""

    def __init__(self, types: Mapping[str, StepType], facts: Facts) -> None:
        self._types = types
        self._facts = facts
        self._made: dict[str, Step] = {}
        self.steps: dict[str, Step] = {}

    def add_all(
        self,
        templates: tuple[StepTemplate, ...],
        variables: Mapping[str, Any],
        seed: int,
        given: Mapping[str, str],
    ) -> str:
        """Add an owner's steps, and return the identity of the last one.

        Args:
            given: names that inputs may use beside the owner's own steps -> identities.

        Raises:
            Misplaced: a template does not fit its step type, or names what is not there; the keys
                lead there from the spec that has the templates.
        """
        added = self.add_each(templates, variables, seed, given)
        if not added:
            raise Misplaced("no step is left, since no 'when' holds", "steps")
        return list(added.values())[-1]

    def add_each(
        self,
        templates: tuple[StepTemplate, ...],
        variables: Mapping[str, Any],
        seed: int,
        given: Mapping[str, str],
    ) -> dict[str, str]:
        """As `add_all`, but return the id and the identity of each step whose 'when' holds."""
        added: dict[str, str] = {}
        for index, template in enumerate(templates):
            if any(variables.get(name) not in values for name, values in template.when.items()):
                continue
            try:
                identity = self._add(template, variables, seed, {**given, **added})
            except Misplaced as error:
                raise Misplaced(str(error), "steps", index, *error.keys) from None
            added[template.id] = identity
        return added

    def _add(
        self,
        template: StepTemplate,
        variables: Mapping[str, Any],
        seed: int,
        known: Mapping[str, str],
    ) -> str:
        try:
            kind = find(self._types, template.step)
        except UserError as error:
            raise Misplaced(str(error), "step") from None
        inputs = _inputs(template, kind, known)
        try:
            filled = fill(template.params, variables)
        except Unfilled as error:
            raise Misplaced(str(error), "params") from None
        drawn = seed if template.seed == "{seed}" else template.seed
        key = canonical([kind.name, filled, drawn, dict(inputs)])
        if key not in self._made:
            step = self._make(kind, filled, drawn, inputs)
            self._made[key] = step
            self.steps.setdefault(step.identity, step)
        return self._made[key].identity

    def _make(self, kind: StepType, filled: Any, seed: int, inputs: Mapping[str, str]) -> Step:
        try:
            model = kind.params.model_validate(filled)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            message = first["msg"].removeprefix("Value error, ")
            if not isinstance(first["input"], Mapping | BaseModel):
                message += f" (found {first['input']!r:.80})"
            raise Misplaced(f"step '{kind.name}': {message}", "params", *first["loc"]) from None
        params = model.model_dump(mode="json")
        return Step(
            name=kind.name,
            revision=kind.revision,
            params=params,
            seed=seed,
            inputs=inputs,
            identity=identity_of(kind, params, seed, inputs),
            function=kind.function,
            work=kind.cost(model, self._facts),
        )


def _inputs(template: StepTemplate, kind: StepType, known: Mapping[str, str]) -> dict[str, str]:
    """Input name -> identity of the step that provides it."""
    for name, source in template.inputs.items():
        if source not in known:
            raise Misplaced(f"unknown input '{source}'; {nearest(source, known)}", "inputs", name)
    # `curve.0`, `curve.1`, ... are all inputs of the name `curve*`.
    many = {name for name in kind.inputs if name.endswith("*")}
    found = {_kind_of(name, many) for name in template.inputs}
    needed = {name for name in kind.inputs if not name.endswith("?")}
    if not needed <= found <= {name.rstrip("?") for name in kind.inputs}:
        raise Misplaced(
            f"step '{kind.name}' takes the inputs {sorted(kind.inputs)}, "
            f"found {sorted(template.inputs)}",
            "inputs",
        )
    return {name: known[source] for name, source in template.inputs.items()}


def _kind_of(name: str, many: set[str]) -> str:
    """The declared name of an input."""
    stem, dot, _ = name.partition(".")
    return f"{stem}*" if dot and f"{stem}*" in many else name
