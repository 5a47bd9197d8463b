"""Profiles: how exhibits are run, as the paper states or as a smaller stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import field_validator

from harness.spec.base import Bound, Misplaced, Name, Seeds, ShownLabel, ShownText, SpecModel
from harness.spec.setting import Choices
from harness.spec.template import Replicate

OVERRIDABLE = ("epochs", "epoch", "runs", "batch_size", "iterations", "subsets")
"""The only hyperparameters that a stand-in may change; a name may end in one of these words."""


Device = Literal["a100", "h200", "cpu"]


class Profile(SpecModel):
    """A mapping from the paper's runs to smaller ones; the empty mapping is the paper itself."""

    id: Name
    label: ShownLabel
    description: ShownText
    seeds: Seeds = 3
    """How many student seeds each number has, which are those from 0; or a list of them. With
    `--seeds N`, the first N of the list are taken; where it has fewer, the lowest others follow."""
    replicate: Replicate = "seed"
    """What is done again for each run, where an exhibit does not say."""
    device: Device
    """The device whose rate the cost forecast assumes."""
    map: Mapping[str, Mapping[str, Bound]] = {}
    """Kind of name (`dataset`, `network`, ...), or variable that holds a plain value -> the paper's
    value (or `*`) -> the value used instead."""
    override: Mapping[str, Choices] = {}
    """`owner.setting` -> another value."""

    @field_validator("override")
    @classmethod
    def _only_scale(cls, override: Mapping[str, Choices]) -> Mapping[str, Choices]:
        for name in override:
            if not name.endswith(OVERRIDABLE):
                raise Misplaced(
                    f"'{name}' may not be overridden by a profile; only settings that end in "
                    + ", ".join(OVERRIDABLE),
                    name,
                )
        return override

    def mapped(self, kind: str, value: Any) -> Any:
        """The value that this profile uses in the place of the paper's."""
        table = self.map.get(kind, {})
        return table.get(str(value), table.get("*", value))
