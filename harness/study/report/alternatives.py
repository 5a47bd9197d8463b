"""The assumptions of an exhibit, and which of their alternatives that were run flip a verdict."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.judge.exhibit import Judgement
from harness.plan.changes import Change, assumptions_of
from harness.plan.settings import Used, Variation, plain, written
from harness.render.report.pages import Alternative, Assumption, Flip
from harness.study.flips import Flips, flips_of
from harness.study.kept_changes import changes_of
from harness.study.project import Project
from harness.words import counted

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
    used = assumptions_of(judged.plan.items)
    if tried and used:
        name = judged.plan.exhibit.id
        count = sum(len(setting.used.stated.alternatives) for setting in used)
        tell(f"{name}: looking for records of alternatives: {count}")
    looked = tried and bool(used) and project.executes  # else no alternative can be planned
    flips = _flips(project, judged) if looked else None
    changes = changes_of(project, judged.plan) if looked else {}
    found = (
        Assumption(
            name=setting.used.listed,
            title=setting.titled,
            value=_written(setting.used.value),
            source=setting.used.choice.source,
            why=setting.used.choice.why or setting.used.choice.place,
            alternatives=tuple(_alternatives(project, judged, setting.used, flips, changes)),
        )
        for setting in used
    )
    return tuple(sorted(found, key=_weight))


def _weight(assumption: Assumption) -> tuple[bool, bool]:
    """Assumptions that flip a verdict come first, and those without alternatives last."""
    return not assumption.flips, not assumption.alternatives


def _alternatives(
    project: Project,
    judged: Judgement,
    setting: Used,
    flips: Flips | None,
    changes: Mapping[str, Change],
) -> Iterator[Alternative]:
    plan = judged.plan
    for alternative in setting.stated.alternatives:
        value = plain(alternative)
        variation = f"{setting.origin}={_written(value)}"
        varied = {setting.origin: value}
        state = "not run" if flips is None else _state(project, changes[written(varied)])
        command = ("repro", "make", plan.exhibit.id, "--profile", plan.profile.id)
        yield Alternative(
            _written(value),
            state,
            tuple(_turned(flips, varied)),
            shlex.join((*command, "--vary", variation)),
        )


def _turned(flips: Flips | None, variation: Variation) -> Iterator[Flip]:
    """The verdicts that an alternative alone changes, where it was run with all seeds."""
    for cell in flips.cells if flips else ():
        for reading in cell.readings:
            if reading.choices == (written(variation),) and reading.turn != "none":
                words = f"{cell.verdict} → {reading.verdict}, {reading.turn}"
                yield Flip(cell.address, words)


def _flips(project: Project, judged: Judgement) -> Flips:
    return flips_of(project, judged.plan.exhibit.id, judged.plan.profile.id)


def _state(project: Project, change: Change) -> str:
    """How far an alternative was run, in words."""
    if not change.taken:
        return "cannot be taken under this profile"
    if change.why:
        return "changes nothing under this profile"
    has, touched = project.store.has, change.steps.values()
    run = sum(any(map(has, identities)) for identities in touched)
    if not run:
        return "not run"
    return f"run for {run} of {counted(len(touched), 'number')} that it touches"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
