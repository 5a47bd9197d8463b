"""Every claim judged under one profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.outcomes import Judged, Sentence, by_sentence
from harness.render.views.verdicts import gap_lines
from harness.spec.statements import CoverageFile
from harness.spec.toml import read_spec
from harness.study.evidence import check_evidence, no_results
from harness.study.exhibits import claims_on, exhibits_behind, judge_each
from harness.study.project import Project


@dataclass(frozen=True)
class Verified:
    """Every claim judged under one profile, why some exhibits have no results, and which
    numbers rest on fewer runs than were asked for."""

    project: Project
    profile: str
    judged: Sequence[Judged]
    problems: Sequence[str]
    broken: Sequence[str] = ()
    """Tables whose files of results are missing or cannot be read; problems say why."""
    open_sentences: int = 0
    """Sentences of `coverage.toml` of which nobody has said yet which claims they are."""

    @property
    def sentences(self) -> list[Sentence]:
        """The claims by the sentence that they quote."""
        return by_sentence(self.judged)

    @property
    def unexpected(self) -> list[Judged]:
        """Claims that come out otherwise on the paper's numbers than the specs expect."""
        return [item for item in self.judged if not item.as_expected]

    @property
    def lacking(self) -> list[Judged]:
        """Claims about results that have none of ours under the profile."""
        return [item for item in self.judged if item.reproduced.outcome == "not run"]


def judge_all_claims(project: Project, profile: str | None) -> Verified:
    """Judge every claim. An exhibit that cannot be planned has no results, which is a problem
    to name, not one that stops the paper's own numbers from being checked.
    """
    claims = project.paper.claims.values()
    chosen, ours, lacking = judge_each(project, exhibits_behind(project, claims), profile)
    broken = check_evidence(project, project.paper.exhibits)
    problems = no_results(broken) + [
        f"{name} has no results, as it cannot be planned: {why}"
        for name, why in lacking.items()
        if name not in broken
    ]
    problems += [line for judgement in ours.values() for line in gap_lines(judgement)]
    coverage = project.paper.root / "coverage.toml"
    entries = read_spec(coverage, CoverageFile).sentences if coverage.is_file() else ()
    judged = claims_on(project, claims, ours.values())
    waiting = sum(entry.open for entry in entries)
    return Verified(project, chosen, judged, problems, list(broken), waiting)
