"""Settings that are taken from another method, recipe or exhibit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import nearest
from harness.spec.exhibit import Exhibit
from harness.spec.parts import Method, Recipe
from harness.spec.setting import Setting
from harness.spec.toml import located

if TYPE_CHECKING:
    from harness.spec.paper import Paper

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
        if origin not in known:
            message = f"unknown setting '{origin}'; {nearest(origin, known)}"
            raise located(path, ["settings", name, "from"], message)
        if origin in (own, *origins):
            circle = " from ".join((own, *origins, origin))
            message = f"taken in a circle: {circle}; one of them must state a value"
            raise located(path, ["settings", name, "from"], message)
        origins.append(origin)
        setting = known[origin]
    return Setting(choices=setting.choices, origins=tuple(origins)) if origins else setting
