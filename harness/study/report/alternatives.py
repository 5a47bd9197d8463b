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
from harness.study.flips import CellFlips, Flips, Reading, flips_of
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


def _weight(assumption: Assumption) -> tuple[int, bool]:
    """Assumptions that flip a verdict come first, and those without alternatives last."""
    return ("flips", "changes", "").index(assumption.changing), not assumption.alternatives


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
        name = written(varied)
        state, ran = (
            ("not run", 0) if flips is None else _state(project, judged, changes[name], name, flips)
        )
        command = ("repro", "make", plan.exhibit.id, "--profile", plan.profile.id)
        can_run = name not in changes or not changes[name].why
        yield Alternative(
            _written(value),
            state,
            ran > 0,
            tuple(_turned(flips, varied)),
            shlex.join((*command, "--vary", variation)) if can_run else "",
        )


def _turned(flips: Flips | None, variation: Variation) -> Iterator[Flip]:
    """The verdicts that an alternative alone changes, where it was run with all seeds."""
    for cell in flips.cells if flips else ():
        for reading in cell.readings:
            if reading.choices == (written(variation),) and reading.turn != "none":
                yield _flip(cell, reading)


def _flip(cell: CellFlips, reading: Reading) -> Flip:
    words = [f"{cell.verdict} → {reading.verdict}, {reading.turn}"]
    if effect := reading.effect:
        words.append(f"by {effect.estimate:+.4g}")
        if effect.interval and effect.interval[0] < effect.interval[1]:
            words[-1] += f" ({effect.interval[0]:+.4g} to {effect.interval[1]:+.4g})"
        if not effect.shown:
            words.append("the effect is not shown" if effect.interval else "how sure is not known")
    found = next((each for each in cell.sets if each.reading == reading), None)
    if found:
        words.append(found.said)
    return Flip(cell.address, "; ".join(words), found is not None and found.standing == "flip set")


def _flips(project: Project, judged: Judgement) -> Flips:
    return flips_of(project, judged.plan.exhibit.id, judged.plan.profile.id)


def _state(
    project: Project, judged: Judgement, change: Change, name: str, flips: Flips
) -> tuple[str, int]:
    """How far an alternative was run, in words, and for how many numbers with all seeds."""
    if not change.taken:
        return "cannot be taken under this profile", 0
    if change.why:
        return "changes nothing under this profile", 0
    has, untried = project.store.has, {cell.address: cell.untried for cell in flips.cells}
    own = {a: [i for i in ids if i not in judged.plan.steps] for a, ids in change.steps.items()}
    some = [address for address, steps in own.items() if any(map(has, steps))]
    if not some:
        return "not run", 0
    run = [a for a in some if (name not in untried[a] if a in untried else all(map(has, own[a])))]
    begun = f", begun for {len(some) - len(run)}" if len(run) < len(some) else ""
    return f"run for {len(run)} of {counted(len(own), 'number')} that it touches{begun}", len(run)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
