"""The numbers that a table's evidence holds, and the digests of the files that they are from."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError, UserError, first_few
from harness.evidence.readers import read, reader_named, reader_of
from harness.evidence.result import Names, Result, within
from harness.evidence.runs import Run, runs_of, twice
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.spec.toml import located
from harness.store.digest import digest_file
from harness.store.files import read_json

LOCK = "evidence.lock"
"""Beside `paper.toml`: exhibit -> what its files held when they were accepted; see `Lock`."""
_SHOWN = 3
"""Files or cells in a message."""
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
class Lock:
    """What the files of one exhibit were when its numbers were accepted."""

    files: Mapping[str, str]
    """File, relative to the project -> SHA-256."""
    runs: Mapping[str, int]
    """`row:column` -> number of runs; empty in a file of before these were kept."""


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
    """Files that are not those that were accepted, and are there."""
    gone: tuple[str, ...] = ()
    """Files that were accepted and are not there."""
    fewer: tuple[str, ...] = ()
    """Cells with fewer runs than were accepted, in words."""

    def notices(self, exhibit: str) -> list[str]:
        """A line, if files have changed since they were accepted."""
        told = []
        if self.changed:
            shown = first_few(self.changed, _SHOWN)
            told.append(f"{shown} changed since its numbers were accepted, or never were")
        if self.gone:
            told.append(f"accepted, but gone now: {first_few(self.gone, _SHOWN)}")
        if not told:
            return []
        if self.fewer:
            told.append(f"fewer runs than accepted: {first_few(self.fewer, _SHOWN)}")
        return [
            f"{exhibit}: {'; '.join(told)}; look at them, then `repro evidence accept {exhibit}`"
        ]


def passed_over(unknown: Sequence[str]) -> list[str]:
    """A line on the names in files that a table does not have, if there are any."""
    return [f"Not in the table, and passed over: {first_few(unknown, 10)}"] if unknown else []


def find(paper: Paper, table: Table) -> Found:
    """Read the files of a table's evidence.

    Raises:
        EvidenceError: a file is missing.
        UserError: a number in one is; or two results are of one run.
    """
    home = paper.root.resolve().parent
    cells: dict[tuple[str, str], dict[Any, Run]] = defaultdict(dict)
    files: set[Path] = set()
    unknown: dict[str, None] = {}
    known = accepted(paper).get(table.id, Lock({}, {}))
    for index, each in enumerate(table.evidence):
        matched = _matched(paper, table, index, home, known)
        results = list(results_in(matched, each.reader, each.inside))
        files |= {path for path, _ in matched if _relative(path, home) in known.files}
        files |= {path for result in results for path in (result.file, *result.beside)}
        for cell, runs in runs_of(each, results, Names(table, each), unknown).items():
            for key, run in runs.items():
                if key in cells[cell]:
                    raise twice(each, cell, key, run.of[0], cells[cell][key].of[0])
                cells[cell][key] = run
    digests = {_relative(path, home): digest_of(path) for path in sorted(files)}
    other = [n for n in {*digests, *known.files} if digests.get(n) != known.files.get(n)]
    held = {cell: _cell(runs, home) for cell, runs in cells.items()}
    return Found(
        held,
        digests,
        tuple(unknown),
        tuple(sorted(name for name in other if (home / name).is_file())),
        tuple(sorted(name for name in other if not (home / name).is_file())),
        tuple(_fewer(known.runs, _runs(held))),
    )


def _runs(cells: Mapping[tuple[str, str], FoundCell]) -> dict[str, int]:
    return {":".join(cell): len(found.values) for cell, found in sorted(cells.items())}


def _fewer(before: Mapping[str, int], now: Mapping[str, int]) -> Iterator[str]:
    for cell, runs in before.items():
        if (left := now.get(cell, 0)) < runs:
            yield f"{cell} ({left} of {runs})"


def accepted(paper: Paper) -> dict[str, Lock]:
    """Exhibit -> what was accepted of it.

    Raises:
        UserError: the file that holds this cannot be read.
    """
    path = paper.root / LOCK
    if not path.is_file():
        return {}
    try:
        return {table: _lock(held) for table, held in read_json(str(path)).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not what `repro evidence accept` writes ({error})") from None


def _lock(held: Mapping[str, Any]) -> Lock:
    if isinstance(held.get("files"), Mapping):
        return Lock(dict(held["files"]), {cell: int(n) for cell, n in held["runs"].items()})
    return Lock(dict(held), {})  # written before runs were kept


def accept(paper: Paper, found: Mapping[str, Found]) -> Path:
    """Write down what the files of some exhibits hold; those of others stay as they are."""
    path = paper.root / LOCK
    kept = {**accepted(paper), **{n: Lock(e.files, _runs(e.cells)) for n, e in found.items()}}
    told = {name: asdict(lock) for name, lock in kept.items() if name in paper.exhibits}
    text = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def files_of(pattern: str, home: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The files that a pattern is of, sorted, each with the parts of its path that have a name."""
    glob = re.sub(r"\{[A-Za-z_]\w*\}", "*", pattern)
    parts = _parts(pattern)
    for path in sorted(home.glob(glob)):
        match = parts.fullmatch(_relative(path, home))
        if path.is_file() and match:
            yield path, match.groupdict()


def _parts(pattern: str) -> re.Pattern[str]:
    return re.compile(_PART.sub(_in_regex, re.escape(pattern)))


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


def _matched(
    paper: Paper, table: Table, index: int, home: Path, known: Lock
) -> list[tuple[Path, dict[str, str]]]:
    """The files that an entry names, each with the parts of its path that have a name.

    Raises:
        EvidenceError: there is none for one of its patterns.
    """
    matched = []
    for at, pattern in enumerate(table.evidence[index].files):
        found = list(files_of(pattern, home))
        if not found:
            lost = [name for name in known.files if _parts(pattern).fullmatch(name)]
            keys: list[int | str] = ["evidence", index, "files", at]
            where = located(paper.path_of(table), keys, _none_is_called(pattern, home, lost))
            raise EvidenceError(str(where))
        matched += found
    return matched


def _none_is_called(pattern: str, home: Path, lost: Sequence[str]) -> str:
    told = f"no file of {home} is called '{pattern}'"
    if not lost:
        return f"{told}; put it there, or correct 'files'"
    gone = first_few(lost, _SHOWN)
    return (
        f"{told}; accepted ({LOCK}), but gone now: {gone}. Bring it back, or correct 'files' and "
        "accept again"
    )


def results_in(
    matched: Iterable[tuple[Path, dict[str, str]]], reader: str | None, inside: str
) -> Iterator[Result]:
    """The results in files, with the named parts of their paths as further fields.

    Args:
        reader: its name; the one that knows a file if none.
        inside: where results lie in what is read, see `within`.
    """
    for path, parts in matched:
        for whole in read(reader_named(reader) if reader else reader_of(path), path):
            for each in within(whole, inside):
                yield replace(each, fields={"file": path.name, **each.fields, **parts})


def _cell(runs: Mapping[Any, Run], home: Path) -> FoundCell:
    whole = all(isinstance(seed, int) for seed in runs)
    order = sorted(runs, key=None if whole else str)
    return FoundCell(
        tuple(runs[seed].value for seed in order),
        tuple(order) if whole else (),
        tuple(sorted({_relative(result.file, home) for run in runs.values() for result in run.of})),
    )
