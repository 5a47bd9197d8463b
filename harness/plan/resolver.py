"""The meaning of an item's variables under one profile: settings, steps, places in specs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import UserError
from harness.plan.graph import Filled, GraphBuilder, last
from harness.plan.settings import Used, Variation, conditions, resolve_settings
from harness.spec.base import Misplaced, Replicate, StepTemplate
from harness.spec.paper import Owner, Paper
from harness.spec.parts import Profile
from harness.spec.runs import Runs
from harness.spec.toml import located

Place = tuple[int | str, ...]
NOTHING_MORE = Runs()
"""Where only recipes are read."""


@dataclass(frozen=True)
class Wanted:
    """The steps that an item is read from, whatever its variables are."""

    read: Collection[str]
    """Variables that name recipes, whose last steps are meant, and ids of steps of `runs`."""
    runs: Runs = NOTHING_MORE
    """What is done to the methods' images, and the further steps."""
    own: Owner | None = None
    """Whose settings the templates of `runs` may use, and in whose spec they are."""
    place: Place = ()
    """Keys of `runs` in that spec."""
    replicate: Replicate = "seed"
    """What is done again for each seed."""


@dataclass(frozen=True)
class _Part:
    """Steps of one owner, filled in."""

    owner: Owner
    place: Place
    """Keys of the templates in the owner's spec."""
    name: str
    """How the last step is called later; empty: each step is called by its id."""
    given_as: str
    """How inputs of later steps refer to it, such as `{images}`."""
    filled: Sequence[Filled]
    alone: bool
    """Whether no earlier step is given to it."""

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every seed."""
        return self.alone and not any(each.template.seed == "{seed}" for each in self.filled)


@dataclass(frozen=True)
class Resolver:
    """Turns the variables of a cell into steps under one profile."""

    paper: Paper
    profile: Profile
    variation: Variation
    builder: GraphBuilder
    _settings: dict[tuple[object, ...], tuple[Used, ...]] = field(default_factory=dict)
    """Owner with the variables, or with those that its settings depend on -> its settings: most
    cells of a table share them."""
    _values: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """By where such settings lie, since they are kept: their values."""
    _conditions: dict[tuple[object, ...], list[str]] = field(default_factory=dict)
    _bound: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Variables in words -> the same after the mapping: every cell asks for its own many times."""

    def bound(self, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        """The variables after the profile's mapping."""
        words = repr(stated)
        if words not in self._bound:
            kinds, table = self.paper.about.variables, self.profile.map
            keys = {name: name if kinds[name] == "value" else kinds[name] for name in stated}
            self._bound[words] = {
                name: self.profile.mapped(keys[name], value) if keys[name] in table else value
                for name, value in stated.items()
            }
        return self._bound[words]

    def changed_at(self, stated: Mapping[str, Any]) -> list[int | str] | None:
        """Keys of the profile that change a variable; if it changes several, a plain value."""
        bound, kinds = self.bound(stated), self.paper.about.variables
        changed = [name for name, value in stated.items() if bound[name] != value]
        if not changed:
            return None
        name = min(changed, key=lambda name: kinds[name] != "value")
        key = name if kinds[name] == "value" else kinds[name]
        value = str(stated[name])
        return ["map", key, value if value in self.profile.map[key] else "*"]

    def settings(self, owner: Owner, stated: Mapping[str, Any]) -> tuple[Used, ...]:
        whose = (type(owner), owner.id)
        here = (repr(stated), *whose)
        if here in self._settings:
            return self._settings[here]
        cases = {**self.bound(stated), **{f"paper.{name}": v for name, v in stated.items()}}
        if whose not in self._conditions:
            self._conditions[whose] = conditions(owner, self.profile)
        key = (*whose, *(repr(cases.get(name)) for name in self._conditions[whose]))
        if key not in self._settings:
            try:
                found = tuple(resolve_settings(owner, self.profile, self.variation, cases))
            except Misplaced as error:
                raise self._located(owner, error) from None
            self._settings[key] = found
        self._settings[here] = self._settings[key]
        return self._settings[here]

    def values(self, owner: Owner, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        """The settings of an owner by their names within it."""
        settings = self.settings(owner, stated)
        if id(settings) not in self._values:
            found = {used.name.rpartition(".")[2]: used.value for used in settings}
            self._values[id(settings)] = found
        return self._values[id(settings)]

    def environment(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of templates: names stand for the specs that they name."""
        variables: dict[str, Any] = {}
        for name, value in self.bound(stated).items():
            kind = self.paper.about.variables[name]
            if kind == "dataset":
                variables[f"about_{name}"] = self.paper.dataset(value).facts
                value = {"name": value, **self.paper.dataset(value).fields}
            elif kind == "recipe":
                value = self.values(self.paper.recipe(value), stated)
            elif kind == "network":
                self.paper.network(value)
            variables[name] = value
        return variables

    def measured(
        self, stated: Mapping[str, Any], seeds: Iterable[int], wanted: Wanted
    ) -> dict[str, tuple[str, ...]]:
        """Name of each reading's source -> for each seed, the identity of the step.

        The methods' images come first, then what `runs` does to them, every recipe that is read on
        these, and the further steps of `runs`.
        """
        parts, replicate = self._parts(stated, wanted), wanted.replicate
        order = dict.fromkeys([*stated, *(step.id for step in wanted.runs.steps)])
        found: dict[str, list[str]] = {name: [] for name in order if name in wanted.read}
        once = [part for part in parts if part.fixed and replicate == "seed"]
        each_seed = [part for part in parts if part not in once]
        shared = {part.given_as: last(self._added(part, 0, {})) for part in once}
        for seed in seeds:
            given = shared.copy()
            made: dict[str, str] = {}
            for part in each_seed:
                added = self._added(part, seed, {} if part.alone else given, replicate)
                if part.name:
                    given[part.given_as] = made[part.name] = last(added)
                else:
                    made.update(added)
            for name, identities in found.items():
                if name not in made:
                    raise UserError(f"'{name}' is read, but the 'when' of its steps does not hold")
                identities.append(made[name])
        return {name: tuple(identities) for name, identities in found.items()}

    def _parts(self, stated: Mapping[str, Any], wanted: Wanted) -> list[_Part]:
        """The steps of `measured`, filled in once for all seeds."""
        runs, own, place = wanted.runs, wanted.own, wanted.place
        variables = self.environment(stated)
        if own is not None:
            variables |= self.values(own, stated)
        parts = []
        for name, method in self.paper.methods_of(stated).items():
            settings = self.values(method, stated)
            known_as = "images" if name == "method" else name
            given = {**variables, **settings}
            parts.append(self._filled(method, method.steps, given, known_as, alone=True))
            variables |= settings if name == "method" else {}
        known = {part.given_as for part in parts}
        if own is not None:
            changed = self._filled(own, runs.images, variables, "images", (*place, "images"))
            parts += [changed] if changed.filled else []
        used = {source for step in runs.steps for source in step.inputs.values()} - known
        for name in stated:
            if name in wanted.read or f"{{{name}}}" in used:
                recipe = self.paper.recipe(stated[name])
                parts.append(self._filled(recipe, recipe.steps, variables, name))
        if own is not None:
            parts.append(self._filled(own, runs.steps, variables, "", (*place, "steps")))
        return parts

    def _filled(
        self,
        owner: Owner,
        templates: tuple[StepTemplate, ...],
        variables: Mapping[str, Any],
        name: str,
        place: Place = ("steps",),
        alone: bool = False,
    ) -> _Part:
        try:
            filled = self.builder.fill(templates, variables)
        except Misplaced as error:
            raise self._located(owner, _placed(place, error)) from None
        return _Part(owner, place, name, f"{{{name}}}" if name else "", filled, alone)

    def _added(
        self, part: _Part, seed: int, given: Mapping[str, str], replicate: Replicate = "seed"
    ) -> dict[str, str]:
        try:
            if part.name and not part.filled:
                raise Misplaced("no step is left, since no 'when' holds", "steps")
            return self.builder.add(part.filled, seed, given, replicate)
        except Misplaced as error:
            raise self._located(part.owner, _placed(part.place, error)) from None

    def _located(self, owner: Owner, error: Misplaced) -> UserError:
        path = self.paper.path_of(owner)
        if error.keys[0] == "override":
            path = self.paper.root / "profiles" / f"{self.profile.id}.toml"
        return located(path, error.keys, str(error))


def _placed(place: Place, error: Misplaced) -> Misplaced:
    """The same error, with the keys from the owner's spec."""
    _, *rest = error.keys
    return Misplaced(str(error), *place, *rest)
