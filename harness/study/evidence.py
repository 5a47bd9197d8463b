"""Adding files of results to a table, and accepting what they hold now."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from harness.errors import UserError, first_few
from harness.evidence.found import Found, accept, files_of, find, results_in
from harness.evidence.readers import reader_of
from harness.evidence.result import Result, as_number, by_text, leaves, look_up, text_key
from harness.spec.evidence import Evidence
from harness.spec.exhibit import Exhibit, Table
from harness.spec.paper import Paper, load_paper
from harness.spec.toml import located
from harness.study.project import Project
from harness.study.rewriting import rewriting
from harness.words import counted

_SEEDS = ("seed", "randomseed", "iteration", "trial", "run", "runid", "repetition", "fold", "split")
_VALUES = ("value", "score", "result", "accuracy", "testscore")
_SHOWN = 10
"""Names in a message."""
_LOOKED_AT = 2000
"""Results that names of fields are guessed from."""


@dataclass(frozen=True)
class Accepted:
    """What the evidence of a table holds, accepted as it is now."""

    exhibit: str
    cells: int
    """Cells of the table that have a number of it."""
    of: int
    """Cells of the table that have a printed number."""
    files: Sequence[str]
    unknown: Sequence[str]
    """Names in the files that are no row and no column of the table."""
    lock: Path
    notes: Sequence[str] = ()
    """What looks wrong in the numbers."""
    written: str = ""
    """The entry that was added to the table's spec."""


def accept_evidence(project: Project, names: Sequence[str]) -> list[Accepted]:
    """Accept the files of tables as they are now: of all that have evidence, if none is named.

    Raises:
        UserError: an exhibit has none, or its files cannot be read as its spec says.
    """
    paper = project.paper
    chosen = [_table(paper, name) for name in names]
    chosen = chosen or [t for t in paper.exhibits_of(Table) if t.evidence]
    if lacking := [table.id for table in chosen if not table.evidence]:
        raise UserError(f"{lacking[0]} has no [[evidence]]; `repro evidence add` writes one")
    return _accepted(paper, chosen)


def add_evidence(
    project: Project, name: str, files: Sequence[str], given: Mapping[str, Any]
) -> Accepted:
    """Write an `[[evidence]]` into a table's spec, with what `given` leaves out guessed.

    Args:
        files: patterns, as seen from the working directory; a folder stands for what is in it.
        given: the keys of an `[[evidence]]`, as far as they are known.

    Raises:
        UserError: the files cannot be read, or do not say clearly what is what. Nothing is written.
    """
    table, home = _table(project.paper, name), project.paper.root.resolve().parent
    if not 0 < given.get("scale", 1) < math.inf:
        raise UserError(f"--scale {given['scale']:g}: expected a finite number above 0")
    patterns = [_pattern(each, home) for each in files]
    results = list(islice(_results(patterns, home, given), _LOOKED_AT))
    if not results:
        raise UserError(_no_result_in(next(files_of(patterns[0], home))[0]))
    entry = {"files": patterns, **given, **_guessed(table, results, given)}
    path = project.paper.path_of(table)
    before = path.read_text(encoding="utf-8")
    block = "\n".join(
        ["[[evidence]]", *(f"{key} = {_toml(value)}" for key, value in entry.items())]
    )
    with rewriting({path: f"{before.rstrip()}\n\n{block}\n"}):
        paper = load_paper(project.specs)
        _check_added(paper, _table(paper, name))
        done = _accepted(paper, [_table(paper, name)])[0]
    return replace(done, written=block)


