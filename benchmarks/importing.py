"""How well tables of real papers are read, scored against right answers typed by hand.

python -m benchmarks.importing [--tuned]

The folders that have right answers were split before any reader was written: every other one of
the sorted names. The readers were made on the first half (`--tuned` scores that alone and keeps
nothing). The second was then scored once, and that score is kept as `held_out_once`; two faults
that it showed were mended afterwards, so that what is scored of it now is no blind test.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.bench import RESULTS, ROOT
from harness.errors import UserError
from harness.importing import read_tables
from harness.importing.model import Entry, Sources, Table

PAPERS = ROOT.parent / "shared" / "data" / "papers"
TUNED = ("csgcl", "ibtransdiff", "qfn2l", "simd-finance", "stargazer", "wage-theft")
HELD_OUT = ("dl4tsc", "mcgl", "readiness", "siunitx-s", "vocab-pruning")
COUNTED = ("row", "column", "value", "error", "bold", "exact", "unreadable", "wrong", "lenient")
Key = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass
class Score:
    """Of the numeric cells of a table. `exact`: row, column, value and error are all right.

    `wrong`: another number, or other errors, stand at the right place, or a word became a number.
    """

    cells: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Score) -> Score:
        self.cells += other.cells
        self.counts += other.counts
        return self

    def as_json(self) -> dict[str, int]:
        return {"cells": self.cells, **{name: self.counts[name] for name in COUNTED}}

    def __str__(self) -> str:
        shares = (f"{n} {self.counts[n]}/{self.cells}" for n in COUNTED[:5])
        rest = ", ".join(f"{n} {self.counts[n]}" for n in COUNTED[6:])
        percent = 100 * self.counts["exact"] / max(1, self.cells)
        exact = f"exact {self.counts['exact']}/{self.cells} ({percent:.2f} %)"
        return ", ".join([exact, *shares, rest])


def score_folder(folder: Path) -> dict[str, Score]:
    """Scores of the tables of one folder that have right answers."""
    found = {}
    for number, right in enumerate(json.loads((folder / "cells.json").read_text(encoding="utf-8"))):
        tables = read_tables(folder / right["file"]).tables
        index = right["tabular_index"]
        chosen = tables if index is None else _of_tabular(tables, index)
        found[f"{folder.name}/{right['file']}#{number}"] = score(right["cells"], chosen)
    return found


def _of_tabular(tables: Sequence[Table], index: int) -> Sequence[Table]:
    """The tables of the n-th tabular, which are several where headings come again."""
    places = sorted({table.place.line for table in tables})
    return [table for table in tables if index < len(places) and table.place.line == places[index]]


def score(right: Sequence[dict[str, Any]], tables: Sequence[Table]) -> Score:
    """Compare right cells with those read; where paths repeat, in their order.

    The answers name some rows by more than stands in them: `heading = name` where the name is a
    number, or the row above where names repeat. Such a row counts as ours, and as `lenient`.
    """
    ours: dict[Key, list[Entry]] = defaultdict(list)
    numbered: dict[tuple[str, ...], tuple[str, ...]] = {}
    for table in tables:
        for row, column, entry in table.entries():
            ours[_path(row), _path(column)].append(entry)
            numbered[_path([f"{table.stub} = {row[-1] if row else ''}"])] = _path(row)
    rows, columns = ({key[side] for key in ours} for side in (0, 1))
    result = Score()
    for cell in right:
        key = _path(cell["row"]), _path(cell["column"])
        if key[0] not in rows:
            key = numbered.get(key[0], (key[0][0], key[0][-1])), key[1]
            result.counts["lenient"] += key[0] in rows
        queue = ours[key]
        entry = queue.pop(0) if queue else None
        if cell["value"] is None and not cell["error"]:
            result.counts["wrong"] += entry is not None and entry.printed.kind == "number"
            continue
        result.cells += 1
        result.counts["row"] += key[0] in rows
        result.counts["column"] += key[1] in columns
        if entry is not None:
            _compare(cell, entry, result.counts)
    return result


def _compare(cell: dict[str, Any], entry: Entry, counts: Counter[str]) -> None:
    printed = entry.printed
    value = printed.value is not None and float(printed.value) == cell["value"]
    error = _errors(entry) == _right_errors(cell["error"])
    counts["value"] += value
    counts["error"] += error
    counts["bold"] += printed.bold == cell["bold"]
    counts["exact"] += value and error
    counts["unreadable"] += printed.kind == "unreadable"
    if printed.kind not in ("unreadable", "missing") and not (value and error):
        counts["wrong"] += 1
        print(f"  wrong: {entry.place.file.name}:{entry.place.line} '{printed.text}', not {cell}")


def _errors(entry: Entry) -> tuple[float, ...]:
    error, interval = entry.printed.error, entry.printed.interval
    sizes: list[Decimal] = [] if error is None else sorted({error.minus, error.plus})
    return tuple(map(float, [*sizes, *((interval.low, interval.high) if interval else ())]))


def _right_errors(error: dict[str, Any] | None) -> tuple[float, ...]:
    if error is None:
        return ()
    if error.get("type") == "ci":
        return float(error["low"]), float(error["high"])
    if error.get("type") == "asym":
        return tuple(sorted({float(error["minus"]), float(error["plus"])}))
    return (float(error["value"]),) if "value" in error else (error["se"], *error["ci"])


def _path(names: Sequence[str]) -> tuple[str, ...]:
    """Names without mark-up; a position, as the answers give it where names repeat, is none."""
    plain = (re.sub(r"[\s^_{}$\\*]", "", unicodedata.normalize("NFKC", name)) for name in names)
    same = (name.translate(str.maketrans("–—−", "---")).casefold() for name in plain)
    return tuple(name for name in same if name and not re.fullmatch(r"(column|row)\d+", name))


def read_all(folders: Sequence[Path]) -> Iterator[tuple[Path, Sources | UserError]]:
    for folder in folders:
        for path in sorted((folder / "tables").rglob("*")):
            if path.is_file():
                try:
                    yield path, read_tables(path)
                except UserError as error:
                    yield path, error


def count(path: Path, sources: Sources | UserError) -> dict[str, Any]:
    """What was found in one file, and the digest of the file."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    if isinstance(sources, UserError):
        return {"sha256": digest, "tables": 0, "refused": True}
    kinds = Counter(e.printed.kind for table in sources.tables for *_, e in table.entries())
    return {
        "sha256": digest,
        "tables": len(sources.tables),
        "numbers": kinds["number"] + kinds["bracketed"],
        "unreadable": kinds["unreadable"],
        "unread": len(sources.unread),
    }


