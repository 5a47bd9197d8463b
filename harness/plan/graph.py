"""Building steps from templates; equal work is one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError
from harness.plan.expressions import Unfilled, fill
from harness.plan.identity import canonical, identity_of
from harness.plan.library import find
from harness.plan.step import Facts, Step, StepType
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
        owner: str,
        templates: tuple[StepTemplate, ...],
        variables: Mapping[str, Any],
        seed: int,
        given: Mapping[str, str],
    ) -> str:
        """Add an owner's steps, and return the identity of the last one.

        Args:
            given: names that inputs may use beside the owner's own steps -> identities.
        """
        known = dict(given)
        last = ""
        for template in templates:
            if any(variables.get(name) not in values for name, values in template.when.items()):
                continue
            where = f"{owner}: step '{template.id}'"
            inputs = {}
            for name, source in template.inputs.items():
                if source not in known:
                    raise UserError(
                        f"{where}: input '{name}' comes from '{source}', which is none of "
                        f"{', '.join(sorted(known))}"
                    )
                inputs[name] = known[source]
            last = self._add(where, template, variables, seed, inputs)
            known[template.id] = last
        return last

    def _add(
        self,
        where: str,
        template: StepTemplate,
        variables: Mapping[str, Any],
        seed: int,
        inputs: Mapping[str, str],
    ) -> str:
        try:
            filled = fill(template.params, variables)
            kind = find(self._types, template.step)
        except (Unfilled, UserError) as error:
            raise UserError(f"{where}: {error}") from None
        drawn = seed if template.seed == "{seed}" else template.seed
        key = canonical([kind.name, filled, drawn, dict(inputs)])
        if key not in self._made:
            step = self._make(where, kind, filled, drawn, inputs)
            self._made[key] = step
            self.steps.setdefault(step.identity, step)
        return self._made[key].identity

    def _make(
        self, where: str, kind: StepType, filled: Any, seed: int, inputs: Mapping[str, str]
    ) -> Step:
        _check_inputs(where, kind, inputs)
        try:
            model = kind.params.model_validate(filled)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"{where}: parameter '{key}' of step '{kind.name}': {first['msg']} "
                f"(found {first['input']!r:.80})"
            ) from None
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


def _check_inputs(where: str, kind: StepType, inputs: Mapping[str, str]) -> None:
    allowed = {name.rstrip("?") for name in kind.inputs}
    needed = {name for name in kind.inputs if not name.endswith("?")}
    if not needed <= set(inputs) <= allowed:
        raise UserError(
            f"{where}: step '{kind.name}' takes the inputs {sorted(kind.inputs)}, "
            f"found {sorted(inputs)}"
        )
