"""What is written beside an export, format by format: one entry each, by name.

A further format is one more entry: by `register`, or as an entry point of the group
`repro.formats` of an installed distribution, which names a `FormatEntry`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path

from harness.errors import UserError, nearest
from harness.judge.exhibit import Judgement
from harness.judge.outcomes import Judged
from harness.judge.results import ItemResult
from harness.registry import Registry, resolve
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.store.record import Record


@dataclass(frozen=True)
class Exported:
    """A folder of exported records, with all that is known of them."""

    paper: Paper
    folder: Path
    judgements: Sequence[Judgement]
    records: Sequence[Record]
    claims: Callable[[], Sequence[Judged]]
    """The paper's claims about its exhibits."""
    commits: Callable[[], Mapping[str, str]]
    """Identity of a record -> the commit that first published it, as far as known."""
    written: int
    """When it is written, in seconds since 1970."""
    settled: bool = False
    """Whether `SOURCE_DATE_EPOCH` says so: then all files tell this time, also those that say the
    same as before (https://reproducible-builds.org/specs/source-date-epoch/)."""


@dataclass(frozen=True)
class FormatEntry:
    """How one format is written."""

    name: str
    write: str
    """`package.module:function` that takes an `Exported`, writes into its folder, and returns
    False where there was nothing to write."""
    needs: str = ""
    """The library that it is written with, if any."""
    extra: str = ""
    """What installs that library."""
    shows: str = ""
    """What it shows of an export, where its name does not say it."""
    written_to: str = ""
    """The file or folder that it is written to, where that has another name than the format."""
    describes: bool = False
    """Whether it describes the whole folder, so that any later export makes it untrue."""

    @property
    def place(self) -> str:
        return self.written_to or self.name


@dataclass(frozen=True)
class CellOfRow:
    """A cell of a table with a number of ours."""

    table: Table
    judgement: Judgement
    result: ItemResult
    dataset: tuple[str, str]
    """Id and label of the data set that it was run on; the profile's id where none is bound."""

    @property
    def told(self) -> dict[str, str]:
        """What is said of it beside the number, as text."""
        verdict, printed = self.judgement.verdict(self.result), self.result.item.reported
        return {
            "address": str(self.result.item.address),
            "profile": self.judgement.plan.profile.id,
            "printed": printed.text if printed else "",
            "verdict": verdict.name if verdict else "",
            "why": verdict.why if verdict else "",
        }


_FORMATS = Registry(
    "repro.formats",
    (
        FormatEntry("every-eval-ever", "harness.formats.every_eval_ever:write"),
        FormatEntry("model-card", "harness.formats.model_card:write"),
        FormatEntry(
            "croissant",
            "harness.formats.croissant:write",
            "mlcroissant",
            "croissant",
            written_to="croissant.json",
            describes=True,
        ),
        FormatEntry(
            "made-sets",
            "harness.formats.croissant:write_sets",
            "mlcroissant",
            "croissant",
            "data sets that steps made, with all their arrays in this store",
        ),
        FormatEntry("logbook", "harness.formats.logbook:write", written_to=".trackio"),
        FormatEntry(
            "crate",
            "harness.formats.crate:write",
            "rocrate",
            "crate",
            written_to="ro-crate-metadata.json",
            describes=True,
        ),
    ),
)
register = _FORMATS.register


def check_formats(names: Sequence[str]) -> None:
    """See that formats can be written, before anything is.

    Raises:
        UserError: there is no such format, or libraries are not installed that they need.
    """
    entries = map(format_named, names)
    lacking = [entry for entry in entries if entry.needs and find_spec(entry.needs) is None]
    if lacking:
        libraries = " and ".join(sorted({entry.needs for entry in lacking}))
        extras = ",".join(sorted({entry.extra for entry in lacking}))
        raise UserError(
            f"--format {', '.join(entry.name for entry in lacking)}: needs {libraries}; "
            f"pip install 'repro-harness[{extras}]'. Nothing was written"
        )


def write_formats(names: Sequence[str], exported: Exported) -> list[str]:
    """Write formats beside an export, the crate at the end: it lists the digests of all files.

    Returns:
        The names of those that had nothing to write.
    """
    entries = sorted(map(format_named, names), key=lambda entry: entry.name == "crate")
    return [entry.name for entry in entries if resolve(entry.write)(exported) is False]


def format_named(name: str) -> FormatEntry:
    """The format of a name. UserError where there is none."""
    entry = _FORMATS.find(name)
    if entry is None:
        raise UserError(f"unknown format '{name}'; {nearest(name, _FORMATS.known())}")
    return entry


def describing() -> list[FormatEntry]:
    """The formats that describe a whole folder."""
    return [entry for entry in _FORMATS.known().values() if entry.describes]


def rows(exported: Exported) -> Iterator[tuple[str, Sequence[CellOfRow]]]:
    """The rows of exported tables that have numbers of ours, each with a name for files, which no
    other row of its table has.
    """
    for judgement in exported.judgements:
        table = judgement.plan.exhibit
        if not isinstance(table, Table):
            continue
        given = set[str]()
        for row in table.row_names:
            plain = file_name(row)
            numbered = chain([plain], (f"{plain}-{number}" for number in count(2)))
            name = next(n for n in numbered if n not in given)
            given.add(name)
            cells = [
                CellOfRow(table, judgement, result, _dataset(exported.paper, result, judgement))
                for result in judgement.results
                if result.item.address.row == row and result.amount
            ]
            if cells:
                yield name, cells


def file_name(text: str) -> str:
    """A text as the name of a file: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"


def _dataset(paper: Paper, result: ItemResult, judgement: Judgement) -> tuple[str, str]:
    bound = [name for name, kind in paper.about.variables.items() if kind == "dataset"]
    for name in bound:
        if (found := paper.datasets.get(str(result.item.run.get(name)))) is not None:
            return found.id, found.label
    return judgement.plan.profile.id, judgement.plan.profile.id
