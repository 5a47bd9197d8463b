"""What would decide most next: makes by the numbers and sentences that they decide an hour."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from harness.judge.exhibit import Judgement
from harness.judge.outcomes import Judged, by_sentence, exhibits_of
from harness.plan.cost import NOTHING
from harness.plan.parts import closure
from harness.render.numbers import hours
from harness.render.report.pages import Ahead
from harness.study.forecast import seconds_of
from harness.study.make import lacking
from harness.study.project import Project

MOST = 5
"""Makes that the report names."""


def ahead_of(
    project: Project, judged: Iterable[Judgement], claims: Sequence[Judged]
) -> tuple[Ahead, ...]:
    """The makes that decide most for their time, the best first; none that decides nothing."""
    found = [_make(project, each, claims) for each in judged]
    wanted = sorted((rate, index) for index, (rate, _) in enumerate(found) if rate)
    return tuple(found[index][1] for _, index in reversed(wanted[-MOST:]))


def _make(project: Project, judged: Judgement, claims: Sequence[Judged]) -> tuple[float, Ahead]:
    """What making an exhibit would decide a second, and the same in words."""
    plan, name = judged.plan, judged.plan.exhibit.id
    waiting = [each for each in judged.results if each.item.sources and each.missing]
    numbers = sum(each.item.comparable and each.item.reported is not None for each in waiting)
    if waiting and all(each.item.comparable for each in judged.results):
        numbers += sum(each.verdict.name == "not run" for each in judged.stated)
    sentences = sum(
        sentence.reproduced in ("not run", "undecided")
        and any(name in exhibits_of(item.claim) for item in sentence.claims)
        for sentence in by_sentence(claims if waiting else ())
    )
    behind = closure(plan.steps, {i for each in waiting for i in each.missing})
    todo = {i: behind[i] for i in lacking(behind, project.store)}
    device = plan.profile.device
    cost = sum(seconds_of(project, todo, device).values(), NOTHING)
    told = f"{hours(cost.mid)} ({hours(cost.low)} to {hours(cost.high)}) of one {device}"
    command = shlex.join(("repro", "make", name, "--profile", plan.profile.id))
    rate = (numbers + sentences) / max(cost.mid, 1.0)
    return rate, Ahead(plan.exhibit, numbers, sentences, told, command)
