"""Writing the report: pages by templates, one style sheet, one script, and what search looks in."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache, partial
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from harness.judge.audit.finding import SEVERITIES
from harness.judge.outcomes import exhibits_of
from harness.plan.identity import source_digest
from harness.render.layout import spans
from harness.render.markup import captioned, named, runs
from harness.render.report import drawing
from harness.render.report.folder import ReportFolder, digest_of
from harness.render.report.pages import (
    UNJUDGED,
    Curve,
    ExhibitPage,
    Frame,
    NumberPage,
    Site,
)
from harness.render.symbols import OUTCOMES, STANDINGS, VERDICTS
from harness.render.table import as_printed
from harness.render.text import plain, shifted
from harness.words import counted

_PACKAGE = Path(__file__).parents[2]
_TEMPLATES = Path(__file__).parents[1] / "templates" / "report"
_KEPT = str(_TEMPLATES / "__pycache__")
_ASSETS = ("report.css", "report.js")
MEANINGS = {
    "reproduced": "the difference lies surely inside the margin",
    "deviates": "the difference surely exceeds the margin",
    "inconclusive": "neither can be said yet; a difference may be sure while its size is open",
    "not comparable": "something was run, but not what the paper ran",
    "not run": "nothing has finished, or this version cannot run it",
    "paper-inconsistent": "the printed number contradicts another one",
}


def write(
    site: Site, folder: Path, renders: Mapping[str, Sequence[Path]], badges: Mapping[str, str]
) -> Sequence[str]:
    """Write the site in place of an earlier one; the files that were written or removed.

    A page is made where what it shows has changed, and a file is written where its content has.

    Args:
        renders: exhibit -> files to lay beside the pages.
        badges: name -> JSON.

    Raises:
        UserError: the folder holds something else than a report.
    """
    report = ReportFolder(folder)
    for name in _ASSETS:
        report.put(f"assets/{name}", (_TEMPLATES / name).read_bytes())
    for exhibit, paths in renders.items():
        for path in paths:
            report.put(f"files/{exhibit}/{path.name}", path.read_bytes())
    for name, text in badges.items():
        report.put(f"badges/{name}.json", text)
    common = digest_of(_code(), site.frame)
    pages = [(page, page.shown) for page in site.exhibits]
    shows = digest_of(common, replace(site, exhibits=()), [shown for _, shown in pages])
    report.make("assets/search.js", shows, partial(_search, site))
    for name in ("index", "numbers", "claims", "findings"):
        report.make(f"{name}.html", shows, partial(_render, name, site, "", here=name))
    for page, shown in pages:
        made = partial(_render, "exhibit", site.frame, "../", here="index", page=page)
        report.make(page.page, digest_of(common, shown), made)
        _write_numbers(report, common, site.frame, page)
    if site.watched:  # the last, since an open page loads itself again when it sees another round
        report.put("assets/round.js", f"window.reportRound = {site.watched};\n")
    report.finish()
    return report.changed


def _write_numbers(report: ReportFolder, common: str, frame: Frame, page: ExhibitPage) -> None:
    """The pages of the numbers of an exhibit, which are most of a report.

    Args:
        common: digest of what the pages of exhibits and numbers have in common.
    """
    around = digest_of(common, page.page, page.reach, page.assumptions)
    for number in page.numbers:
        made = partial(_number_page, frame, page, number)
        report.make(number.page, digest_of(around, number.shown), made)


def _number_page(frame: Frame, page: ExhibitPage, number: NumberPage) -> str:
    own = [item.of(number.address) for item in page.assumptions]
    fields = {"page": page, "number": number, "assumptions": own}
    return _render("number", frame, "../../", here="numbers", **fields)


def _render(name: str, site: Site | Frame, root: str, **fields: Any) -> str:
    """A page; `root` leads from it to the root of the site."""
    return _environment().get_template(f"{name}.html.j2").render(site=site, root=root, **fields)


@cache
def _code() -> str:
    """Digest of all that makes pages."""
    return digest_of(source_digest(_PACKAGE), version("jinja2"))


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates, beside their sources, as Python keeps those of modules.

    They hold what filters made of constants, so they are of this code alone.
    """

    def get_source_checksum(self, source: str) -> str:
        return digest_of(_code(), source)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # installed where this user may not write
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def _environment() -> Environment:
    """Everything that is written is one printable line, escaped; markup comes from filters only."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        bytecode_cache=None if sys.dont_write_bytecode else _Compiled(_KEPT, "%s.pyc"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.filters.update(
        prose=prose,
        printed=printed,
        plain=plain,
        signs=named,
        code=code,
        slug=lambda text: text.replace(" ", "-"),
    )
    environment.globals.update(
        interval=drawing.interval,
        described=drawing.described,
        curves=drawing.curves,
        png=drawing.png,
        formula=drawing.formula,
        with_formulas=drawing.with_formulas,
        by_name=by_name,
        counted=counted,
        repeated=repeated,
        exhibits_of=exhibits_of,
        grid=grid,
        captioned=captioned,
        verdicts=VERDICTS,
        meanings=MEANINGS,
        outcomes=OUTCOMES,
        standings=STANDINGS,
        severities=SEVERITIES,
    )
    return environment


def repeated(numbers: Iterable[NumberPage]) -> int:
    """How many judged numbers of tables are of the very runs of another one. What is read from
    files has no runs here."""
    judged = [n for n in numbers if n.reported and n.runs and n.verdict not in UNJUDGED]
    return len(judged) - len({tuple(run.identity for run in n.runs) for n in judged})


def prose(text: str) -> Markup:
    """A text with the markup of captions."""
    tags = {"": "{}", "bold": "<strong>{}</strong>", "italic": "<em>{}</em>"}
    return Markup().join(Markup(tags[run.style]).format(run.text) for run in runs(plain(text)))


def printed(text: str) -> Markup:
    """A printed cell, in which what it raises or lowers is raised or lowered."""
    tags = {"": "{}", "^": "<sup>{}</sup>", "_": "<sub>{}</sub>"}
    pieces = shifted(plain(text))
    return Markup().join(Markup(tags[sign]).format(piece) for piece, sign in pieces)


@lru_cache(10_000, typed=True)  # few names, each in all pages
def code(text: str) -> Markup:
    """A name that may break after its hyphens, slashes, dots and colons."""
    return Markup(re.sub("([-/:._])", r"\1<wbr>", str(escape(plain(text)))))


def by_name(drawn: Iterable[Curve]) -> list[list[Curve]]:
    """Curves that belong into one drawing."""
    ordered = sorted(drawn, key=lambda curve: curve.name)
    return [list(group) for _, group in groupby(ordered, key=lambda curve: curve.name)]


def grid(page: ExhibitPage) -> dict[str, Any]:
    """The table of an exhibit as the paper orients it, with the number behind each cell."""
    assert page.table is not None
    table, turned = as_printed(page.table), page.table.transposed
    numbers = {(number.row, number.column): number for number in page.numbers}

    def number_at(row: str, column: str) -> NumberPage | None:
        return numbers.get((column, row) if turned else (row, column))

    rows = [
        {
            "label": named(row.label),
            "group": named(row.group or ""),
            "cells": [
                {"cell": cell, "number": number_at(row.name, column.name)}
                for column, cell in zip(table.columns, row.cells, strict=True)
            ],
        }
        for row in table.rows
    ]
    groups = spans([named(column.group or "") for column in table.columns])
    return {
        "stub": named(table.stub),
        "headers": [named(column.label) for column in table.columns],
        "spans": groups if any(span.group for span in groups) else (),
        "groups": [(group, list(of)) for group, of in groupby(rows, key=lambda row: row["group"])],
    }


def _search(site: Site) -> str:
    """What search looks in, as a script."""
    found = json.dumps(list(_searchable(site)), ensure_ascii=True)
    return f"window.reportIndex = {found};\n"


def _searchable(site: Site) -> Iterator[tuple[str, str, str]]:
    """Title, what more there is to say, and page of all that can be looked for."""
    for page in site.exhibits:
        exhibit = page.exhibit
        yield plain(f"{exhibit.label} {exhibit.title}"), plain(exhibit.id), page.page
    for number in site.numbers:
        facts = " · ".join([*number.facets.values(), *filter(None, [number.verdict])])
        yield plain(number.address), plain(facts), number.page
    for (name, value), (source, where) in _settings(site).items():
        title = plain(f"{name.replace('_', ' ')} = {value}")
        yield title, plain(f"setting {name} · {source}"), where
    for claim in (item.claim for item in site.claims):
        yield named(claim.text), plain(f"claim {claim.id}"), f"claims.html#{claim.id}"
    for index, finding in enumerate(site.findings, 1):
        yield plain(finding.id), named(finding.explanation), f"findings.html#f{index}"


def _settings(site: Site) -> dict[tuple[str, str], tuple[str, str]]:
    """Name and value of each setting -> where it is from, and a number's page that lists it."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for number in site.numbers:
        for used in number.settings:
            if (used.name, used.value) not in found:
                part = "settings" if used.source == "paper" else "assumptions"
                told = f"{used.source}: {used.place}", f"{number.page}#{part}"
                found[used.name, used.value] = told
    return found
