"""The readers of results: one entry for each kind of file.

A further reader is one more entry: by `register`, or as an entry point of the group
`repro.readers` of an installed distribution, which names a `ReaderEntry`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from harness.errors import UserError, nearest
from harness.evidence.result import Result
from harness.registry import Registry, resolve
from harness.store.files import parse_once
from harness.words import counted


@dataclass(frozen=True)
class ReaderEntry:
    """How files of one kind are read."""

    name: str
    read: str
    """`package.module:function` that takes the path of a file and yields a `Result` for each run or
    line in it. It may raise ValueError, KeyError or TypeError for a file of another kind."""
    files: tuple[str, ...]
    """Patterns of the ends of paths that are such files, such as `*.csv`."""


_HERE, _TRACKED = "harness.evidence.readers", "harness.evidence.tracked"
_READERS = Registry(
    "repro.readers",
    (
        ReaderEntry(
            "sklearn-cv", f"{_TRACKED}:sklearn_cv", ("*cv_results*.csv", "*cv_results*.json")
        ),
        ReaderEntry("mlflow", f"{_TRACKED}:mlflow", ("meta.yaml",)),
        ReaderEntry("tensorboard", f"{_TRACKED}:tensorboard", ("*tfevents*",)),
        ReaderEntry("wandb", f"{_TRACKED}:wandb", ("wandb-summary.json",)),
        ReaderEntry("wandb-chart", f"{_TRACKED}:wandb_chart", ("*chart*.csv",)),
        ReaderEntry("hydra", f"{_TRACKED}:hydra", ("multirun/**/*.json", "outputs/**/*.json")),
        ReaderEntry("lm-eval", f"{_TRACKED}:lm_eval", ("results_*.json",)),
        ReaderEntry("eval-results", f"{_TRACKED}:eval_results", (".eval_results/*.yaml",)),
        ReaderEntry("model-index", f"{_TRACKED}:model_index", ("README.md",)),
        ReaderEntry("every-eval-ever", f"{_TRACKED}:every_eval_ever", ()),
        ReaderEntry("csv", f"{_HERE}:separated", ("*.csv",)),
        ReaderEntry("tsv", f"{_HERE}:tabs", ("*.tsv",)),
        ReaderEntry("json", f"{_HERE}:whole_json", ("*.json",)),
        ReaderEntry("jsonl", f"{_HERE}:json_lines", ("*.jsonl", "*.ndjson")),
    ),
)
register, readers = _READERS.register, _READERS.known


def reader_named(name: str) -> ReaderEntry:
    """The reader of a name. UserError where there is none."""
    entry = _READERS.find(name)
    if entry is None:
        raise UserError(f"unknown reader '{name}'; {nearest(name, readers())}")
    return entry


def reader_of(path: PurePath) -> ReaderEntry:
    """The first reader that knows files of this name.

    Raises:
        UserError: none does.
    """
    for entry in readers().values():
        for pattern in entry.files:
            head, deep, tail = pattern.partition("/**/")
            if path.match(tail if deep else pattern) and (not deep or head in path.parts[:-1]):
                return entry
    raise UserError(
        f"{path}: no reader is known for such a file; name one of {', '.join(readers())}"
    )


def read(entry: ReaderEntry, path: Path) -> list[Result]:
    """All results of a file.

    Raises:
        UserError: it cannot be read, or is no file of this kind.
    """
    try:
        return list(resolve(entry.read)(path))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 ({error}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        why = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else error
        raise UserError(f"{path}: not what reader '{entry.name}' reads ({why})") from None


def needing(module: str, extra: str) -> ModuleType:
    """A library of an extra. UserError that names the extra where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise UserError(
            f"this reader needs {module.partition('.')[0]}; pip install 'repro-harness[{extra}]'"
        ) from None


def separated(path: Path, delimiter: str = ",") -> Iterator[Result]:
    """Each line of a table with a heading; a column without one is called `index`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=delimiter, strict=True)
        headings = next(lines, None)
        if headings is None:
            raise ValueError("the file is empty")
        if len(headings) == 1 and (other := next((s for s in ";\t|" if s in headings[0]), "")):
            sign = "a tab" if other == "\t" else other
            raise ValueError(f"its heading is one field, '{headings[0]:.60}'; separated by {sign}?")
        headings = [name or "index" for name in headings]
        if twice := {name for name in headings if headings.count(name) > 1}:
            raise ValueError(f"two columns are called '{min(twice)}'")
        for line in lines:
            if len(line) not in (0, len(headings)):
                raise ValueError(
                    f"line {lines.line_num} has {counted(len(line), 'field')}, the heading has "
                    f"{len(headings)}"
                )
            if line:
                yield Result(dict(zip(headings, line, strict=True)), path, lines.line_num)


def tabs(path: Path) -> Iterator[Result]:
    """The same, separated by tabs."""
    return separated(path, "\t")


def whole_json(path: Path) -> Iterator[Result]:
    """Each object of a list, or the one object of the file."""
    held = parse_once(path.read_text(encoding="utf-8"))
    yield from (
        Result(_object(each), path) for each in (held if isinstance(held, list) else [held])
    )


def json_lines(path: Path) -> Iterator[Result]:
    """Each line's object."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield Result(_object(parse_once(line)), path, number)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"found {value!s:.40}, expected an object with named fields")
    return value
