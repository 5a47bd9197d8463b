"""The LaTeX document of a paper, with what was reported and what came back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.judge.outcomes import judge_claims
from harness.judge.results import Result, collect
from harness.plan.step import Json
from harness.render import document, latex
from harness.render.claims import ClaimRow, row_of
from harness.render.exhibit import judged_table
from harness.render.numbers import mean_std
from harness.render.points import caption
from harness.spec.exhibit import Address, Table
from harness.spec.others import SettingsTable
from harness.study.exhibits import Judgement, Request, any_plan, judge, our_numbers, plan
from harness.study.points import PointsJudgement
from harness.study.project import Project
from harness.study.renders import printed, write_renders
from harness.study.typeset import typeset

MAIN = "main.tex"


@dataclass(frozen=True)
class WrittenDocument:
    """The parts of the LaTeX document, written to a folder in which it can be compiled."""

    profile: str | None
    """None: the paper's own numbers only."""
    source: document.Source
    folder: Path
    files: Sequence[Path]
    problems: Sequence[str]
    """Exhibits that have no results, as they cannot be planned under the profile."""

    def typeset(self) -> Path:
        """Compile it; the PDF.

        Raises:
            UserError: LaTeX is not installed, or stopped with an error, which is quoted.
        """
        return typeset(self.folder / MAIN)


@dataclass(frozen=True)
class Document:
    """A document being made: of one profile, or of the paper's own numbers."""

    project: Project
    folder: Path
    profile: str | None
    """None: the paper's own numbers only."""
    judged: Mapping[str, Judgement | PointsJudgement]
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
        if isinstance(judgement, PointsJudgement):
            return any(result.drawn for result in judgement.results)
        return judgement is not None and any(result.values for result in judgement.results)

    def table(self, name: str) -> Judgement | None:
        """A judged table of results."""
        judgement = self.judged.get(name)
        return judgement if isinstance(judgement, Judgement) else None


def write_document(project: Project, profile: str | None, reported: bool) -> WrittenDocument:
    """Write every part of the document.

    Args:
        reported: whether to show the paper's own numbers only, whatever the profile.

    Raises:
        UserError: the project has no document.
    """
    sources = project.specs.resolve().parent / "paper"
    if not (sources / MAIN).is_file():
        raise UserError(
            f"{sources / MAIN}: the file is missing; expected the LaTeX document of the paper, "
            r"which loads \usepackage{repro} and shows exhibits with \reproexhibit{...}"
        )
    chosen = None if reported else project.paper.profile(profile).id
    judged, problems = ({}, []) if chosen is None else _judged(project, chosen)
    made = Document(project, project.build / (chosen or document.REPORTED), chosen, judged)
    made.folder.mkdir(parents=True, exist_ok=True)
    files = [*_exhibits(made), *_parts(made), *_sources(sources, made.folder)]
    return WrittenDocument(chosen, made.source, made.folder, files, problems)


def _judged(
    project: Project, profile: str
) -> tuple[dict[str, Judgement | PointsJudgement], list[str]]:
    """Every exhibit that can be planned, judged; and why the others have no results."""
    found, problems = {}, []
    for name in project.paper.runnable:
        try:
            found[name] = judge(project, any_plan(project, name, Request(profile)))
        except UserError as error:
            problems.append(f"{name} has no results: {error}")
    return found, problems


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
    if isinstance(judged, PointsJudgement):
        return caption(label, made.name, judged.correlated)
    how = "Hollow markers on dashed lines: the paper's numbers. Filled markers on solid lines: ours"
    return f"**{label}, plotted.** {how}, under profile {made.name}."


def _tally(made: Document, table: Table) -> document.Tally:
    judged = made.table(table.id)
    numbers = sum(len(row.cells) for row in table.rows)
    if judged is None:
        return document.tally(table.label, table.title, numbers, 0, ())
    complete = sum(result.complete for result in judged.results)
    verdicts = [str(verdict["name"]) for verdict in judged.verdicts]
    return document.tally(table.label, table.title, numbers, complete, verdicts)


def _known_cells(made: Document) -> list[document.KnownCell]:
    """Every cell with its printed number, and ours under every profile that has one."""
    ours: dict[str, dict[str, str]] = {}
    for profile in made.project.paper.profiles:
        for result in _results(made, profile):
            if result.complete and result.mean is not None:
                number = mean_std(result.mean, result.std, result.cell.reported)
                ours.setdefault(str(result.cell.address), {})[profile] = number
    return [
        document.KnownCell(address, row.cells.get(column.name), ours.get(address, {}))
        for table in made.tables
        for row, column, _ in table.cells()
        for address in [str(Address(table.id, row.name, column.name))]
    ]


def _results(made: Document, profile: str) -> Iterator[Result]:
    if profile == made.profile:
        found = [made.table(name) for name in made.judged]
        yield from (result for judged in found if judged for result in judged.results)
        return
    for table in made.tables:
        try:
            yield from collect(plan(made.project, table.id, Request(profile)), made.project.store)
        except UserError:
            continue  # a table that this profile cannot do has no results under it


def _claims(made: Document) -> list[ClaimRow]:
    paper = made.project.paper
    ours: dict[str, Json] = {}
    for judgement in made.judged.values():
        ours |= our_numbers(made.project, judgement.plan)
    judged = judge_claims(paper, paper.claims.values(), ours, made.project.store)
    return [row_of(item, made.name) for item in judged]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
