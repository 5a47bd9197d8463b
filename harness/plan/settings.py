"""Resolving hyperparameters: what the paper states, what a profile overrides, what is varied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError, nearest
from harness.spec.base import Misplaced
from harness.spec.paper import Owner, Paper
from harness.spec.profile import Profile
from harness.spec.setting import Choice, Setting

Variation = Mapping[str, Any]
"""`owner.setting` -> the alternative to use instead of the default."""


@dataclass(frozen=True, slots=True)
class Used:
    """A hyperparameter as a cell uses it."""

    name: str
    """`owner.setting`."""
    stated: Choice
    """What the specs say for these variables."""
    choice: Choice
    """What is used: the same, or what the profile puts in its place."""
    value: Any

    @property
    def overridden(self) -> bool:
        return self.choice is not self.stated


def resolve_settings(
    owner: Owner, profile: Profile, variation: Variation, variables: Mapping[str, Any]
) -> Iterator[Used]:
    """Every setting of a method or a recipe, with the value for the present variables.

    A variation counts where the value is an alternative of the choice that applies, so it never
    replaces what the paper states; it goes before what a profile puts in place.

    Raises:
        Misplaced: no choice applies. The keys begin with `override` in the profile, and with
            `settings` in the owner.
    """
    for setting, choices in owner.settings.items():
        name = f"{owner.id}.{setting}"
        stated = used = _applying(choices, variables, "settings", setting)
        if name in variation and variation[name] in map(_plain, stated.alternatives):
            yield Used(name, stated, stated, variation[name])
            continue
        if name in profile.override:
            used = _applying(profile.override[name], variables, "override", name)
        yield Used(name, stated, used, _plain(used.value))


def _applying(choices: Setting, variables: Mapping[str, Any], *keys: str) -> Choice:
    for choice in choices:
        if choice.applies(variables):
            return choice
    cases = {key: variables.get(key) for choice in choices for key in choice.when}
    case = ", ".join(f"{key} = {value}" for key, value in sorted(cases.items()))
    raise Misplaced(f"no choice applies to {case}; add one, or one without 'when'", *keys)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def parse_variation(paper: Paper, texts: list[str]) -> dict[str, Any]:
    """Read `owner.setting=value` texts, as given to `--vary`.

    `owner.` may be left out where only one owner has a setting of that name. Only the default and
    the declared alternatives are accepted.

    Raises:
        UserError: the text, the setting or the value is wrong; the message lists what is right.
    """
    return dict(_parse_one(paper, text) for text in texts)


def _parse_one(paper: Paper, text: str) -> tuple[str, Any]:
    name, equals, written = text.partition("=")
    if not equals:
        raise UserError(f"--vary '{text}': expected setting=value, such as 'owner.setting=2'")
    settings = paper.settings()
    matches = [full for full in settings if name in (full, full.rpartition(".")[2])]
    if not matches:
        raise UserError(f"--vary '{text}': unknown setting '{name}'; {nearest(name, settings)}")
    if len(matches) > 1:
        raise UserError(f"--vary '{text}': '{name}' is ambiguous; say one of {', '.join(matches)}")
    try:
        value = json.loads(written)
    except ValueError:
        value = written
    choices = settings[matches[0]]
    known = [_plain(v) for choice in choices for v in (choice.value, *choice.alternatives)]
    if not any(type(value) is type(k) and value == k for k in known):
        listed = ", ".join(json.dumps(k) for k in known)
        raise UserError(f"--vary '{text}': expected one of {listed}, the values that specs declare")
    return matches[0], value
