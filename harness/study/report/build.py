"""The report: a static site with everything that is known of a paper under one profile."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.judge.audit.finding import Finding
from harness.judge.outcomes import exhibits_of
from harness.render.exhibit import judged_table, reported_table
from harness.render.points import correlation_lines
from harness.render.report.pages import ClaimLine, ExhibitPage, Site
from harness.render.report.site import write
from harness.render.table import Table as Printed
from harness.spec.exhibit import Table
from harness.spec.others import Fit, Lemma, Panelled, SettingsTable
from harness.spec.paper import AnyExhibit
from harness.study.exhibits import Judgement, Request, any_plan, judge
from harness.study.points import PointsJudgement
from harness.study.project import Project
from harness.study.renders import printed, write_renders
from harness.study.report.alternatives import Tell, alternatives_of
from harness.study.report.numbers import numbers_of, stated_of
from harness.study.verify import Verified, judge_all_claims

Judged = Judgement | PointsJudgement


@dataclass(frozen=True)
class Report:
    """A static site that was written."""

    profile: str
    index: Path
    """Its first page."""
    pages: int
    problems: Sequence[str]
    """Exhibits that have no results, as they cannot be planned under the profile."""


def write_report(
    project: Project, profile: str | None, out: Path | None = None, tell: Tell = print
) -> Report:
    """Judge every exhibit and write the site. Runs nothing.

    Args:
        out: the folder, which may hold an earlier report; in the build folder by default.
        tell: is given a line on each exhibit for which it may take long.

    Raises:
        UserError: the folder holds something that is no report.
    """
    paper, chosen = project.paper, project.paper.profile(profile)
    folder = out or project.build / chosen.id / "report"
    claims = _claims(judge_all_claims(project, chosen.id))
    findings = audit(paper)
    pages, files, problems = [], {}, []
    for name, exhibit in paper.exhibits.items():
        judged, problem = _judged(project, name, chosen.id)
        if problem:
            problems.append(f"{name} has no results: {problem}")
        files[name] = _renders(project, judged)
        pages.append(_page(project, exhibit, judged, problem, claims, findings, files[name], tell))
    site = Site(
        title=paper.about.title,
        authors=paper.about.authors,
        venue=paper.about.venue,
        profile=chosen.id,
        profile_label=chosen.label,
        description=chosen.description,
        exhibits=tuple(pages),
        claims=claims,
        findings=findings,
    )
    index = write(site, folder, files)
    return Report(chosen.id, index, sum(1 for _ in folder.rglob("*.html")), problems)


def _judged(project: Project, name: str, profile: str) -> tuple[Judged | None, str]:
    """An exhibit judged; None where nothing is run for it, or where a spec is in the way."""
    if name not in project.paper.runnable:
        return None, ""
    try:
        return judge(project, any_plan(project, name, Request(profile))), ""
    except UserError as error:
        return None, str(error)


def _has_results(judged: Judged | None) -> bool:
    if isinstance(judged, PointsJudgement):
        return any(result.drawn for result in judged.results)
    return judged is not None and any(result.values for result in judged.results)


def _renders(project: Project, judged: Judged | None) -> list[Path]:
    return write_renders(project, judged, {}) if judged and _has_results(judged) else []


def _page(
    project: Project,
    exhibit: AnyExhibit,
    judged: Judged | None,
    problem: str,
    claims: Sequence[ClaimLine],
    findings: Sequence[Finding],
    files: Sequence[Path],
    tell: Tell,
) -> ExhibitPage:
    name = exhibit.id
    points = judged if isinstance(judged, PointsJudgement) else None
    return ExhibitPage(
        exhibit=exhibit,
        table=_table(project, exhibit, judged),
        numbers=numbers_of(project, judged) if judged else (),
        stated=stated_of(exhibit, points),
        correlations=tuple(
            f"Panel {item.panel}, {item.plot}: {line}"
            for item in (points.correlated if points else ())
            for line in correlation_lines(item)
        ),
        panels=exhibit.panels if isinstance(exhibit, Panelled) else (),
        formulas=_formulas(exhibit),
        parameters=exhibit.parameters if isinstance(exhibit, Fit) else {},
        assumptions=alternatives_of(project, judged, _has_results(judged), tell) if judged else (),
        claims=tuple(claim for claim in claims if name in claim.exhibits),
        findings=tuple(f for f in findings if any(a.split(":")[0] == name for a in f.addresses)),
        files=tuple(path.name for path in files),
        command=shlex.join(("repro", "make", name, "--profile", judged.plan.profile.id))
        if judged
        else "",
        problem=problem,
    )


def _table(project: Project, exhibit: AnyExhibit, judged: Judged | None) -> Printed | None:
    if isinstance(judged, Judgement):
        profile = judged.plan.profile.id
        return judged_table(judged.plan.exhibit, judged.results, judged.verdicts, profile)
    if isinstance(exhibit, Table):
        return reported_table(exhibit)
    return printed(project.paper, exhibit) if isinstance(exhibit, SettingsTable) else None


def _formulas(exhibit: AnyExhibit) -> dict[str, str]:
    if isinstance(exhibit, Fit):
        return {f"Equation {name}": text for name, text in exhibit.equations.items()}
    if isinstance(exhibit, Lemma):
        of_it = {"Assumption": exhibit.assumption, "Statement": exhibit.statement}
        return of_it | {name.replace("-", " "): text for name, text in exhibit.steps.items()}
    return {}


def _claims(found: Verified) -> tuple[ClaimLine, ...]:
    return tuple(
        ClaimLine(
            id=item.claim.id,
            text=item.claim.text,
            where=item.claim.where,
            expect=item.claim.expect,
            reported=item.reported["outcome"],
            reported_why=item.reported["why"],
            reproduced=item.reproduced["outcome"],
            reproduced_why=item.reproduced["why"],
            exhibits=tuple(sorted(exhibits_of(item.claim))),
        )
        for item in found.judged
    )
