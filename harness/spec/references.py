"""Names that exhibits, methods and recipes use of others: checked; shared settings filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from harness.spec.exhibit import Exhibit, Stated
from harness.spec.parts import Choices, ImageSource, Method, Recipe, Setting
from harness.spec.toml import located, require_at

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


def _check_choices(path: Path, keys: Keys, choices: Choices, known: Collection[str]) -> None:
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


def _known(path: Path, keys: Keys, name: str, known: Collection[str]) -> None:
    require_at(path, keys, name, known, f"unknown name '{name}'")


OwnerT = TypeVar("OwnerT", Method, Recipe, Exhibit)


def with_shared_settings(paper: Paper) -> Paper:
    """The paper with every setting that is taken from another holding that one's choices.

    Raises:
        SpecError: what it is taken from does not exist, or is taken from itself in a circle.
    """
    known = paper.settings()

    def filled(folder: str, owners: Mapping[str, OwnerT]) -> dict[str, OwnerT]:
        return {name: _filled(paper.root / folder, owner, known) for name, owner in owners.items()}

    exhibits = {
        name: _filled(paper.path_of(exhibit).parent, exhibit, known)
        for name, exhibit in paper.exhibits.items()
        if exhibit.own_settings
    }
    return paper.model_copy(
        update={
            "methods": filled("methods", paper.methods),
            "recipes": filled("recipes", paper.recipes),
            "official": filled("recipes/official", paper.official),
            "exhibits": {**paper.exhibits, **exhibits},
        }
    )


def _filled(folder: Path, owner: OwnerT, known: Mapping[str, Setting]) -> OwnerT:
    path = folder / f"{owner.id}.toml"
    held = owner.own_settings if isinstance(owner, Exhibit) else owner.settings
    settings = {name: _taken(path, name, each, known) for name, each in held.items()}
    return owner.model_copy(update={"settings": settings})


def _taken(path: Path, name: str, setting: Setting, known: Mapping[str, Setting]) -> Setting:
    """A setting with the choices of the one at the end of its references."""
    own = f"{path.stem}.{name}"
    origins: list[str] = []
    while setting.origins:
        [origin] = setting.origins
        place = ["settings", name, "from"]
        require_at(path, place, origin, known, f"unknown setting '{origin}'")
        if origin in (own, *origins):
            circle = " from ".join((own, *origins, origin))
            message = f"taken in a circle: {circle}; one of them must state a value"
            raise located(path, place, message)
        origins.append(origin)
        setting = known[origin]
    return Setting(choices=setting.choices, origins=tuple(origins)) if origins else setting