def main() -> int:
    if not PAPERS.is_dir():
        print("skipped: ../shared/data/papers, the folder of papers' tables, is not there")
        return 0
    tuned_only = "--tuned" in sys.argv[1:]
    folders = [path for path in sorted(PAPERS.iterdir()) if (path / "tables").is_dir()]
    folders = [path for path in folders if not (tuned_only and path.name in HELD_OUT)]
    files = {str(path.relative_to(PAPERS)): count(path, read) for path, read in read_all(folders)}
    totals = Counter[str]()
    for name, found in files.items():
        totals.update({key: value for key, value in found.items() if key != "sha256"})
        if found.get("unread") or found.get("refused"):
            print(f"{name}: {found}")
    print(f"{len(files)} files: {dict(totals)}")
    halves = {}
    for half, names in (("tuned", TUNED), ("held out", HELD_OUT))[: 1 if tuned_only else 2]:
        pooled, tables = Score(), {}
        for name in names:
            for key, each in score_folder(PAPERS / name).items():
                print(f"{key}: {each}")
                tables[key] = each.as_json()
                pooled += each
        print(f"{half}: {pooled}")
        halves[half] = {"pooled": pooled.as_json(), "tables": tables}
    if not tuned_only:
        answers = {
            name: hashlib.sha256((PAPERS / name / "cells.json").read_bytes()).hexdigest()[:16]
            for name in (*TUNED, *HELD_OUT)
        }
        path = RESULTS / "importing.json"
        kept = {
            "command": "python -m benchmarks.importing",
            "held_out_once": json.loads(path.read_text(encoding="utf-8"))["held_out_once"],
            "totals": dict(totals),
            "scores": halves,
            "answers": answers,
            "files": files,
        }
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
