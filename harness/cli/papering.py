"""`repro paper`: the LaTeX document of a paper, with what was reported and what came back."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.cli.exhibits import Request, judge, our_numbers, plan_of
from harness.cli.output import console, print_json
from harness.cli.project import Project
from harness.cli.rendering import printed, write_renders
from harness.cli.typesetting import typeset
from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.judge.exhibit import Judgement
from harness.judge.outcomes import KnownNumber, judge_claims
from harness.judge.results import ItemResult, collect
from harness.render import document, latex
from harness.render.claims import ClaimRow, row_of
from harness.render.exhibit import judged_table
from harness.render.numbers import mean_std
from harness.render.points import caption
from harness.spec.exhibit import Address, Table
from harness.spec.others import SettingsTable

MAIN = "main.tex"


@dataclass(frozen=True)
class Document:
    """A document being made: of one profile, or of the paper's own numbers."""

    project: Project
    folder: Path
    profile: str | None
    """None: the paper's own numbers only."""
    judged: Mapping[str, Judgement]
    """Exhibits that could be planned under the profile."""

    @property
    def name(self) -> str:
        """What the document calls its profile."""
        return self.profile or document.REPORTED

    @property
    def source(self) -> document.Source:
        return "reported" if self.profile is None else "reproduced"

    @property
    def tables(self) -> list[Table]:
        """The tables of results."""
        found = self.project.paper.exhibits.values()
        return [exhibit for exhibit in found if isinstance(exhibit, Table)]

    def has_results(self, exhibit: str) -> bool:
        judgement = self.judged.get(exhibit)
        if judgement is None:
            return False
        if isinstance(judgement.plan.exhibit, Table):
            return any(result.amounts for result in judgement.results)
        return any(result.lines for result in judgement.results)

    def table(self, name: str) -> Judgement | None:
        """A judged table of results."""
        judgement = self.judged.get(name)
        return judgement if judgement and isinstance(judgement.plan.exhibit, Table) else None


def make_paper(project: Project, profile: str | None, reported: bool, as_json: bool) -> None:
    """Write every part of the document, and build the PDF where LaTeX is installed.

    Raises:
        UserError: the project has no document, LaTeX is missing, or it stopped with an error.
            Everything but the PDF is written even so.
    """
    sources = project.specs.resolve().parent / "paper"
    if not (sources / MAIN).is_file():
        raise UserError(
            f"{sources / MAIN}: the file is missing; expected the LaTeX document of the paper, "
            r"which loads \usepackage{repro} and shows exhibits with \reproexhibit{...}"
        )
    made = _judged(project, None if reported else project.paper.profile(profile).id)
    made.folder.mkdir(parents=True, exist_ok=True)
    files = [*_exhibits(made), *_parts(made), *_sources(sources, made.folder)]
    if not as_json:
        console().print(f"wrote {len(files)} files to {made.folder}", soft_wrap=True)
    pdf = typeset(made.folder / MAIN)
    if as_json:
        paths = [str(path) for path in files]
        print_json(
            {"profile": made.profile, "source": made.source, "files": paths, "pdf": str(pdf)}
        )
        return
    console().print(f"wrote {pdf}", soft_wrap=True)


def _judged(project: Project, profile: str | None) -> Document:
    """Judge every exhibit; one that cannot be planned has no results, which is said."""
    made = Document(project, project.build / (profile or document.REPORTED), profile, {})
    if profile is None:
        return made
    found = {}
    for name in project.paper.runnable:
        try:
            found[name] = judge(project, plan_of(project, name, Request(profile)))
        except UserError as error:
            print(f"repro: {name} has no results: {error}", file=sys.stderr)
    return Document(project, made.folder, profile, found)


