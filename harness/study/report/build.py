"""The report: a static site with everything that is known of a paper under one profile."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.formats.badge import badge, verdict_badge
from harness.judge.audit.finding import Finding
from harness.judge.exhibit import Judgement
from harness.judge.outcomes import Judged, exhibits_of
from harness.media import json_text
from harness.render.report.numbers import numbers_of, stated_of
from harness.render.report.pages import ExhibitPage, Site
from harness.render.report.site import write
from harness.render.views import view_of
from harness.render.views.base import has_results
from harness.render.views.panel_figure import correlation_lines
from harness.spec.exhibit import Exhibit
from harness.spec.paper import Paper
from harness.study.audit import findings_of
from harness.study.evidence import check_evidence, no_results
from harness.study.exhibits import claims_on, judge_each
from harness.study.project import Project
from harness.study.renders import write_renders
from harness.study.report.ahead import ahead_of
from harness.study.report.alternatives import Tell, alternatives_of


@dataclass(frozen=True)
class Report:
    """A static site that was written."""

    profile: str
    index: Path
    """Its first page."""
    pages: int
    changed: int
    """Files that were written or removed, since they show something else than before."""
    problems: Sequence[str]
    """Exhibits that have no results, as they cannot be planned under the profile."""


def write_report(
    project: Project,
    profile: str | None,
    out: Path | None = None,
    tell: Tell = print,
    watched: int = 0,
) -> Report:
    """Judge every exhibit and write the site. Runs nothing.

    Args:
        out: the folder, which may hold an earlier report; in the build folder by default.
        tell: is given a line on each exhibit for which it may take long.
        watched: see `Study.report`.

    Raises:
        UserError: the folder holds something that is no report.
    """
    paper = project.paper
    under, judged, lacking = judge_each(project, paper.runnable, profile)
    chosen = paper.profile(under)
    folder = out or project.build / under / "report"
    claims = claims_on(project, paper.claims.values(), judged.values())
    findings = findings_of(project)
    told: dict[str, list[Judged]] = {}
    for claim in claims:
        for name in exhibits_of(claim.claim):
            told.setdefault(name, []).append(claim)
    pages, files = [], {}
    for name, exhibit in paper.exhibits.items():
        own, problem = judged.get(name), lacking.get(name, "")
        files[name] = write_renders(project, own, {}) if own and has_results(own) else []
        about = told.get(name, ())
        pages.append(_page(project, exhibit, own, problem, about, findings, files[name], tell))
    broken = {**check_evidence(project, paper.exhibits), **lacking}
    site = Site(
        title=paper.about.title,
        authors=paper.about.authors,
        venue=paper.about.venue,
        profile=chosen.id,
        profile_label=chosen.label,
        description=chosen.description,
        exhibits=tuple(pages),
        claims=tuple(claims),
        findings=findings,
        ahead=ahead_of(project, judged.values(), claims),
        watched=watched,
    )
    changed = len(write(site, folder, files, _badges(paper, judged.values(), broken)))
    count = sum(1 for _ in folder.rglob("*.html"))
    return Report(chosen.id, folder / "index.html", count, changed, no_results(broken))


def _badges(paper: Paper, judged: Iterable[Judgement], broken: Collection[str]) -> dict[str, str]:
    """Badges of how many numbers came back, of the paper and of each exhibit that runs.

    One that cannot be read has one too, and keeps that of the paper from being green.
    """
    shown = [(each.plan.exhibit, list(_on_printed(each))) for each in judged]
    badges = {exhibit.id: verdict_badge(exhibit.label, names) for exhibit, names in shown}
    every = [name for _, names in shown for name in names]
    lost = {name: badge(paper.exhibits[name].label, "not read", "lightgrey") for name in broken}
    told = {"paper": verdict_badge("numbers", every, len(broken)), **badges, **lost}
    return {name: json_text(each, None) + "\n" for name, each in told.items()}


def _on_printed(judged: Judgement) -> Iterator[str]:
    """The verdicts where the paper prints a number that something of ours stands for: there is
    nothing to reproduce elsewhere."""
    exhibit = judged.plan.exhibit
    for address, name in judged.verdict_names.items():
        _, row, column = address.split(":")
        printed = exhibit.printed(row, column)
        ours = row != "stated" or exhibit.stated[column].ours
        if ours and printed is not None and printed.kind == "number":
            yield name


def _page(
    project: Project,
    exhibit: Exhibit,
    judged: Judgement | None,
    problem: str,
    claims: Sequence[Judged],
    findings: Sequence[Finding],
    files: Sequence[Path],
    tell: Tell,
) -> ExhibitPage:
    name, view, tried = exhibit.id, view_of(project.paper, exhibit), has_results(judged)
    command = ("repro", "make", name, "--profile", judged.plan.profile.id) if judged else ()
    return ExhibitPage(
        exhibit=exhibit,
        table=view.table(judged),
        numbers=numbers_of(view, judged, project.store) if judged else (),
        stated=stated_of(exhibit, judged),
        correlations=tuple(
            f"Panel {item.panel}, {item.plot}: {line}"
            for item in (judged.correlations if judged else ())
            for line in correlation_lines(item)
        ),
        panels=tuple(view.panels),
        premises=view.premises,
        formulas=view.formulas,
        parameters=view.parameters,
        assumptions=alternatives_of(project, judged, tried, tell) if judged else (),
        claims=tuple(claims),
        findings=tuple(f for f in findings if any(a.split(":")[0] == name for a in f.addresses)),
        grids=tuple(view.grids(judged)) if judged else (),
        files=tuple(path.name for path in files),
        command=shlex.join(command),
        problem=problem,
    )
