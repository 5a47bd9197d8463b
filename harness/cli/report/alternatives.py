"""The assumptions of an exhibit, and which of their alternatives that were run flip a verdict."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from typing import Any

from harness.cli.exhibits import Judgement, Request, any_plan, judge
from harness.cli.points import PointsJudgement
from harness.cli.project import Project
from harness.errors import UserError
from harness.plan.settings import Used, open_choices
from harness.render.report.pages import Alternative, Assumption, Flip

Judged = Judgement | PointsJudgement


def assumptions(
    project: Project, judged: Judged, tried: bool, quiet: bool
) -> tuple[Assumption, ...]:
    """Every choice that the paper leaves open and the exhibit rests on, the weightiest first.

    Args:
        tried: whether to look for records of the alternatives; without a number of ours there is
            no verdict that could flip.
        quiet: say nothing of progress.
    """
    settings = open_choices(used for item in judged.plan.items for used in item.settings)
    if tried and settings and not quiet:
        name = judged.plan.exhibit.id
        count = sum(len(setting.used.stated.alternatives) for setting in settings)
        print(f"repro: {name}: looking for records of alternatives: {count}", file=sys.stderr)
    found = (
        Assumption(
            name=setting.used.listed,
            title=setting.titled,
            value=_written(setting.used.value),
            source=setting.used.choice.source,
            why=setting.used.choice.why or setting.used.choice.place,
            alternatives=tuple(_alternatives(project, judged, setting.used, tried)),
        )
        for setting in settings
    )
    return tuple(sorted(found, key=_weight))


def _weight(assumption: Assumption) -> tuple[bool, bool]:
    """What flips a verdict comes first, and what nobody would try otherwise last."""
    return not assumption.flips, not assumption.alternatives


def _alternatives(
    project: Project, judged: Judged, setting: Used, tried: bool
) -> Iterator[Alternative]:
    plan = judged.plan
    for alternative in setting.stated.alternatives:
        value = list(alternative) if isinstance(alternative, tuple) else alternative
        variation = f"{setting.origin}={json.dumps(value) if not isinstance(value, str) else value}"
        varied = {setting.origin: value}
        state, flips = _outcome(project, judged, varied) if tried else ("not run", ())
        command = ("repro", "make", plan.exhibit.id, "--profile", plan.profile.id)
        yield Alternative(
            _written(value), state, flips, shlex.join((*command, "--vary", variation))
        )


def _outcome(
    project: Project, default: Judged, variation: dict[str, Any]
) -> tuple[str, tuple[Flip, ...]]:
    """How far an alternative was run, in words, and the verdicts that it changes."""
    exhibit, profile = default.plan.exhibit.id, default.plan.profile.id
    try:
        planned = any_plan(project, exhibit, Request(profile, variation=variation))
    except UserError:
        return "cannot be taken under this profile", ()
    before = {str(item.address): item.identities for item in default.plan.items}
    # An alternative may have points that the default has not: nothing of theirs can flip.
    touched = {
        str(i.address): i for i in planned.items if i.identities != before.get(str(i.address))
    }
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
