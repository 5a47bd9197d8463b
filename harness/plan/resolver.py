"""What the variables of a cell stand for under one profile: settings, steps, places in specs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.plan.graph import GraphBuilder, last
from harness.plan.settings import Used, Variation, resolve_settings
from harness.spec.base import Misplaced
from harness.spec.others import Panelled
from harness.spec.paper import Owner, Paper
from harness.spec.parts import Method, Recipe
from harness.spec.profile import Profile
from harness.spec.references import FOLDERS
from harness.spec.template import StepTemplate
from harness.spec.toml import located


@dataclass(frozen=True)
class Resolver:
    """Turns the variables of a cell into steps under one profile."""

    paper: Paper
    profile: Profile
    variation: Variation
    builder: GraphBuilder

    def bound(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """The variables after the profile's mapping."""
        kinds = self.paper.about.variables
        return {
            name: self.profile.mapped(name if kinds[name] == "value" else kinds[name], value)
            for name, value in stated.items()
        }

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
        bound = self.bound(stated)
        cases = {**bound, **{f"paper.{name}": value for name, value in stated.items()}}
        try:
            return tuple(resolve_settings(owner, self.profile, self.variation, cases))
        except Misplaced as error:
            raise self._located(owner, error) from None

    def environment(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """What templates may refer to: names stand for the specs that they name."""
        variables: dict[str, Any] = {}
        for name, value in self.bound(stated).items():
            kind = self.paper.about.variables[name]
            if kind == "dataset":
                variables[f"about_{name}"] = self.paper.dataset(value).facts
                value = {"name": value, **self.paper.dataset(value).fields}
            elif kind == "recipe":
                value = _values(self.settings(self.paper.recipe(value), stated))
            elif kind == "network":
                self.paper.network(value)
            variables[name] = value
        return variables

    def students(self, stated: Mapping[str, Any], seeds: Iterable[int]) -> tuple[str, ...]:
        """For each seed, the identity of the cell's last step.

        The method's images come first, then the recipe's steps.
        """
        method = self.paper.method(stated["method"])
        recipe = self.paper.recipe(stated["recipe"])
        own = {**self.environment(stated), **_values(self.settings(method, stated))}
        identities = []
        try:
            owner: Method | Recipe = method
            making = self.builder.fill(method.steps, own)
            owner = recipe
            reading = self.builder.fill(recipe.steps, own)
            anew = any(each.template.seed == "{seed}" for each in making)
            images = ""
            for seed in seeds:
                owner = method
                if anew or not images:
                    images = last(self.builder.add(making, seed, {}))
                owner = recipe
                identities.append(last(self.builder.add(reading, seed, {"{images}": images})))
        except Misplaced as error:
            raise self._located(owner, error) from None
        return tuple(identities)

    def measured(
        self, exhibit: Panelled, index: int, stated: Mapping[str, Any], seed: int
    ) -> dict[str, str]:
        """Identities of the steps that a panel reads: name of the reading's step -> identity.

        The method's images, what the panel does to them, every recipe that is read on these, and
        the panel's further steps.
        """
        panel = exhibit.panels[index]
        assert panel.runs is not None
        own = {**self.environment(stated), **_values(self.settings(exhibit, stated))}
        given: dict[str, str] = {}
        for name, method in self.paper.methods_of(stated).items():
            settings = _values(self.settings(method, stated))
            images = self._add(method, own | settings, seed, {})
            given["{images}" if name == "method" else f"{{{name}}}"] = images
            own |= settings if name == "method" else {}
        place = ("panels", index, "runs")
        changed = self._add_here(exhibit, (*place, "images"), panel.runs.images, own, seed, given)
        if changed:
            given["{images}"] = list(changed.values())[-1]
        read = dict.fromkeys(reading.of for _, reading in panel.readings)
        sources = {source for step in panel.runs.steps for source in step.inputs.values()}
        found: dict[str, str] = {}
        for name in stated:
            if name in read or f"{{{name}}}" in sources - given.keys():
                found[name] = self._add(self.paper.recipe(stated[name]), own, seed, given)
        given |= {f"{{{name}}}": identity for name, identity in found.items()}
        added = self._add_here(exhibit, (*place, "steps"), panel.runs.steps, own, seed, given)
        return {name: identity for name, identity in (found | added).items() if name in read}

    def _add_here(
        self,
        exhibit: Panelled,
        place: tuple[int | str, ...],
        templates: tuple[StepTemplate, ...],
        variables: Mapping[str, Any],
        seed: int,
        given: Mapping[str, str],
    ) -> dict[str, str]:
        try:
            return self.builder.add_each(templates, variables, seed, given)
        except Misplaced as error:
            _, *rest = error.keys
            raise self._located(exhibit, Misplaced(str(error), *place, *rest)) from None

    def _add(
        self,
        owner: Method | Recipe,
        variables: Mapping[str, Any],
        seed: int,
        given: Mapping[str, str],
    ) -> str:
        try:
            return self.builder.add_all(owner.steps, variables, seed, given)
        except Misplaced as error:
            raise self._located(owner, error) from None

    def _located(self, owner: Owner, error: Misplaced) -> UserError:
        folder, name = _folder(owner), owner.id
        if error.keys[0] == "override":
            folder, name = "profiles", self.profile.id
        return located(self.paper.root / folder / f"{name}.toml", error.keys, str(error))


def _folder(owner: Owner) -> str:
    if isinstance(owner, Panelled):
        return FOLDERS[owner.kind]
    return "methods" if isinstance(owner, Method) else "recipes"


def _values(settings: Sequence[Used]) -> dict[str, Any]:
    return {used.name.rpartition(".")[2]: used.value for used in settings}
