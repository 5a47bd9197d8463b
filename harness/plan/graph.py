"""Building steps from templates; equal work is one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import UserError, nearest
from harness.plan.expressions import Unfilled, fill, references
from harness.plan.identity import canonical, identities
from harness.plan.inputs import Inputs, reads_files
from harness.plan.library import find
from harness.plan.program import PROGRAM, RUN_TIME
from harness.plan.step import Facts, Json, Step, StepType, Work
from harness.spec.base import Misplaced, Replicate, StepTemplate
from harness.spec.parts import applies


@dataclass(frozen=True, slots=True)
class Filled:
    """A template whose parameters are filled in: a step but for its seed and its inputs."""

    index: int
    """Position of the template among those of its owner."""
    template: StepTemplate
    kind: StepType
    params: Mapping[str, Json]
    work: Work
    fused: str
    identity: Callable[[int, Mapping[str, str]], str]
    made: dict[tuple[object, ...], str]
    """Seed and inputs -> identity of such a step."""


class GraphBuilder:
    """Collects steps in topological order: an input always precedes the step that reads it."""

    def __init__(
        self,
        types: Mapping[str, StepType],
        facts: Facts,
        inputs: Inputs | None = None,
        known: dict[str, Filled] | None = None,
    ) -> None:
        """`known`: what other plans with the same facts have filled in, which is added to."""
        self._types = types
        self._inputs = inputs
        self._facts = facts
        self._known: dict[str, Filled] = {} if known is None else known
        self._own: dict[str, Filled] = {}
        """Of steps that read files, which may be others when the next plan is made."""
        self._names: dict[int, tuple[object, list[list[str]]]] = {}
        """Templates, by where they lie -> they themselves, and what they refer to."""
        self._filled: dict[tuple[object, ...], Sequence[Filled]] = {}
        """Templates and the values that they refer to -> the same, filled in."""
        self.steps: dict[str, Step] = {}

    def fill(
        self, templates: tuple[StepTemplate, ...], variables: Mapping[str, Any]
    ) -> Sequence[Filled]:
        """Fill in the templates whose 'when' holds. Most numbers of an exhibit share them.

        Raises:
            Misplaced: a template does not fit its step type, or names what is not there; the keys
                lead there from the spec that has the templates.
        """
        if id(templates) not in self._names:
            named = {pair for each in templates for pair in references(each.params)}
            named |= {(name, "") for each in templates for name in each.when}
            paths = [[name, *fields.split(".")[1:]] for name, fields in sorted(named)]
            self._names[id(templates)] = templates, paths
        paths = self._names[id(templates)][1]
        key = (id(templates), *[repr(_value(path, variables)) for path in paths])
        if key not in self._filled:
            self._filled[key] = self._fill_each(templates, variables)
        return self._filled[key]

    def _fill_each(
        self, templates: tuple[StepTemplate, ...], variables: Mapping[str, Any]
    ) -> Sequence[Filled]:
        filled = []
        for index, template in enumerate(templates):
            if not applies(template.when, variables):
                continue
            try:
                filled.append(self._fill(index, template, variables))
            except Misplaced as error:
                raise Misplaced(str(error), "steps", index, *error.keys) from None
        return filled

    def add(
        self,
        filled: Sequence[Filled],
        seed: int,
        given: Mapping[str, str],
        replicate: Replicate = "seed",
    ) -> dict[str, str]:
        """Add filled templates as steps: the id of each -> its identity.

        Args:
            given: names that inputs may use beside the ids before them -> identities.
            replicate: what is done again for the seed. Pipelines have fixed seeds of their own,
                which no other pipeline has; the first has those that the templates state.

        Raises:
            Misplaced: an input is not there.
        """
        added: dict[str, str] = {}
        known = dict(given)
        fixed = [each.template.seed for each in filled if each.template.seed != "{seed}"]
        shift = seed * (1 + max(fixed, default=0)) if replicate == "pipeline" else 0
        for each in filled:
            sources = each.template.inputs
            try:
                inputs = {name: known[source] for name, source in sources.items()}
            except KeyError:
                name, source = next(pair for pair in sources.items() if pair[1] not in known)
                message = f"unknown input '{source}'; {nearest(source, known)}"
                raise Misplaced(message, "steps", each.index, "inputs", name) from None
            drawn = seed if each.template.seed == "{seed}" else each.template.seed + shift
            added[each.template.id] = known[each.template.id] = self._add(each, drawn, inputs)
        return added

    def _fill(self, index: int, template: StepTemplate, variables: Mapping[str, Any]) -> Filled:
        try:
            kind = find(self._types, template.step)
        except UserError as error:
            raise Misplaced(str(error), "step") from None
        _check_inputs(template, kind)
        try:
            stated = fill(template.params, variables, RUN_TIME if kind is PROGRAM else ())
        except Unfilled as error:
            raise Misplaced(str(error), "params") from None
        key = canonical([kind.name, stated])
        held = self._own if reads_files(kind.params) else self._known
        found = held.get(key)
        if found is None or found.kind is not kind:
            found = held[key] = self._made(index, template, kind, stated)
        return replace(found, index=index, template=template)

    def _made(self, index: int, template: StepTemplate, kind: StepType, stated: Any) -> Filled:
        try:
            model = kind.params.model_validate(stated, context=self._inputs)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            message = first["msg"].removeprefix("Value error, ")
            if not isinstance(first["input"], Mapping | BaseModel):
                message += f" (found {first['input']!r:.80})"
            raise Misplaced(f"step '{kind.name}': {message}", "params", *first["loc"]) from None
        params = model.model_dump(mode="json", by_alias=True)
        work = kind.cost(model, self._facts)
        fused = kind.fused(model)
        return Filled(index, template, kind, params, work, fused, identities(kind, params), {})

    def _add(self, filled: Filled, seed: int, inputs: Mapping[str, str]) -> str:
        key = (seed, *inputs.items())
        identity = filled.made.get(key)
        if identity is None:
            identity = filled.made[key] = filled.identity(seed, inputs)
        if identity not in self.steps:
            kind = filled.kind
            self.steps[identity] = Step(
                name=kind.name,
                revision=kind.revision,
                params=filled.params,
                seed=seed,
                inputs=inputs,
                identity=identity,
                function=kind.function,
                work=filled.work,
                fused=filled.fused,
            )
        return identity


def _value(path: Sequence[str], value: Any) -> Any:
    """What a reference stands for; something that equals no value where it is not there."""
    for name in path:
        value = value.get(name, Ellipsis) if isinstance(value, Mapping) else Ellipsis
    return value


def _check_inputs(template: StepTemplate, kind: StepType) -> None:
    """Misplaced unless a step of this kind takes inputs of these names."""
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


def _kind_of(name: str, many: set[str]) -> str:
    """The declared name of an input."""
    stem, dot, _ = name.partition(".")
    return f"{stem}*" if dot and f"{stem}*" in many else name


def last(added: dict[str, str]) -> str:
    """The identity of the step that was added last."""
    return added[next(reversed(added))]
