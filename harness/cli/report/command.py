"""`repro report`: a static site with everything that is known of a paper under one profile."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cli.exhibits import Request, judge, plan_of
from harness.cli.output import console, print_json
from harness.cli.project import Project
from harness.cli.rendering import printed, write_renders
from harness.cli.report.alternatives import assumptions
from harness.cli.report.numbers import numbers_of, stated_of
from harness.cli.verified import Verified, judge_all_claims
from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.judge.audit.finding import Finding
from harness.judge.exhibit import Judgement
from harness.judge.outcomes import exhibits_of
from harness.render.exhibit import judged_table, reported_table
from harness.render.points import correlation_lines
from harness.render.report.pages import ClaimLine, ExhibitPage, Site
from harness.render.report.site import write
from harness.render.table import Table as Printed
from harness.spec.exhibit import Exhibit, Table
from harness.spec.others import Fit, Lemma, Panelled, SettingsTable


def make_report(project: Project, profile: str | None, out: Path | None, as_json: bool) -> None:
    """Judge every exhibit and write the site.

    Raises:
        UserError: the folder holds something that is no report.
    """
    paper, chosen = project.paper, project.paper.profile(profile)
    folder = out or project.build / chosen.id / "report"
    claims = _claims(judge_all_claims(project, chosen.id))
    findings = audit(paper)
    pages, files = [], {}
    for name, exhibit in paper.exhibits.items():
        judged, problem = _judged(project, name, chosen.id)
        files[name] = _renders(project, judged)
        pages.append(
            _page(project, exhibit, judged, problem, claims, findings, files[name], as_json)
        )
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
    if as_json:
        print_json({"profile": chosen.id, "index": str(index), "pages": _count(folder)})
    else:
        console().print(f"wrote {_count(folder)} pages; open {index}", soft_wrap=True)


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.html"))


def _judged(project: Project, name: str, profile: str) -> tuple[Judgement | None, str]:
    """An exhibit judged; None where nothing is run for it, or where a spec is in the way."""
    if name not in project.paper.runnable:
        return None, ""
    try:
        return judge(project, plan_of(project, name, Request(profile))), ""
    except UserError as error:
        print(f"repro: {name} has no results: {error}", file=sys.stderr)
        return None, str(error)


def _has_results(judged: Judgement | None) -> bool:
    if judged is None:
        return False
    if isinstance(judged.plan.exhibit, Table):
        return any(result.amounts for result in judged.results)
    return any(result.lines for result in judged.results)


def _renders(project: Project, judged: Judgement | None) -> list[Path]:
    return write_renders(project, judged, {}) if judged and _has_results(judged) else []


def _page(
    project: Project,
    exhibit: Exhibit,
    judged: Judgement | None,
    problem: str,
    claims: Sequence[ClaimLine],
    findings: Sequence[Finding],
    files: Sequence[Path],
    quiet: bool,
) -> ExhibitPage:
    name = exhibit.id
    return ExhibitPage(
        exhibit=exhibit,
        table=_table(project, exhibit, judged),
        numbers=numbers_of(project, judged) if judged else (),
        stated=stated_of(exhibit, judged),
        correlations=tuple(
            f"Panel {item.panel}, {item.plot}: {line}"
            for item in (judged.correlations if judged else ())
            for line in correlation_lines(item)
        ),
        panels=exhibit.panels if isinstance(exhibit, Panelled) else (),
        formulas=_formulas(exhibit),
        parameters=exhibit.parameters if isinstance(exhibit, Fit) else {},
        assumptions=assumptions(project, judged, _has_results(judged), quiet) if judged else (),
        claims=tuple(claim for claim in claims if name in claim.exhibits),
        findings=tuple(f for f in findings if any(a.split(":")[0] == name for a in f.addresses)),
        files=tuple(path.name for path in files),
        command=shlex.join(("repro", "make", name, "--profile", judged.plan.profile.id))
        if judged
        else "",
        problem=problem,
    )


def _table(project: Project, exhibit: Exhibit, judged: Judgement | None) -> Printed | None:
    if isinstance(exhibit, Table):
        if judged is None:
            return reported_table(exhibit)
        return judged_table(exhibit, judged.results, judged.verdicts, judged.plan.profile.id)
    return printed(project.paper, exhibit) if isinstance(exhibit, SettingsTable) else None


def _formulas(exhibit: Exhibit) -> dict[str, str]:
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
            reported=item.reported.outcome,
            reported_why=item.reported.why,
            reproduced=item.reproduced.outcome,
            reproduced_why=item.reproduced.why,
            exhibits=tuple(sorted(exhibits_of(item.claim))),
        )
        for item in found.judged
    )