def _no_result_in(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(1000).strip()
    return f"{path}: holds no results; its first line is '{first}'"


def _check_added(paper: Paper, table: Table) -> None:
    """Check that the last entry of a table is a new one and gives it a number.

    Raises:
        UserError: it is not, or does not.
    """
    *others, added = table.evidence
    for index, other in enumerate(others):
        if _same(other, added):
            message = f"{', '.join(added.files)} already in an [[evidence]] of {table.id}, read so"
            raise located(paper.path_of(table), ["evidence", index], f"{message}; edit that one")
    found = find(paper, table.model_copy(update={"evidence": (added,)}))
    printed = {at[1:] for at, _ in table.printed_cells()}
    if printed.isdisjoint(found.cells) if printed else not found.cells:
        raise UserError(
            f"{', '.join(added.files)}: none of the {counted(len(printed), 'printed number')} of "
            f"{table.id} has a result there, so nothing was written. {_what_is_there(table, found)}"
        )


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether the same numbers are read from the same files."""
    besides = {"scale", "reader"}
    return one.model_dump(exclude=besides) == other.model_dump(exclude=besides)


def _what_is_there(table: Table, found: Found) -> str:
    """The names that files have, and those of the table, the nearest first."""
    if not found.unknown:
        return "No line or object of theirs counts; is there any, and does 'where' let it pass?"
    names = dict.fromkeys(e.name for of in (table.rows, table.columns) for e in of)

    def apart(name: str) -> float:
        return -max(
            SequenceMatcher(None, text_key(name), text_key(text)).ratio()
            for text in found.unknown[:_SHOWN]
        )

    return (
        f"The files have {first_few(found.unknown, _SHOWN)}; the table has, nearest first, "
        f"{first_few(sorted(names, key=apart), _SHOWN)}. --row and --column choose other fields, "
        "--name TEXT=NAME translates"
    )


def read_evidence(
    project: Project, names: Container[str]
) -> tuple[dict[str, Found], dict[str, str]]:
    """What the files of tables hold, and tables whose files cannot be read -> why.

    Files that changed since they were accepted are among the notices then.
    """
    held: dict[str, Found] = {}
    broken: dict[str, str] = {}
    for table in project.paper.exhibits_of(Table):
        if table.evidence and table.id in names:
            try:
                held[table.id] = find(project.paper, table)
            except UserError as error:
                broken[table.id] = str(error)
    notices = [line for name, found in held.items() for line in found.notices(name)]
    project.notices.update(dict.fromkeys(notices))
    return held, broken


def check_evidence(project: Project, names: Container[str]) -> dict[str, str]:
    """Tables whose files cannot be read -> why, for commands that do not read them otherwise."""
    return read_evidence(project, names)[1]


def no_results(broken: Mapping[str, str]) -> list[str]:
    """A line for each exhibit whose results cannot be read."""
    return [f"{name} has no results: {why}" for name, why in broken.items()]


def _table(paper: Paper, name: str) -> Table:
    table = paper.exhibit(name)
    if not isinstance(table, Table):
        raise UserError(f"{name} is a {table.kind}; only tables of results take files of results")
    return table


def _accepted(paper: Paper, tables: Iterable[Table]) -> list[Accepted]:
    found: dict[str, Found] = {table.id: find(paper, table) for table in tables}
    lock = accept(paper, found)
    done = []
    for name, each in found.items():
        printed = {at[1:] for at, _ in paper.exhibits[name].printed_cells()}
        cells = len(printed & each.cells.keys())
        files, notes = list(each.files), list(_scales(paper.exhibits[name], each))
        done.append(Accepted(name, cells, len(printed), files, each.unknown, lock, notes))
    return done


def _scales(table: Exhibit, found: Found) -> Iterator[str]:
    """A line for the columns that are 100 times off as a whole, as fractions beside percents."""
    ratios: dict[str, list[float]] = {}
    for (_, row, column), printed in table.printed_cells():
        held = found.cells.get((row, column))
        mean = fmean(held.values) if held else 0.0
        if printed.is_number and printed.number and mean:
            ratios.setdefault(column, []).append(abs(float(printed.number) / mean))
    for scale, how in ((100, "smaller"), (0.01, "larger")):
        off = [c for c, of in ratios.items() if all(0.5 < r / scale < 2 for r in of)]
        if off:
            yield (
                f"{table.id}: in column {', '.join(off)} the numbers of the files are about 100 "
                f"times {how} than the printed ones; such columns take an [[evidence]] of their "
                f"own, whose scale is {scale:g} times what it is now (docs/evidence.md)"
            )


def _pattern(given: str, home: Path) -> str:
    """A pattern relative to the project. A folder is what the first reader knows in it."""
    path = Path(os.path.relpath(Path.cwd() / given, home))
    if ".." in path.parts:
        raise UserError(f"{given}: not inside the project {home}; copy the files there")
    if not (home / path).is_dir():
        return path.as_posix()
    for each in sorted((p for p in (home / path).rglob("*") if p.is_file()), key=_promise):
        try:
            ending = reader_of(each.relative_to(home)).files[0].rpartition("/")[2]
        except UserError:
            continue
        return (path / "**" / ending).as_posix()
    raise UserError(f"{given}: no reader knows any file in this folder; name files and --reader")


def _promise(path: Path) -> tuple[bool, int, Path]:
    """The least says what a folder is: near files first, a README, which any may have, last."""
    return path.name == "README.md", len(path.parts), path


def _results(patterns: Iterable[str], home: Path, given: Mapping[str, Any]) -> Iterable[Result]:
    for pattern in patterns:
        found = list(files_of(pattern, home))
        if not found:
            raise UserError(f"{pattern}: no file of {home} is called so")
        yield from results_in(found, given.get("reader"), given.get("inside", ""))


def _guessed(table: Table, results: Sequence[Result], given: Mapping[str, Any]) -> dict[str, Any]:
    """What `given` leaves out, as far as names say it clearly.

    Raises:
        UserError: the row, the column or the number is not clear.
    """
    met: dict[str, set[str]] = {}
    for result in results:
        for field, value in leaves(result.fields).items():
            met.setdefault(field, set()).add(str(value))
    named = {text_key(field.rpartition(".")[2]): field for field in reversed(met)}
    guess: dict[str, Any] = {}
    rows, columns = (by_text((e.name, e.label) for e in of) for of in (table.rows, table.columns))
    if "row" not in given and (row := _naming(met, rows, len(table.rows))):
        guess["row"] = row
    if "column" not in given and isinstance(given.get("value", ""), str):
        if column := _naming(met, columns, len(table.columns), but=guess.get("row", "")):
            guess["column"] = column
        elif "value" not in given and len(table.columns) > 1:
            wide = {columns[key]: field for key, field in named.items() if key in columns}
            guess |= {"value": wide} if wide else {}
    if "seed" not in given and (seed := next((named[s] for s in _SEEDS if s in named), "")):
        guess["seed"] = seed
    known = {**given, **guess}
    if "value" not in known:
        used = {text for held in known.values() for text in _texts(held)}
        guess["value"] = _value(table, met, named, used)
    _check_clear(table, {**given, **guess}, met)
    if "scale" not in given and _is_fraction(
        table, results, guess.get("value", given.get("value"))
    ):
        guess["scale"] = 100
    return guess


def _naming(
    met: Mapping[str, set[str]], known: Mapping[str, str], count: int, but: str = ""
) -> str:
    """The field whose texts name the most of some names; empty where there is none or several."""
    if count < 2:
        return ""
    hits = {
        field: len({known[text_key(t)] for t in texts if text_key(t) in known})
        for field, texts in met.items()
        if field != but
    }
    most = max(hits.values(), default=0)
    best = [field for field, number in hits.items() if number == most]
    return best[0] if most and len(best) == 1 else ""


def _texts(held: Any) -> Sequence[str]:
    return held if isinstance(held, list | tuple) else [str(held)]


def _value(
    table: Table, met: Mapping[str, set[str]], named: Mapping[str, str], used: set[str]
) -> str:
    for name in (text_key(table.measure.value), *_VALUES):
        if name in named and named[name] not in used:
            return named[name]
    numeric = [f for f, texts in met.items() if f not in used and None not in map(as_number, texts)]
    return numeric[0] if len(numeric) == 1 else ""


def _check_clear(table: Table, entry: Mapping[str, Any], met: Mapping[str, set[str]]) -> None:
    wide = not isinstance(entry["value"], str)
    unclear = [
        key
        for key, needed in (
            ("row", len(table.rows) > 1),
            ("column", len(table.columns) > 1 and not wide),
            ("value", True),
        )
        if needed and not entry.get(key)
    ]
    if unclear:
        parts = next((row.name for row in table.rows if "/" in row.name), "")
        several = f" (--row for each part of '{parts}')" if parts and "row" in unclear else ""
        raise UserError(
            f"it is not clear which field holds the {' and the '.join(unclear)} of {table.id}; "
            f"give {' '.join(f'--{key} FIELD' for key in unclear)}{several}. The fields are: "
            f"{first_few(list(met), 20)}"
        )


def _is_fraction(table: Table, results: Sequence[Result], value: Any) -> bool:
    """Whether the files hold fractions where the table prints percentages."""
    if not table.reporting.unit.startswith("percent"):
        return False
    fields = (value,) if isinstance(value, str) else tuple(value.values())
    printed = [abs(cell.number) for _, cell in table.printed_cells() if cell.is_number]
    numbers = [as_number(look_up(result.fields, f)) for result in results for f in fields]
    found = [abs(number) for number in numbers if number is not None]
    return bool(found) and max(found) <= 1 and max(printed, default=0) > 1


def _toml(value: Any) -> str:
    """A value as TOML: JSON's texts, numbers and lists are TOML's."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
