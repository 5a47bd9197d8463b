"""Which row and column of a table a result belongs to, by the names that files have for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from harness.evidence.result import Result
from harness.spec.evidence import Evidence
from harness.spec.exhibit import Table


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


def text_key(text: str) -> str:
    """A name without what is written now so, now so: case, spaces, dashes and underscores."""
    return "".join(sign for sign in text.casefold() if sign not in " -_")


def fits(text: str, pattern: str) -> bool:
    """Whether a text is as written, where `*` stands for any part."""
    parts = map(re.escape, pattern.split("*"))
    return text == pattern or re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
