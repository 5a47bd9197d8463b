"""The numbers that a table's evidence holds, and the digests of the files that they are from."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.evidence.readers import read, reader_named, reader_of
from harness.evidence.result import Result, as_number
from harness.spec.evidence import Evidence
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.spec.toml import located
from harness.store.digest import digest_file
from harness.store.files import read_json

LOCK = "evidence.lock"
"""Beside `paper.toml`: exhibit -> file -> SHA-256, as it was when its numbers were accepted."""
_PART = re.compile(r"\\{([A-Za-z_]\w*)\\}|\\\*\\\*/|\\\*|\\\?")


@dataclass(frozen=True)
class FoundCell:
    """The runs of one cell, as files have them."""

    values: tuple[float, ...]
    """In the unit of the table, in the order of the seeds."""
    seeds: tuple[int, ...]
    """The seed of each value; none where the files have no whole numbers for them."""
    files: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """All that the evidence of one table holds."""

    cells: Mapping[tuple[str, str], FoundCell]
    """Row and column -> its runs."""
    files: Mapping[str, str]
    """File, relative to the project -> SHA-256."""
    unknown: tuple[str, ...] = ()
    """Names of rows and columns in the files that the table does not have."""
    changed: tuple[str, ...] = ()
    """Files that are not those that were accepted."""

    def notices(self, exhibit: str) -> list[str]:
        """A line, if files have changed since they were accepted."""
        if not self.changed:
            return []
        shown = ", ".join(self.changed[:3]) + (", ..." if len(self.changed) > 3 else "")
        return [
            f"{exhibit}: {shown} changed since its numbers were accepted, or never were; look at "
            f"them, then `repro evidence accept {exhibit}`"
        ]


def find(paper: Paper, table: Table) -> Found:
    """Read the files of a table's evidence.

    Raises:
        UserError: a file is missing, or a number in it is; or two results are of one run.
    """
    home = paper.root.resolve().parent
    cells: dict[tuple[str, str], dict[Any, tuple[float, Result]]] = defaultdict(dict)
    files: set[Path] = set()
    unknown: dict[str, None] = {}
    for index, each in enumerate(table.evidence):
        names = _Names(table, each)
        for result in _results(paper, table, index, home):
            files |= {result.file, *result.beside}
            if not all(_is(result.get(field), wanted) for field, wanted in each.where.items()):
                continue
            seed = _seed(result.get(each.seed)) if each.seed else None
            for row, column, field in names.of(result, unknown):
                runs = cells[row, column]
                if seed in runs:
                    raise _twice(each, row, column, seed, result, runs[seed][1])
                runs[seed] = (each.scale * result.number(field), result)
    digests = {_relative(path, home): digest_of(path) for path in sorted(files)}
    known = accepted(paper).get(table.id, {})
    return Found(
        {cell: _cell(runs, home) for cell, runs in cells.items()},
        digests,
        tuple(unknown),
        tuple(sorted(name for name in {*digests, *known} if digests.get(name) != known.get(name))),
    )


def accepted(paper: Paper) -> dict[str, dict[str, str]]:
    """Exhibit -> file -> the SHA-256 with which it was accepted.

    Raises:
        UserError: the file that holds this cannot be read.
    """
    path = paper.root / LOCK
    if not path.is_file():
        return {}
    try:
        return {table: dict(files) for table, files in read_json(str(path)).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not what `repro evidence accept` writes ({error})") from None


def accept(paper: Paper, found: Mapping[str, Found]) -> Path:
    """Write down the digests of the files of some exhibits; those of others stay as they are."""
    path = paper.root / LOCK
    kept = {**accepted(paper), **{name: dict(each.files) for name, each in found.items()}}
    kept = {name: files for name, files in kept.items() if name in paper.exhibits}
    text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def files_of(pattern: str, home: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The files that a pattern is of, sorted, each with the parts of its path that have a name."""
    glob = re.sub(r"\{[A-Za-z_]\w*\}", "*", pattern)
    parts = re.compile(_PART.sub(_in_regex, re.escape(pattern)))
    for path in sorted(home.glob(glob)):
        match = parts.fullmatch(_relative(path, home))
        if path.is_file() and match:
            yield path, match.groupdict()


def _in_regex(part: re.Match[str]) -> str:
    if part[1]:
        return f"(?P<{part[1]}>[^/]+)"
    return {r"\*\*/": "(?:.*/)?", r"\*": "[^/]*", r"\?": "[^/]"}[part[0]]


def _relative(path: Path, home: Path) -> str:
    return path.relative_to(home).as_posix()


def digest_of(path: Path) -> str:
    """SHA-256 of a file, computed once for each state that it is met in."""
    about = path.stat()
    return _digest(path, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


@lru_cache(maxsize=4096)
def _digest(path: Path, *state: int) -> str:
    return digest_file(path)


def _results(paper: Paper, table: Table, index: int, home: Path) -> Iterator[Result]:
    each, where = table.evidence[index], paper.path_of(table)
    for at, pattern in enumerate(each.files):
        found = list(files_of(pattern, home))
        if not found:
            keys: list[int | str] = ["evidence", index, "files", at]
            raise located(where, keys, f"no file of {home} is called so (found '{pattern}')")
        for path, parts in found:
            entry = reader_named(each.reader) if each.reader else reader_of(path)
            for result in read(entry, path):
                fields = {"file": path.name, **result.fields, **parts}
                yield Result(fields, result.file, result.line, result.beside)


class _Names:
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
        meant = self._evidence.names.get(text, text)
        found = known.get(meant) or known.get(text_key(meant), "")
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


def _is(value: Any, wanted: Any) -> bool:
    """Whether a field has a value, or one of several; numbers may be written as texts."""
    if isinstance(wanted, tuple):
        return any(_is(value, each) for each in wanted)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return str(value).casefold() == str(wanted).casefold()
    one, other = as_number(value), as_number(wanted)
    return str(value) == str(wanted) or (one is not None and one == other)


def _seed(value: Any) -> Any:
    """A whole number where it is one, else the text."""
    number = as_number(value)
    with suppress(ValueError, OverflowError):
        if number is not None and number == int(number):
            return int(number)
    return str(value)


def _twice(
    each: Evidence, row: str, column: str, seed: Any, result: Result, before: Result
) -> UserError:
    of = f"seed {seed}" if each.seed else "no field in 'seed' that tells runs apart"
    return UserError(
        f"{result.place}: a second number of row '{row}', column '{column}', with {of}; the first "
        f"is in {before.place}. 'where' can leave one of them out"
    )


def _cell(runs: Mapping[Any, tuple[float, Result]], home: Path) -> FoundCell:
    whole = all(isinstance(seed, int) for seed in runs)
    order = sorted(runs, key=None if whole else str)
    return FoundCell(
        tuple(runs[seed][0] for seed in order),
        tuple(order) if whole else (),
        tuple(sorted({_relative(result.file, home) for _, result in runs.values()})),
    )