def _exhibits(made: Document) -> Iterator[Path]:
    """Every exhibit as a LaTeX file of its own; what has results also as a plot."""
    paper = made.project.paper
    for name, exhibit in paper.exhibits.items():
        judged = made.table(name)
        if made.has_results(name):
            yield from write_renders(made.project, made.judged[name], {})
        elif isinstance(exhibit, Table) and judged is not None:
            model = judged_table(exhibit, judged.results, judged.verdicts, made.name)
            yield _write(made.folder / f"{name}.tex", latex.render(model, "both"))
        elif isinstance(exhibit, Table | SettingsTable):
            yield _write(
                made.folder / f"{name}.tex", latex.render(printed(paper, exhibit), "reported")
            )
        if not isinstance(exhibit, Table | SettingsTable):
            yield _write(made.folder / f"{name}.tex", document.exhibit(paper, exhibit))


def _parts(made: Document) -> Iterator[Path]:
    """What the document says beside the exhibits."""
    plots = {name: _plot_caption(made, name) for name in made.judged if made.has_results(name)}
    parts = {
        "cells": document.cells(made.name, _known_cells(made), plots),
        "summary": document.summary([_tally(made, table) for table in made.tables], made.source),
        "claims": document.claims(_claims(made), made.source),
        "findings": document.findings(audit(made.project.paper)),
    }
    for name, source in parts.items():
        yield _write(made.folder / f"{name}.tex", source)


def _sources(sources: Path, folder: Path) -> Iterator[Path]:
    """The document itself beside its parts, so that the folder can be compiled as it stands."""
    written = [path for path in sorted(sources.iterdir()) if path.is_file()]
    for path in (*written, document.STYLE):
        yield Path(shutil.copyfile(path, folder / path.name))


def _plot_caption(made: Document, name: str) -> str:
    judged, label = made.judged[name], made.project.paper.exhibit(name).label
    if not isinstance(judged.plan.exhibit, Table):
        return caption(label, made.name, judged.correlations)
    how = "Hollow markers on dashed lines: the paper's numbers. Filled markers on solid lines: ours"
    return f"**{label}, plotted.** {how}, under profile {made.name}."


def _tally(made: Document, table: Table) -> document.Tally:
    judged = made.table(table.id)
    numbers = sum(len(row.cells) for row in table.rows)
    if judged is None:
        return document.tally(table.label, table.title, numbers, 0, ())
    complete = sum(result.complete for result in judged.results)
    verdicts = [v.name for result in judged.results if (v := judged.verdict(result))]
    return document.tally(table.label, table.title, numbers, complete, verdicts)


def _known_cells(made: Document) -> list[document.KnownCell]:
    """Every cell with its printed number, and ours under every profile that has one."""
    ours: dict[str, dict[str, str]] = {}
    for profile in made.project.paper.profiles:
        for result in _results(made, profile):
            amount, printed = result.amount, result.item.reported
            if result.complete and amount:
                number = mean_std(amount.mean, amount.std, printed.text if printed else None)
                ours.setdefault(str(result.item.address), {})[profile] = number
    return [
        document.KnownCell(address, number.text if number else None, ours.get(address, {}))
        for table in made.tables
        for row, column, number in table.cells()
        for address in [str(Address(table.id, row.name, column.name))]
    ]


def _results(made: Document, profile: str) -> Iterator[ItemResult]:
    if profile == made.profile:
        found = [made.table(name) for name in made.judged]
        yield from (result for judged in found if judged for result in judged.results)
        return
    for table in made.tables:
        try:
            yield from collect(
                plan_of(made.project, table.id, Request(profile)), made.project.store
            )
        except UserError:
            continue  # a table that this profile cannot do has no results under it


def _claims(made: Document) -> list[ClaimRow]:
    paper = made.project.paper
    ours: dict[str, KnownNumber] = {}
    for judgement in made.judged.values():
        ours |= our_numbers(made.project, judgement.plan)
    judged = judge_claims(paper, paper.claims.values(), ours, made.project.store)
    return [row_of(item, made.name) for item in judged]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
