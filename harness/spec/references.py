"""Checks that the names which exhibits and recipes use in passing exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from harness.errors import nearest
from harness.spec.exhibit import Stated
from harness.spec.parts import ImageSource, Method, Recipe
from harness.spec.setting import Choices, Setting
from harness.spec.toml import located

if TYPE_CHECKING:
    from harness.spec.paper import Paper

Keys = list[int | str]


def check_references(paper: Paper) -> None:
    """Check what stated numbers, captions and recipes refer to.

    Raises:
        SpecError: a name does not exist; the message says where it is used, and the nearest one.
    """
    for exhibit in paper.exhibits.values():
        path = paper.path_of(exhibit)
        for variable in exhibit.caption_binds:
            _known(path, ["caption_binds", variable], variable, paper.about.variables)
        for key, stated in exhibit.stated.items():
            _check_stated(paper, path, ["stated", key], stated)
    for recipe in paper.recipes.values():
        path = paper.root / "recipes" / f"{recipe.id}.toml"
        for index, follows in enumerate(recipe.follows):
            _known(path, ["follows", index, "recipe"], follows.recipe, paper.official)
            for setting in follows.settings:
                _known(path, ["follows", index, "settings"], setting, recipe.settings)
    _check_conditions(paper)


def _check_conditions(paper: Paper) -> None:
    """A condition on a variable that nothing binds would never hold, and nobody would notice."""
    variables = {*paper.about.variables, *(f"paper.{name}" for name in paper.about.variables)}
    of_methods = {name for method in paper.methods.values() for name in method.settings}
    groups: list[tuple[str, Mapping[str, Method | Recipe], set[str]]] = [
        ("methods", paper.methods, set()),
        ("recipes", paper.recipes, of_methods),
    ]
    for folder, owners, given in groups:
        for name, owner in owners.items():
            path = paper.root / folder / f"{name}.toml"
            _check_settings(path, owner.settings, variables)
            if isinstance(owner, Method):
                _check_images(path, owner)
                for variable in owner.when:
                    _known(path, ["when", variable], variable, paper.about.variables)
            known = {*paper.about.variables, *owner.settings, *given}
            for index, step in enumerate(owner.steps):
                for variable in step.when:
                    _known(path, ["steps", index, "when", variable], variable, known)
    for exhibit in paper.exhibits.values():
        _check_settings(paper.path_of(exhibit), exhibit.own_settings, variables)
    for profile in paper.profiles.values():
        path = paper.root / "profiles" / f"{profile.id}.toml"
        for setting, choices in profile.override.items():
            _check_choices(path, ["override", setting], choices, variables)


def _check_settings(path: Path, settings: Mapping[str, Setting], variables: set[str]) -> None:
    for name, setting in settings.items():
        if not setting.origins:  # else it is checked where it is stated
            _check_choices(path, ["settings", name], setting.choices, variables)


def _check_images(path: Path, method: Method) -> None:
    """A setting that says what the images are must be there, and say nothing else."""
    here = method.images.here
    if not here.startswith("{"):
        return
    setting = method.settings.get(here.strip("{}"))
    choices = setting.choices if setting else ()
    named = {value for choice in choices for value in (choice.value, *choice.alternatives)}
    if not named or not named <= set(get_args(ImageSource)):
        expected = f"'{here}' needs a setting of that name, whose values are of "
        raise located(path, ["images", "here"], expected + ", ".join(get_args(ImageSource)))


def _check_choices(path: Path, keys: Keys, choices: Choices, known: Iterable[str]) -> None:
    for index, choice in enumerate(choices):
        # A single choice may stand without a list around it.
        place: Keys = [*keys, index] if len(choices) > 1 else keys
        for variable in choice.when:
            _known(path, [*place, "when", variable], variable, known)


def _check_stated(paper: Paper, path: Path, keys: Keys, stated: Stated) -> None:
    if stated.setting:
        owners: dict[str, Method | Recipe] = {**paper.methods, **paper.recipes}
        settings = [f"{name}.{setting}" for name, o in owners.items() for setting in o.settings]
        _known(path, [*keys, "setting"], stated.setting, settings)
    if stated.derived:
        for address in (*stated.derived.left, *stated.derived.right):
            _known(path, [*keys, "derived"], address, printed_addresses(paper))
    if stated.count:
        for dataset, network in stated.count.networks.items():
            place: Keys = [*keys, "count", "networks", dataset]
            _known(path, place, dataset, paper.datasets)
            _known(path, place, network, paper.networks)


def printed_addresses(paper: Paper) -> list[str]:
    """The addresses of all printed numbers: cells of tables, and stated ones."""
    found: list[str] = []
    for exhibit in paper.exhibits.values():
        found += (str(address) for address, _ in exhibit.printed_cells())
        found += (f"{exhibit.id}:stated:{key}" for key in exhibit.stated)
    return found


def _known(path: Path, keys: Keys, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise located(path, keys, f"unknown name '{name}'; {nearest(name, names)}")
