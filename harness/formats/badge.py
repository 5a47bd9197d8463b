"""Badges: JSON that shields.io turns into a picture (its endpoint schema, version 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.judge.audit.finding import SEVERITIES, Finding
from harness.words import counted

if TYPE_CHECKING:
    from harness.judge.outcomes import Judged

Badge = Mapping[str, Any]


def badge(label: str, message: str, colour: str) -> Badge:
    """One badge; the keys are those that the endpoint asks for."""
    return {"schemaVersion": 1, "label": label, "message": message, "color": colour}


def audit_badge(findings: Iterable[Finding], unread: int = 0) -> Badge:
    """How many findings there are, in the colour of the gravest; grey where none is all that is
    known, because something could not be read.
    """
    counts = Counter(finding.severity for finding in findings)
    told = [f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity]]
    colours = {"severe": "red", "notable": "orange", "minor": "yellow"}
    gravest = next((severity for severity in SEVERITIES if counts[severity]), None)
    colour = colours[gravest] if gravest else "lightgrey" if unread else "brightgreen"
    missed = [f"{unread} not read"] if unread else []
    return badge("audit", ", ".join([*(told or ["no findings"]), *missed]), colour)


def _not_read(exhibits: int) -> str:
    return f", {counted(exhibits, 'exhibit')} not read" if exhibits else ""


def claims_badge(label: str, judged: Iterable[Judged], unread: int = 0) -> Badge:
    """How many claims hold on the paper's own numbers, of those that these could decide.

    Green where all come out as the specs expect and none fails on ours; grey where none was
    tested, or where results of so many exhibits as are `unread` could not be read.
    """
    held = list(judged)
    outcomes = [item.reported.outcome for item in held]
    tested = sum(outcome in ("holds", "fails", "undecided") for outcome in outcomes)
    failing = sum(item.reproduced.outcome == "fails" for item in held)
    if not all(item.as_expected for item in held):
        colour = "red"
    elif failing:
        colour = "orange"
    else:
        colour = "brightgreen" if tested and not unread else "lightgrey"
    of = counted(tested, "tested claim holds", "tested claims hold")
    told = f"{outcomes.count('holds')} of {of}" if tested else "no claim was tested"
    told += f", {counted(failing, 'fails', 'fail')} on ours" if failing else ""
    return badge(label, told + _not_read(unread), colour)


def verdict_badge(label: str, verdicts: Iterable[str], unread: int = 0) -> Badge:
    """How many printed numbers came back, of those that were judged.

    At best grey where others were not, or where so many exhibits as are `unread` have no results,
    because something could not be read.
    """
    counts, unjudged = Counter(verdicts), ("not run", "not comparable")
    left = [f", {counts.pop(name)} {name}" for name in unjudged if name in counts]
    right, judged = counts["reproduced"], counts.total()
    if not judged:
        return badge(label, "nothing comparable was run" + _not_read(unread), "lightgrey")
    known = "lightgrey" if left or unread else "brightgreen"
    colour = "red" if counts["deviates"] else known if right == judged else "yellow"
    told = f"{right} of {judged} reproduced{''.join(left)}{_not_read(unread)}"
    return badge(label, told, colour)
