"""What would decide most next: makes by the numbers and sentences that they decide an hour."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from harness.judge.exhibit import Judgement
from harness.judge.outcomes import Judged, by_sentence, exhibits_of
from harness.judge.results import ItemResult
from harness.plan.cost import NOTHING, Seconds
from harness.plan.exhibit import ExhibitPlan
from harness.plan.parts import closure
from harness.plan.step import Step
from harness.render.numbers import hours
from harness.render.report.pages import Ahead
from harness.run.state import lacking
from harness.study.forecast import seconds_of
from harness.study.project import Project

MOST = 5
"""Makes that the report names."""


def ahead_of(
    project: Project, judged: Iterable[Judgement], claims: Sequence[Judged]
) -> tuple[Ahead, ...]:
    """The makes that decide most for their time, the best first; none that decides nothing."""
    shown = [(one, [r for r in one.results if r.item.sources and r.missing]) for one in judged]
    todo = [_lacking(project, one.plan, waiting) for one, waiting in shown]
    together = {i: step for steps in todo for i, step in steps.items()}
    device = shown[0][0].plan.profile.device if shown else "cpu"  # all are under one profile
    seconds = seconds_of(project, together, device)
    found = [
        _make(one, waiting, sum((seconds[i] for i in steps), NOTHING), claims)
        for (one, waiting), steps in zip(shown, todo, strict=True)
    ]
    wanted = sorted((rate, index) for index, (rate, _) in enumerate(found) if rate)
    return tuple(found[index][1] for _, index in reversed(wanted[-MOST:]))


def _lacking(project: Project, plan: ExhibitPlan, waiting: Sequence[ItemResult]) -> dict[str, Step]:
    """The steps that numbers wait for and that have to be run."""
    behind = closure(plan.steps, {i for each in waiting for i in each.missing})
    return {i: behind[i] for i in lacking(behind, project.store)}


def _make(
    judged: Judgement, waiting: Sequence[ItemResult], cost: Seconds, claims: Sequence[Judged]
) -> tuple[float, Ahead]:
    """What making an exhibit would decide a second, and the same in words.

    Args:
        waiting: its numbers that lack runs.
        cost: of these.
    """
    plan, name = judged.plan, judged.plan.exhibit.id
    numbers = sum(each.item.comparable and each.item.reported is not None for each in waiting)
    if waiting and all(each.item.comparable for each in judged.results):
        numbers += sum(each.verdict.name == "not run" for each in judged.stated)
    sentences = sum(
        sentence.reproduced in ("not run", "undecided")
        and any(name in exhibits_of(item.claim) for item in sentence.claims)
        for sentence in by_sentence(claims if waiting else ())
    )
    took, device = f"{hours(cost.low)} to {hours(cost.high)}", plan.profile.device
    told = f"{hours(cost.mid)} ({took}) of one {device}"
    command = shlex.join(("repro", "make", name, "--profile", plan.profile.id))
    rate = (numbers + sentences) / max(cost.mid, 1.0)
    return rate, Ahead(plan.exhibit, numbers, sentences, told, command)
