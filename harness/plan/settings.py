"""Resolving hyperparameters: what the paper states, what a profile overrides, what is varied."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from harness.errors import UserError, nearest
from harness.spec.base import Misplaced, Replicate
from harness.spec.paper import Owner, Paper
from harness.spec.parts import Choice, Choices, Profile

Variation = Mapping[str, Any]
"""`owner.setting` -> the alternative to use instead of the default; `REPLICATE` -> what is done
again for each run, of every number."""
REPLICATE = "replicate"


@dataclass(frozen=True, slots=True)
class Used:
    """A hyperparameter as a cell uses it."""

    name: str
    """`owner.setting`."""
    origin: str
    """`owner.setting` of the one that states it: the name itself, unless it is taken from there."""
    listed: str
    """The name that its value goes under: the nearest that the profile overrides, or the origin."""
    label: str
    """The paper's symbol; empty where it has none."""
    stated: Choice
    """What the specs say for these variables."""
    choice: Choice
    """What is used: the same, or what the profile puts in its place."""
    value: Any

    @property
    def overridden(self) -> bool:
        return self.choice is not self.stated

    @property
    def varied(self) -> bool:
        """Whether an alternative is used, and neither what specs say nor what a profile does."""
        return bool(self.value != plain(self.choice.value))

    @property
    def titled(self) -> str:
        """The name with the paper's symbol, where it has one."""
        return _titled(self.name, self.label)


def _titled(name: str, label: str) -> str:
    return f"{name} ({label})" if label else name


@dataclass(frozen=True, slots=True)
class Shared:
    """One setting with one value, and the names under which methods and recipes use it."""

    used: Used
    names: tuple[str, ...]

    @property
    def titled(self) -> str:
        """The name that the value goes under, with the paper's symbol, and who else uses it."""
        others = ", ".join(name for name in self.names if name != self.used.listed)
        title = _titled(self.used.listed, self.used.label)
        return f"{title}; also {others}" if others else title


def open_choices(settings: Iterable[Used]) -> list[Shared]:
    """What the paper does not state, each once: by the name that its value goes under, then value.

    A setting that is taken from another is listed with that one, unless a profile puts another
    value in the place of this one alone.
    """
    found: dict[tuple[str, str], list[Used]] = {}
    for used in {id(used): used for used in settings}.values():  # numbers share most of them
        if used.choice.source != "paper":
            found.setdefault((used.listed, repr(used.value)), []).append(used)
    return [
        Shared(alike[0], tuple(sorted({used.name for used in alike})))
        for _, alike in sorted(found.items())
    ]


def resolve_settings(
    owner: Owner, profile: Profile, variation: Variation, variables: Mapping[str, Any]
) -> Iterator[Used]:
    """Every setting of a method or a recipe, with the value for the present variables.

    A variation counts where the value is an alternative of the choice that applies, so it never
    replaces what the paper states; it goes before what a profile puts in place. Both hold in every
    setting that is taken from the one that they name; of several in a profile, the nearest does.

    Raises:
        Misplaced: no choice applies. The keys begin with `override` in the profile, and with
            `settings` in the owner.
    """
    for key, setting in owner.settings.items():
        names = (f"{owner.id}.{key}", *setting.origins)
        name, origin = names[0], names[-1]
        stated = used = _applying(setting.choices, variables, "settings", key)
        if origin in variation and variation[origin] in map(plain, stated.alternatives):
            yield Used(name, origin, origin, setting.label, stated, stated, variation[origin])
            continue
        listed = next((each for each in names if each in profile.override), origin)
        if listed in profile.override:
            used = _applying(profile.override[listed], variables, "override", listed)
        yield Used(name, origin, listed, setting.label, stated, used, plain(used.value))


def conditions(owner: Owner, profile: Profile) -> list[str]:
    """The variables that the settings of an owner depend on: those of any `when`."""
    names = {
        name
        for key, setting in owner.settings.items()
        for choices in (
            setting.choices,
            *(profile.override.get(each, ()) for each in (f"{owner.id}.{key}", *setting.origins)),
        )
        for choice in choices
        for name in choice.when
    }
    return sorted(names)


def _applying(choices: Choices, variables: Mapping[str, Any], *keys: str) -> Choice:
    for choice in choices:
        if choice.applies(variables):
            return choice
    cases = {key: variables.get(key) for choice in choices for key in choice.when}
    case = ", ".join(f"{key} = {value}" for key, value in sorted(cases.items()))
    raise Misplaced(f"no choice applies to {case}; add one, or one without 'when'", *keys)


def plain(value: Any) -> Any:
    """A value as JSON has it: a list in the place of a tuple."""
    return list(value) if isinstance(value, tuple) else value


def replicate_in(variation: Variation) -> Replicate | None:
    """What a variation does again for each run; None where it leaves that as it is."""
    found: Replicate | None = variation.get(REPLICATE)
    return found


def written(variation: Variation) -> str:
    """`owner.setting=value`, several with a comma; one alone is read back by `parse_variation`."""
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in variation.items())


def parse_variation(paper: Paper, texts: list[str]) -> dict[str, Any]:
    """Read `owner.setting=value` texts, as given to `--vary`.

    `owner.` may be left out where only one setting has that name. Only the default and the declared
    alternatives are accepted. A setting that is taken from another is refused: the two are one
    choice, so a run in which only one of them differs is none that the specs describe.

    Raises:
        UserError: the text, the setting or the value is wrong; the message lists what is right.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, value = _parse_one(paper, text)
        if found.setdefault(name, value) != value:
            raise UserError(f"--vary '{text}': {name} is already {found[name]}; say it once")
    return found


def _parse_one(paper: Paper, text: str) -> tuple[str, Any]:
    name, equals, written = text.partition("=")
    if not equals:
        raise UserError(f"--vary '{text}': expected setting=value, such as 'owner.setting=2'")
    if name == REPLICATE:
        if written not in get_args(Replicate):
            kinds = " or ".join(get_args(Replicate))
            raise UserError(f"--vary '{text}': expected {kinds}, what is done again for each run")
        return name, written
    settings = paper.settings()
    if name in settings and (origins := settings[name].origins):
        raise UserError(
            f"--vary '{text}': {name} is taken from {origins[-1]}; vary that one, and all that are "
            "taken from it follow"
        )
    alike = [full for full in settings if name in (full, full.rpartition(".")[2])]
    matches = list(dict.fromkeys((full, *settings[full].origins)[-1] for full in alike))
    if not matches:
        raise UserError(f"--vary '{text}': unknown setting '{name}'; {nearest(name, settings)}")
    if len(matches) > 1:
        raise UserError(f"--vary '{text}': '{name}' is ambiguous; say one of {', '.join(matches)}")
    try:
        value = json.loads(written)
    except ValueError:
        value = written
    choices = settings[matches[0]].choices
    known = [plain(v) for choice in choices for v in (choice.value, *choice.alternatives)]
    if type(value) is int and not any(type(k) is int for k in known):
        value = float(value)  # 0 is a way to write 0.0
    if not any(type(value) is type(k) and value == k for k in known):
        listed = ", ".join(dict.fromkeys(json.dumps(k) for k in known))
        raise UserError(f"--vary '{text}': expected one of {listed}, the values that specs declare")
    return matches[0], value
