"""The numbers that a table's evidence holds, and the digests of the files that they are from."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.evidence.names import Names
from harness.evidence.readers import read, reader_named, reader_of
from harness.evidence.result import Result, within
from harness.evidence.runs import Run, runs_of, twice
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
    cells: dict[tuple[str, str], dict[Any, Run]] = defaultdict(dict)
    files: set[Path] = set()
    unknown: dict[str, None] = {}
    for index, each in enumerate(table.evidence):
        results = list(_results(paper, table, index, home))
        files |= {path for result in results for path in (result.file, *result.beside)}
        for cell, runs in runs_of(each, results, Names(table, each), unknown).items():
            for key, run in runs.items():
                if key in cells[cell]:
                    raise twice(each, cell, key, run.of[0], cells[cell][key].of[0])
                cells[cell][key] = run
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
            for result in chain.from_iterable(
                within(result, each.inside) for result in read(entry, path)
            ):
                fields = {"file": path.name, **result.fields, **parts}
                yield replace(result, fields=fields)


def _cell(runs: Mapping[Any, Run], home: Path) -> FoundCell:
    whole = all(isinstance(seed, int) for seed in runs)
    order = sorted(runs, key=None if whole else str)
    return FoundCell(
        tuple(runs[seed].value for seed in order),
        tuple(order) if whole else (),
        tuple(sorted({_relative(result.file, home) for run in runs.values() for result in run.of})),
    )
