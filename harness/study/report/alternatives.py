"""The assumptions of an exhibit, and which of their alternatives that were run flip a verdict."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from harness.errors import UserError
from harness.judge.exhibit import Judgement
from harness.plan.settings import Used, plain
from harness.render.report.pages import Alternative, Assumption, Flip
from harness.study.assumptions import assumptions_of
from harness.study.exhibits import Request, judge, plan_of
from harness.study.project import Project

Tell = Callable[[str], object]
"""Is given a line for whoever waits."""


def alternatives_of(
    project: Project, judged: Judgement, tried: bool, tell: Tell
) -> tuple[Assumption, ...]:
    """Every choice that the paper leaves open and the exhibit rests on, the weightiest first.

    Args:
        tried: whether to look for records of the alternatives; without a number of ours there is
            no verdict that could flip.
        tell: is told how many alternatives are looked for.
    """
    used = assumptions_of(judged.plan)
    if tried and used:
        name = judged.plan.exhibit.id
        count = sum(len(setting.used.stated.alternatives) for setting in used)
        tell(f"{name}: looking for records of alternatives: {count}")
    found = (
        Assumption(
            name=setting.used.listed,
            title=setting.titled,
            value=_written(setting.used.value),
            source=setting.used.choice.source,
            why=setting.used.choice.why or setting.used.choice.place,
            alternatives=tuple(_alternatives(project, judged, setting.used, tried)),
        )
        for setting in used
    )
    return tuple(sorted(found, key=_weight))


def _weight(assumption: Assumption) -> tuple[bool, bool]:
    """Assumptions that flip a verdict come first, and those without alternatives last."""
    return not assumption.flips, not assumption.alternatives


def _alternatives(
    project: Project, judged: Judgement, setting: Used, tried: bool
) -> Iterator[Alternative]:
    plan = judged.plan
    for alternative in setting.stated.alternatives:
        value = plain(alternative)
        variation = f"{setting.origin}={_written(value)}"
        varied = {setting.origin: value}
        looked = tried and project.executes  # without the paper's code no alternative is planned
        state, flips = _outcome(project, judged, varied) if looked else ("not run", ())
        command = ("repro", "make", plan.exhibit.id, "--profile", plan.profile.id)
        yield Alternative(
            _written(value), state, flips, shlex.join((*command, "--vary", variation))
        )


def _outcome(
    project: Project, default: Judgement, variation: dict[str, Any]
) -> tuple[str, tuple[Flip, ...]]:
    """How far an alternative was run, in words, and the verdicts that it changes."""
    exhibit, profile = default.plan.exhibit.id, default.plan.profile.id
    try:
        request = Request(profile, variation=variation)
        planned = plan_of(project, exhibit, request, must_act=False)
    except UserError:
        return "cannot be taken under this profile", ()
    before = {str(item.address): item.identities for item in default.plan.items}
    # An alternative may have points that the default has not: nothing of theirs can flip.
    touched = {
        str(i.address): i for i in planned.items if i.identities != before.get(str(i.address))
    }
    if planned.shown == default.plan.shown:
        return "changes nothing under this profile", ()
    run = {
        address
        for address, item in touched.items()
        if any(project.store.has(identity) for identity in item.identities)
    }
    if not run:
        return "not run", ()
    verdicts = default.verdict_names
    flips = tuple(
        Flip(address, f"{verdicts[address]} → {name}")
        for address, name in judge(project, planned).verdict_names.items()
        if name not in (verdicts.get(address, name), "not run") and verdicts[address] != "not run"
    )
    state = f"run for {len(run)} of the {len(touched)} numbers that it touches"
    return state, flips


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
