"""One number or point of an exhibit: what it stands on, and whether it can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.plan.expressions import fill
from harness.plan.resolver import Resolver
from harness.plan.settings import Used
from harness.spec.exhibit import Address
from harness.spec.others import Panelled
from harness.spec.paper import Owner
from harness.spec.profile import Profile
from harness.spec.toml import located


@dataclass(frozen=True, kw_only=True)
class Item:
    """A cell of a table, or a point of a figure, resolved."""

    address: Address
    run: Mapping[str, Any]
    """The variables after the profile's mapping: what is really run."""
    settings: tuple[Used, ...]
    seeds: tuple[int, ...]
    comparable: bool
    reason: str
    """Why it is not comparable, or why it cannot be run; empty where neither holds."""

    @property
    def identities(self) -> tuple[str, ...]:
        """The steps whose records it is read from, each once."""
        raise NotImplementedError


def cannot_run(ours: Resolver, variables: Mapping[str, Any], recipes: Sequence[str]) -> str:
    """Why nothing can be run under the profile; empty if something can.

    Args:
        recipes: variables that name recipes whose steps would have to be done.
    """
    paper, bound = ours.paper, ours.bound(variables)
    for method in paper.methods_of(bound).values():
        if reason := method.cannot_run(bound):
            return reason
    for name in recipes:
        recipe = paper.recipe(variables[name])
        if not recipe.steps:
            return f"Recipe {recipe.id} is declared, but this version has no steps for it."
    return ""


def all_settings(
    resolver: Resolver, variables: Mapping[str, Any], exhibit: Panelled | None = None
) -> list[Used]:
    """The settings of the exhibit and of every method and recipe that is referred to."""
    paper = resolver.paper
    owners: list[Owner] = [] if exhibit is None else [exhibit]
    owners += paper.methods_of(variables).values()
    owners += [
        paper.recipe(variables[name])
        for name, kind in paper.about.variables.items()
        if kind == "recipe" and name in variables
    ]
    return [used for owner in owners for used in resolver.settings(owner, variables)]


def difference(
    ours: Resolver, variables: Mapping[str, Any], exhibit: Panelled | None = None
) -> str:
    """In words, what a profile runs otherwise than the paper."""
    changes = [
        f"{name} {ours.bound(variables)[name]} instead of {value}"
        for name, value in variables.items()
        if ours.bound(variables)[name] != value
    ]
    changes += [
        f"{used.name} {used.value} instead of {_plain(used.stated.value)}"
        for used in all_settings(ours, variables, exhibit)
        if used.overridden and used.value != _plain(used.stated.value)
    ]
    return f"profile {ours.profile.id}: " + ", ".join(changes)


def not_official(ours: Resolver, variables: Mapping[str, Any]) -> str:
    """Why what is run as stated still cannot be compared; empty if it can."""
    for method in ours.paper.methods_of(variables).values():
        settings = ours.settings(method, variables)
        here = fill(
            method.images.here, {used.name.rpartition(".")[2]: used.value for used in settings}
        )
        if here != method.images.paper:
            return f"images are {here}, the paper evaluated {method.images.paper}"
    for name, kind in ours.paper.about.variables.items():
        if kind == "dataset" and name in variables:
            dataset = ours.paper.dataset(ours.bound(variables)[name])
            if not dataset.official:
                return f"{dataset.label} is not known to be the official data set"
    return ""


@contextmanager
def blaming_the_profile(ours: Resolver, variables: Mapping[str, Any]) -> Iterator[None]:
    """Around what can be planned as the paper states it: an error is then the profile's.

    Raises:
        SpecError: what was raised inside, at the place in the profile that changes a variable.
    """
    try:
        yield
    except UserError as error:
        place = ours.changed_at(variables)
        if place is None:
            raise
        path = ours.paper.root / "profiles" / f"{ours.profile.id}.toml"
        raise located(path, place, str(error)) from None


def check_taken(name: str, value: Any, items: Sequence[Item], profile: Profile) -> None:
    """A variation that nothing can take would show the default numbers under its name.

    Raises:
        UserError: it has no effect here.
    """
    used = [used.value for item in items for used in item.settings if used.origin == name]
    if used and value not in used:
        raise UserError(
            f"--vary {name}={value}: no cell can take it, since it is {used[0]} under profile "
            f"{profile.id}, by the paper or by the profile; `repro assumptions` lists what is open"
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
