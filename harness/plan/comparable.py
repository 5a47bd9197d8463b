"""Whether an item can be run under a profile, and whether it can be compared with the paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from harness.errors import UserError
from harness.plan.expressions import fill
from harness.plan.resolver import Resolver
from harness.plan.settings import Used, plain
from harness.spec.paper import Owner
from harness.spec.toml import located


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
    resolver: Resolver, variables: Mapping[str, Any], own: Owner | None = None
) -> list[Used]:
    """The settings of every method and recipe that the variables name, after those of `own`."""
    paper = resolver.paper
    owners: list[Owner] = [] if own is None else [own]
    owners += paper.methods_of(variables).values()
    owners += [
        paper.recipe(variables[name])
        for name, kind in paper.about.variables.items()
        if kind == "recipe" and name in variables
    ]
    return [used for owner in owners for used in resolver.settings(owner, variables)]


def difference(ours: Resolver, variables: Mapping[str, Any], settings: Sequence[Used]) -> str:
    """In words, what a profile runs otherwise than the paper."""
    changes = [
        f"{name} {ours.bound(variables)[name]} instead of {value}"
        for name, value in variables.items()
        if ours.bound(variables)[name] != value
    ]
    changes += [
        f"{used.name} {used.value} instead of {plain(used.stated.value)}"
        for used in settings
        if used.overridden and used.value != plain(used.stated.value)
    ]
    return f"profile {ours.profile.id}: " + ", ".join(changes)


def not_official(ours: Resolver, variables: Mapping[str, Any]) -> str:
    """Why what is run as stated still cannot be compared; empty if it can."""
    for method in ours.paper.methods_of(variables).values():
        here = fill(method.images.here, ours.values(method, variables))
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
