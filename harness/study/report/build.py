"""The report: a static site with everything that is known of a paper under one profile."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.judge.audit.finding import Finding
from harness.judge.exhibit import Judgement
from harness.judge.outcomes import exhibits_of
from harness.render.report.numbers import numbers_of, stated_of
from harness.render.report.pages import ClaimLine, ExhibitPage, Site
from harness.render.report.site import write
from harness.render.views import view_of
from harness.render.views.base import has_results
from harness.render.views.panel_figure import correlation_lines
from harness.spec.exhibit import Exhibit
from harness.study.exhibits import Request, judge, plan_of
from harness.study.project import Project
from harness.study.renders import write_renders
from harness.study.report.alternatives import Tell, alternatives_of
from harness.study.verify import Verified, judge_all_claims


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
        files[name] = write_renders(project, judged, {}) if judged and has_results(judged) else []
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


def _judged(project: Project, name: str, profile: str) -> tuple[Judgement | None, str]:
    """An exhibit judged; None where nothing is run for it, or where a spec is in the way."""
    if name not in project.paper.runnable:
        return None, ""
    try:
        return judge(project, plan_of(project, name, Request(profile))), ""
    except UserError as error:
        return None, str(error)


def _page(
    project: Project,
    exhibit: Exhibit,
    judged: Judgement | None,
    problem: str,
    claims: Sequence[ClaimLine],
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
        formulas=view.formulas,
        parameters=view.parameters,
        assumptions=alternatives_of(project, judged, tried, tell) if judged else (),
        claims=tuple(claim for claim in claims if name in claim.exhibits),
        findings=tuple(f for f in findings if any(a.split(":")[0] == name for a in f.addresses)),
        files=tuple(path.name for path in files),
        command=shlex.join(command),
        problem=problem,
    )


def _claims(found: Verified) -> tuple[ClaimLine, ...]:
    return tuple(
        ClaimLine(
            id=item.claim.id,
            text=item.claim.text,
            where=item.claim.where,
            expect=item.claim.expect,
            reported=item.reported.outcome,
            reported_why=item.reported.why,
            reproduced=item.reproduced.outcome,
            reproduced_why=item.reproduced.why,
            exhibits=tuple(sorted(exhibits_of(item.claim))),
        )
        for item in found.judged
    )
