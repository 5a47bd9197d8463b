"""The report for the ML Reproducibility Challenge, as LaTeX and as Markdown.

Its sections are those that the challenge asks for. Numbers, claims, choices and costs are written
from specs and records; what only a person can say is marked with `To do`.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.judge.exhibit import Judgement
from harness.judge.outcomes import Judged, by_sentence, tally
from harness.plan.parts import closure
from harness.plan.settings import open_choices
from harness.render import document
from harness.render.templating import template
from harness.store.record import Record
from harness.study.audit import findings_of
from harness.study.document import Document, known_cells, tally_of
from harness.study.exhibits import claims_on, judge_each, reasons_not_run
from harness.study.project import Project
from harness.study.typeset import typeset
from harness.words import counted


@dataclass(frozen=True)
class Challenge:
    """A report that was written."""

    profile: str
    latex: Path
    markdown: Path
    problems: list[str]
    """Exhibits that have no results, as they cannot be planned under the profile."""

    def typeset(self) -> Path:
        """Compile it; the PDF. UserError where LaTeX is not installed or stopped."""
        return typeset(self.latex)


def write_challenge(project: Project, profile: str | None, out: Path | None = None) -> Challenge:
    """Write the report with all that a program can know. Runs nothing.

    Args:
        out: the folder; in the build folder by default. What a person wrote into an earlier
            report there is overwritten.
    """
    paper = project.paper
    under, judged, lacking = judge_each(project, paper.runnable, profile)
    chosen = paper.profile(under)
    folder = out or project.build / under / "challenge"
    folder.mkdir(parents=True, exist_ok=True)
    made = Document(project, folder, chosen.id, judged)
    claims = claims_on(project, paper.claims.values(), judged.values())
    findings = findings_of(project)
    told = {
        "title": paper.about.title,
        "authors": ", ".join(paper.about.authors),
        "venue": paper.about.venue,
        "profile": chosen,
        "findings": findings,
        **_claims(claims),
        **_methodology(judged.values()),
        "costs": _costs(project, judged.values()),
        **_results(made),
        "missing": _missing(project, judged.values()),
    }
    parts = {
        "challenge.tex": template("challenge").render(told),
        "challenge.md": template("challenge", "md").render(told),
        "cells.tex": document.cells(made.name, known_cells(made), {}),
        "claims.tex": document.claims(claims, "reproduced"),
        "findings.tex": document.findings(findings),
    }
    for name, text in parts.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copyfile(document.STYLE, folder / document.STYLE.name)
    problems = [f"{name} has no results: {why}" for name, why in lacking.items()]
    return Challenge(chosen.id, folder / "challenge.tex", folder / "challenge.md", problems)


def _claims(claims: list[Judged]) -> dict[str, Any]:
    ours = [each.reproduced.outcome for each in claims]
    counts = {"on_theirs": [each.reported.outcome for each in claims], "on_ours": ours}
    return {
        "sentences": by_sentence(claims),
        **{
            name: ", ".join(f"{word} {count}" for word, count in tally(outcomes).items() if count)
            for name, outcomes in counts.items()
        },
    }


def _methodology(judged: Iterable[Judgement]) -> dict[str, Any]:
    """The settings of everything that has a result: how many are stated, and those that are not."""
    used = [
        setting
        for each in judged
        for result in each.results
        if result.complete
        for setting in result.item.settings
    ]
    return {
        "stated": len({each.name for each in used if each.choice.source == "paper"}),
        "choices": [
            {
                "name": each.used.listed,
                "value": str(each.used.value),
                "source": each.used.choice.source,
                "why": each.used.choice.why or "",
            }
            for each in open_choices(used)
        ],
    }


def _costs(project: Project, judged: Iterable[Judgement]) -> list[dict[str, Any]]:
    """Device -> runs and hours of the records that results stand on, each record once."""
    behind: dict[str, Record] = {}
    for each in judged:
        wanted = {i for result in each.results if result.complete for i in result.item.identities}
        for identity in closure(each.plan.steps, wanted):
            if (record := project.store.get(identity)) and record.link is None:
                behind[identity] = record
    seconds: Mapping[str, list[float]] = defaultdict(list)
    for record in behind.values():
        seconds[str(record.environment.get("device", "not known"))].append(record.seconds)
    return [
        {"device": device, "runs": len(each), "hours": f"{sum(each) / 3600:.2f}"}
        for device, each in sorted(seconds.items())
    ]


def _results(made: Document) -> dict[str, Any]:
    """The tables with results, with their numbers; other exhibits with results; how many in all."""
    known = {cell.address: cell for cell in known_cells(made)}
    tables: list[dict[str, Any]] = []
    for view in made.tables:
        judged = made.judged.get(view.exhibit.id)
        rows = []
        for result in judged.results if judged else ():
            cell, verdict = known.get(str(result.item.address)), judged and judged.verdict(result)
            if cell and made.name in cell.reproduced:
                at = result.item.address
                rows.append(
                    {
                        "name": f"{at.row}, {at.column}",
                        "key": cell.key,
                        "reported": cell.reported,
                        "ours": cell.reproduced[made.name],
                        "verdict": verdict.name if verdict else "",
                    }
                )
        if rows:
            about = tally_of(made, view)
            tables.append(
                {
                    "label": about.label,
                    "title": about.title,
                    "verdicts": about.verdicts,
                    "cells": rows,
                }
            )
    printed = [view.exhibit for view in made.views.values() if not view.exhibit.parts_of]
    shown, counts = {view.exhibit.id for view in made.tables}, _counts(made)
    others = [
        {"label": exhibit.label, "title": exhibit.title, "count": counts[exhibit.id]}
        for exhibit in printed
        if exhibit.id in counts and exhibit.id not in shown
    ]
    of = f"in {len(counts)} of {counted(len(printed), 'exhibit')}"
    scope = f"Numbers that were run again: {sum(counts.values())}, {of}."
    return {"tables": tables, "others": others, "scope": scope}


def _counts(made: Document) -> dict[str, int]:
    """Exhibit of the paper -> how many of its numbers have a run at least, where any has: as `list`
    counts."""
    found = {
        name: sum(result.complete or bool(result.amounts) for result in judged.results)
        for name, judged in made.judged.items()
        if not judged.plan.exhibit.parts_of
    }
    return {name: count for name, count in found.items() if count}


def _missing(project: Project, judged: Iterable[Judgement]) -> list[dict[str, Any]]:
    """Reason -> how many numbers are not there for it."""
    counts: dict[str, int] = defaultdict(int)
    for each in judged:
        for reason, addresses in reasons_not_run(project, each).items():
            counts[reason] += len(addresses)
    return [{"reason": reason, "count": count} for reason, count in sorted(counts.items())]
