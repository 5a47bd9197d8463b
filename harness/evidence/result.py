"""One result of a file: its fields, where it stands, and which row and column it belongs to."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import UserError, nearest
from harness.spec.evidence import Evidence
from harness.spec.exhibit import Table

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
    if isinstance(value, str) and "_" in value:  # which Python alone takes for 1000 in `1_000`
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


class Names:
    """The cells that results belong to."""

    def __init__(self, table: Table, evidence: Evidence) -> None:
        self._evidence = evidence
        self._rows = by_text((row.name, row.label) for row in table.rows)
        self._columns = by_text((column.name, column.label) for column in table.columns)
        self._only = (table.rows[0].name, table.columns[0].name)

    def of(self, result: Result, unknown: dict[str, None]) -> Iterator[tuple[str, str, str]]:
        """Row, column and the field with the number, for each number of a result."""
        each = self._evidence
        row = self._named(result, each.row, self._rows, self._only[0], unknown)
        if not isinstance(each.value, str):
            yield from ((row, name, field) for name, field in each.value.items() if row)
            return
        column = self._named(result, each.column, self._columns, self._only[1], unknown)
        if row and column:
            yield row, column, each.value

    def _named(
        self,
        result: Result,
        field: str | tuple[str, ...],
        known: Mapping[str, str],
        only: str,
        unknown: dict[str, None],
    ) -> str:
        if not field:
            return only
        fields = (field,) if isinstance(field, str) else field
        text = "/".join(str(result.get(each)) for each in fields)
        meant = [name for sign, name in self._evidence.names.items() if fits(text, sign)]
        found = next((known[name] for name in meant if name in known), "")
        found = found or known.get(text) or known.get(text_key(text), "")
        if not found:
            unknown[text] = None
        return found


def by_text(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What files may call a row or column -> its name; a text that could mean two is left out."""
    pairs = list(named)
    meanings: dict[str, set[str]] = defaultdict(set)
    for name, label in pairs:
        for text in (name, label):
            meanings[text_key(text)].add(name)
    found = {key: next(iter(names)) for key, names in meanings.items() if len(names) == 1}
    return found | {name: name for name, _ in pairs}


_DASH = re.compile(r"(?<=\w)(?<![\d.]e)-|-(?!\.?\d)")
"""One that is no minus, as before a digit at the start, after a sign such as `=`, or in `1e-5`."""


def text_key(text: str) -> str:
    """A name without what is written now so, now so: case, spaces, dashes and underscores."""
    return _DASH.sub("", re.sub("[ _]", "", text.casefold()))


def fits(text: str, pattern: str) -> bool:
    """Whether a text is as written, where `*` stands for any part."""
    parts = map(re.escape, pattern.split("*"))
    return text == pattern or re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
