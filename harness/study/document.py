"""The LaTeX document of a paper, with what was reported and what came back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.judge.exhibit import Judgement, evidence_of
from harness.judge.model import Source
from harness.judge.results import ItemResult, collect
from harness.render import document
from harness.render.views import view_of
from harness.render.views.base import ExhibitView, has_results
from harness.render.views.table import our_number
from harness.study.audit import findings_of
from harness.study.evidence import check_evidence, no_results
from harness.study.exhibits import Request, claims_on, judge_each, plan_of
from harness.study.project import Project
from harness.study.renders import write_renders
from harness.study.typeset import inputs, misfits, typeset

MAIN = "main.tex"
_LATEXMKRC = ("latexmkrc", ".latexmkrc")
"""Perl that latexmk would run; see `typeset`."""


@dataclass(frozen=True)
class WrittenDocument:
    """The parts of the LaTeX document, written to a folder in which it can be compiled."""

    profile: str | None
    """None: the paper's own numbers only."""
    source: Source
    folder: Path
    files: Sequence[Path]
    problems: Sequence[str]
    """Exhibits that have no results, as they cannot be planned under the profile."""
    exhibits: Sequence[str]
    """All that it could show."""

    def typeset(self) -> Path:
        """Compile it; the PDF.

        Raises:
            UserError: LaTeX is not installed, or stopped with an error, which is quoted.
        """
        return typeset(self.folder / MAIN)

    def misfits(self) -> list[str]:
        """Exhibits that do not fit the pages of the PDF, or are not in it, in sentences."""
        main = self.folder / MAIN
        there = inputs(main)
        absent = [name for name in self.exhibits if f"{name}.tex" not in there]
        told = f"{MAIN} does not show {', '.join(absent)}; add \\reproexhibit{{NAME}} for each"
        return [*misfits(main), *([told] if absent else [])]


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
        """The name of its profile in the document."""
        return self.profile or document.REPORTED

    @property
    def source(self) -> Source:
        return "reported" if self.profile is None else "reproduced"

    @cached_property
    def views(self) -> Mapping[str, ExhibitView[Any]]:
        """Every exhibit by its id."""
        paper = self.project.paper
        return {name: view_of(paper, exhibit) for name, exhibit in paper.exhibits.items()}

    @property
    def tables(self) -> list[ExhibitView[Any]]:
        """The exhibits whose cells can be cited."""
        return [view for view in self.views.values() if any(view.cells())]


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
    exhibits = project.paper.runnable
    chosen, judged, lacking = (None, {}, {}) if reported else judge_each(project, exhibits, profile)
    broken = check_evidence(project, project.paper.exhibits) if chosen else {}
    problems = no_results({**broken, **lacking})
    made = Document(project, project.build / (chosen or document.REPORTED), chosen, judged)
    made.folder.mkdir(parents=True, exist_ok=True)
    written = list(_exhibits(made))
    files = [*written, *_parts(made, written), *_sources(sources, made.folder)]
    return WrittenDocument(
        chosen, made.source, made.folder, files, problems, exhibits=list(made.views)
    )


def _exhibits(made: Document) -> Iterator[Path]:
    """Every exhibit as a LaTeX file of its own; those with results are plotted too."""
    for name, view in made.views.items():
        judged, source = made.judged.get(name), made.folder / f"{name}.tex"
        written = write_renders(made.project, judged, {}) if judged and has_results(judged) else []
        yield from written
        if source not in written:
            yield _write(source, view.latex(judged))


def _parts(made: Document, exhibits: Sequence[Path]) -> Iterator[Path]:
    """Write the parts of the document beside the exhibits."""
    plots = {
        name: made.views[name].plot_caption(judged)
        for name, judged in made.judged.items()
        if made.folder / f"{name}.pdf" in exhibits
    }
    tallies = [tally_of(made, view) for view in made.tables]
    paper = made.project.paper
    claims = claims_on(made.project, paper.claims.values(), made.judged.values())
    parts = {
        "cells": document.cells(made.name, known_cells(made), plots),
        "summary": document.summary(tallies, made.source),
        "claims": document.claims(claims, made.source),
        "findings": document.findings(findings_of(made.project)),
    }
    for name, source in parts.items():
        yield _write(made.folder / f"{name}.tex", source)


def _sources(sources: Path, folder: Path) -> Iterator[Path]:
    """The document itself beside its parts, so that the folder can be compiled as it stands."""
    written = [
        path for path in sorted(sources.iterdir()) if path.is_file() and path.name not in _LATEXMKRC
    ]
    for path in written:
        if not path.resolve().is_relative_to(sources):
            raise UserError(f"{path}: a link out of the folder; put the file itself in its place")
    for path in (*written, document.STYLE):
        yield Path(shutil.copyfile(path, folder / path.name))


def tally_of(made: Document, view: ExhibitView[Any]) -> document.Tally:
    """How many numbers of a table are printed and ours, and the verdicts."""
    exhibit, judged = view.exhibit, made.judged.get(view.exhibit.id)
    results = judged.results if judged else ()
    return document.tally(
        exhibit.label,
        exhibit.title,
        printed=sum(n is not None and n.kind == "number" for _, n in view.cells()),
        ours=sum(result.complete for result in results),
        verdicts=[v.name for r in results if judged and (v := judged.verdict(r))],
    )


def known_cells(made: Document) -> list[document.KnownCell]:
    """Every cell with its printed number, and ours under every profile that has one."""
    ours: dict[str, dict[str, str]] = {}
    for profile in made.project.paper.profiles:
        for result in _results(made, profile):
            if result.complete and (number := our_number(result)):
                ours.setdefault(str(result.item.address), {})[profile] = number
    return [
        document.KnownCell(
            str(address), number.text if number else None, ours.get(str(address), {})
        )
        for view in made.tables
        for address, number in view.cells()
    ]


def _results(made: Document, profile: str) -> Iterator[ItemResult]:
    for view in made.tables:
        name = view.exhibit.id
        if profile == made.profile:
            yield from made.judged[name].results if name in made.judged else ()
            continue
        try:
            planned = plan_of(made.project, name, Request(profile))
        except UserError:
            continue  # a table that this profile cannot do has no results under it
        found = evidence_of(made.project.paper, planned)
        yield from collect(planned, made.project.store, found.cells if found else None)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
