"""One result of a file: its fields, and where it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import UserError, nearest

MISSING = object()
"""Stands for a field that is not there, since None is a value of JSON."""


@dataclass(frozen=True)
class Result:
    """What a reader gives for each run, or each line, of a file."""

    fields: Mapping[str, Any]
    """Name -> a text, a number, or lists and mappings of these."""
    file: Path
    line: int = 0
    """From 1; 0 where the file has no lines to tell apart."""
    beside: tuple[Path, ...] = ()
    """Further files that fields were read from."""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)

    def get(self, field: str) -> Any:
        """The value of a field, which a dotted path may name.

        Raises:
            UserError: there is no such field.
        """
        value = look_up(self.fields, field)
        if value is MISSING:
            near = nearest(field, leaves(self.fields))
            raise UserError(f"{self.place}: no field '{field}'; {near}")
        return value

    def number(self, field: str) -> float:
        """The number in a field.

        Raises:
            UserError: there is no such field, or it holds no finite number.
        """
        value = self.get(field)
        number = as_number(value)
        if number is None or not math.isfinite(number):
            raise UserError(
                f"{self.place}: field '{field}' holds '{value!s:.60}'; expected a finite number "
                "('where' passes over results that have none)"
            )
        return number


def within(result: Result, path: str) -> Iterator[Result]:
    """The results inside one, at a dotted path in which `{name}` stands for all that is there.

    Each has its own fields, the names as further ones, and the fields outside of the path. One that
    is no object has the field `value`.

    Raises:
        UserError: nothing lies there.
    """
    if not path:
        yield result
        return
    outside = {k: v for k, v in result.fields.items() if not (path + ".").startswith(f"{k}.")}
    outside = {} if path.startswith("{") else outside
    found = False
    for named, value in _inside(result.fields, re.split(r"\.?\{(\w+)\}\.?", path)):
        own = value if isinstance(value, Mapping) else {"value": value}
        found = True
        yield replace(result, fields={**outside, **own, **named})
    if not found:
        raise UserError(f"{result.place}: nothing lies at '{path}' ('inside')")


def _inside(value: Any, parts: Sequence[str]) -> Iterator[tuple[dict[str, Any], Any]]:
    """What lies at fixed paths (even places) and all that is in between (names at odd ones)."""
    here = look_up(value, parts[0])
    if len(parts) == 1 or not isinstance(here, Mapping | list):
        if len(parts) == 1 and here is not MISSING:
            yield {}, here
        return
    for key, child in here.items() if isinstance(here, Mapping) else enumerate(here):
        for named, found in _inside(child, parts[2:]):
            yield {parts[1]: key, **named}, found


def as_number(value: Any) -> float | None:
    """A number, or a text that is one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def look_up(value: Any, path: str) -> Any:
    """What lies at a dotted path of mappings and lists; MISSING where nothing does.

    Names may hold dots themselves: the longest name that leads on is taken.
    """
    if not path:
        return value
    if isinstance(value, list | tuple):
        first, _, rest = path.partition(".")
        inside = first.isdigit() and int(first) < len(value)
        return look_up(value[int(first)], rest) if inside else MISSING
    if not isinstance(value, Mapping):
        return MISSING
    ends = [len(path), *(at for at in range(len(path) - 1, 0, -1) if path[at] == ".")]
    for end in ends:
        if path[:end] in value:
            found = look_up(value[path[:end]], path[end + 1 :])
            if found is not MISSING:
                return found
    return MISSING


def leaves(value: Any, path: str = "", most: int = 200) -> dict[str, Any]:
    """Dotted path -> text or number, of the first few."""
    found: dict[str, Any] = {}
    children = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, child in children:
        name = f"{path}.{key}" if path else str(key)
        if isinstance(child, Mapping | list | tuple):
            found |= leaves(child, name, most - len(found))
        else:
            found[name] = child
        if len(found) >= most:
            break
    return found
