"""Filling in templates: `{name}`, `{name.field}` and four functions of numbers, nothing more."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(r"\{([a-z][a-z0-9_]*)((?:\.[a-z][a-z0-9_]*)*)\}")

FUNCTIONS: Mapping[str, Callable[[list[float]], float]] = {
    "product": math.prod,
    "min": min,
    "max": max,
    "rounded_ratio": lambda numbers: round(numbers[0] / numbers[1]),
}


class Unfilled(Exception):
    """A template that names something unknown; the caller says where."""


def fill(template: Any, variables: Mapping[str, Any], later: Collection[str] = ()) -> Any:
    """Replace every reference in a template by its value.

    A text that is one reference takes the value's own type; where it stands among others, the value
    is written out. A table with one key that names a function is that function of its numbers.

    Args:
        later: names that stay as they are written.

    Raises:
        Unfilled: an unknown variable or field, or a function of something that is no number.
    """
    if isinstance(template, str):
        match = _REFERENCE.fullmatch(template)
        if match and match[1] not in later:
            return _look_up(match[1], match[2], variables)
        return _REFERENCE.sub(
            lambda m: m[0] if m[1] in later else str(_look_up(m[1], m[2], variables)), template
        )
    if isinstance(template, list | tuple):
        return [fill(item, variables, later) for item in template]
    if isinstance(template, Mapping):
        if len(template) == 1 and (name := next(iter(template))) in FUNCTIONS:
            return _apply(name, fill(template[name], variables, later))
        return {key: fill(value, variables, later) for key, value in template.items()}
    return template


def references(template: Any) -> Iterator[tuple[str, str]]:
    """Name and dotted fields of every reference in a template."""
    if isinstance(template, str):
        yield from _REFERENCE.findall(template)
    elif isinstance(template, list | tuple | Mapping):
        for inner in template.values() if isinstance(template, Mapping) else template:
            yield from references(inner)


def _look_up(name: str, fields: str, variables: Mapping[str, Any]) -> Any:
    if name not in variables:
        owners = [
            key for key, held in variables.items() if isinstance(held, Mapping) and name in held
        ]
        hint = f"did you mean '{{{owners[0]}.{name}}}'? " if owners else ""
        known = ", ".join(sorted(variables))
        raise Unfilled(f"unknown variable '{{{name}}}'; {hint}known here: {known}")
    value = variables[name]
    for field in fields.split(".")[1:]:
        if not isinstance(value, Mapping) or field not in value:
            raise Unfilled(f"'{{{name}{fields}}}': '{name}' has no field '{field}'")
        value = value[field]
    return value


def _apply(name: str, numbers: Any) -> float:
    if not isinstance(numbers, list) or not all(isinstance(n, int | float) for n in numbers):
        raise Unfilled(f"'{name}' takes a list of numbers, found {numbers!r}")
    if name == "rounded_ratio" and (len(numbers) != 2 or not numbers[1]):
        raise Unfilled(f"'{name}' takes two numbers, the second not 0, found {numbers!r}")
    if not numbers:
        raise Unfilled(f"'{name}' takes a list of numbers, found none")
    return FUNCTIONS[name](numbers)
