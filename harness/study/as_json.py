"""The JSON of every command: stable keys, written from the typed objects here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.judge.audit.finding import Finding
    from harness.judge.exhibit import Judgement
    from harness.judge.outcomes import Judged
    from harness.plan.cost import Seconds
    from harness.plan.settings import Shared
    from harness.render.views.base import ExhibitView
    from harness.run.cluster.look import Standing
    from harness.run.cluster.submission import QueuedArray
    from harness.spec.paper import Paper
    from harness.spec.parts import Profile
    from harness.study.bundle import Audited
    from harness.study.compare import Comparison
    from harness.study.exhibits import JudgedExhibit
    from harness.study.explore import WrittenDesign
    from harness.study.flips import Flips
    from harness.study.forecast import Forecast
    from harness.study.make import Collected, Made, MadeExhibit
    from harness.study.status import Status
    from harness.study.sync import Synced
    from harness.study.until import LooksAhead, MadeUntilDecided
    from harness.study.verify import Verified

Fields = dict[str, Any]
VERSION = 1
"""Version of all JSON shapes; keys may be added without raising it."""


def exhibits(
    paper: Paper, results: Mapping[str, Mapping[str, int]], remarks: Mapping[str, str]
) -> Fields:
    """`repro list`."""
    return {
        "exhibits": [
            {
                "id": e.id,
                "kind": e.kind,
                "title": e.title,
                "results": dict(results.get(e.id, {})),
                "remark": remarks.get(e.id, ""),
            }
            for e in paper.exhibits.values()
        ]
    }


def judged(shown: JudgedExhibit) -> Fields:
    """`repro show`."""
    return {
        **difference(shown.judgement, shown.view),
        "not_run": dict(shown.not_run),
        "claims": [claim(item, shown.profile) for item in shown.claims],
    }


def difference(judgement: Judgement, view: ExhibitView[Any]) -> Fields:
    """`repro diff`."""
    plan = judgement.plan
    about = {"exhibit": plan.exhibit.id, "profile": plan.profile.id}
    return {**about, **view.fields(judgement), "notices": list(judgement.notices)}


def reported(view: ExhibitView[Any]) -> Fields:
    """`repro show` of an exhibit for which nothing is run."""
    return {"exhibit": view.exhibit.id, **view.fields(None)}


def claim(item: Judged, profile: str) -> Fields:
    """A claim with its outcomes."""
    return {
        "id": item.claim.id,
        "text": item.claim.text,
        "where": item.claim.where,
        "expect": item.claim.expect,
        "reported": item.reported.outcome,
        "reported_why": item.reported.why,
        "reproduced": item.reproduced.outcome,
        "reproduced_why": item.reproduced.why,
        "profile": profile,
        "reported_comparisons": list(item.reported.comparisons),
        "reported_flips": list(item.reported.flips),
        "reproduced_comparisons": list(item.reproduced.comparisons),
        "reproduced_flips": list(item.reproduced.flips),
    }


def verified(found: Verified) -> Fields:
    """`repro verify`."""
    from harness.judge.outcomes import tally

    return {
        "claims": [claim(item, found.profile) for item in found.judged],
        "problems": list(found.problems),
        "sentences": [
            {
                "text": sentence.text,
                "where": sentence.where,
                "claims": [item.claim.id for item in sentence.claims],
                "reported": sentence.reported,
                "reproduced": sentence.reproduced,
            }
            for sentence in found.sentences
        ],
        "counts": {
            side: {
                "sentences": tally(getattr(sentence, side) for sentence in found.sentences),
                "comparisons": tally(
                    one for item in found.judged for one in getattr(item, side).comparisons
                ),
            }
            for side in ("reported", "reproduced")
        },
    }


def findings(found: Iterable[Finding]) -> Fields:
    """`repro audit`."""
    return {"findings": [_finding(item) for item in found]}


def _finding(finding: Finding) -> Fields:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "where": finding.where,
        "addresses": list(finding.addresses),
        "printed": finding.printed,
        "expected": finding.expected,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "explanation": finding.explanation,
    }


def forecast(planned: Forecast) -> Fields:
    """`repro plan`."""
    steps = [
        {
            "identity": identity,
            "step": step.name,
            "seed": step.seed,
            "state": planned.states[identity],
            "samples": step.work.samples,
            "flops": step.work.flops,
            "seconds": asdict(planned.seconds[identity]),
            "fused": planned.fused.get(identity),
            "unreadable": planned.unreadable.get(identity),
        }
        for identity, step in planned.steps.items()
    ]
    totals = {
        "steps": len(planned.steps),
        "current": len(planned.steps) - len(planned.todo),
        "seconds": asdict(planned.remaining),
        "all": asdict(planned.sum(planned.steps)),
        "by_step": _seconds(planned.by_step()),
        "by_row": _seconds(planned.rows),
        "longest": {
            "steps": planned.longest,
            "seconds": asdict(planned.sum(planned.longest)),
        },
        "device": planned.device,
    }
    return {
        "exhibit": planned.exhibit,
        "profile": planned.profile,
        "steps": steps,
        "totals": totals,
    }


def _seconds(named: Mapping[str, Seconds]) -> Fields:
    return {name: asdict(seconds) for name, seconds in named.items()}


def made(done: Made) -> Fields:
    """`repro make`."""
    if done.queued is not None:
        return {"submitted": [_array(array) for array in done.queued]}
    return {"exhibits": [_made(item) for item in done.exhibits]}


def _made(item: MadeExhibit) -> Fields:
    return {
        "exhibit": item.exhibit,
        "profile": item.profile,
        "varied": dict(item.varied),
        **item.view.fields(item.judgement),
        "notices": list(item.judgement.notices),
        "not_run": dict(item.not_run),
        "flips": list(item.flips),
        "claims": [claim(each, item.profile) for each in item.claims],
        "files": [str(path) for path in item.files],
    }


def until_decided(done: MadeUntilDecided) -> Fields:
    """`repro make --until-decided`."""
    looks, cells = map(asdict, done.looks), map(asdict, done.cells)
    return {**made(done), "looks": list(looks), "cells": list(cells)}


def look_ahead(found: LooksAhead) -> Fields:
    """`repro plan --until-decided`."""
    return asdict(found)


def collected(found: Collected) -> Fields:
    """`repro collect`."""
    return {
        "submissions": _standings(found.standings),
        "exhibits": [_made(item) for item in found.exhibits],
    }


def cancelled(arrays: Sequence[QueuedArray]) -> Fields:
    """`repro cancel`."""
    return {"cancelled": [_array(array) for array in arrays]}


def _array(array: QueuedArray) -> Fields:
    steps = {name: len(given) for name, given in array.jobs.items()}
    return {"job": array.job, "step": array.step, "steps": steps}


def _standings(standings: Sequence[Standing]) -> list[Fields]:
    return [
        {"submission": standing.submission.name, "over": standing.over, **standing.counts()}
        for standing in standings
    ]


def status(found: Status) -> Fields:
    """`repro status`."""
    exhibits = [
        {
            "exhibit": item.exhibit,
            "profile": item.profile,
            "steps": len(item.states),
            "current": item.count("current"),
            "running": item.count("running"),
            "queued": item.queued,
            "failed": item.count("failed"),
        }
        for item in found.exhibits
    ]
    at_work = [
        {
            "identity": one.step.identity,
            "step": one.step.name,
            "seed": one.step.seed,
            "numbers": list(one.numbers),
            "host": one.holder.owner.host,
            "process": one.holder.owner.pid,
            "user": one.holder.user,
            "since": one.holder.since,
            "silent": one.holder.silent,
            "condition": one.holder.condition,
        }
        for one in found.at_work
    ]
    submissions = _standings(found.submissions)
    return {"exhibits": exhibits, "at_work": at_work, "submissions": submissions}


def assumptions(exhibit: str, profile: Profile, found: Iterable[Shared]) -> Fields:
    """`repro assumptions`."""
    listed = [
        {
            "id": setting.used.listed,
            "label": setting.used.label,
            "value": setting.used.value,
            "source": setting.used.choice.source,
            "place": setting.used.choice.place,
            "why": setting.used.choice.why,
            "alternatives": list(setting.used.choice.alternatives),
            "used_by": list(setting.names),
        }
        for setting in found
    ]
    return {"exhibit": exhibit, "profile": profile.id, "assumptions": listed}


def design(written: WrittenDesign) -> Fields:
    """`repro make --explore --write-only`."""
    fields = {"file": str(written.path), **written.design.model_dump()}
    return {"design": {**fields, "missing": list(written.missing)}}


def flips(found: Flips) -> Fields:
    """`repro assumptions --flips`."""
    fields = asdict(found)
    return {**fields, "verdicts": fields.pop("cells")}


def comparison(found: Comparison) -> Fields:
    """`repro compare`."""
    changes = [{**asdict(item), "paired": item.paired} for item in found.changes]
    return {"a": found.a, "b": found.b, "changes": changes}


def synced(found: Synced) -> Fields:
    """`repro tables sync`."""
    return {
        "changes": [
            {**asdict(change), "place": str(change.place) if change.place else None}
            for change in found.changes
        ],
        "claims": [
            {"id": each.claim.id, "before": each.before.outcome, "now": each.now.outcome}
            for each in found.turned
        ],
        "tables": {
            "new": [{"label": t.label, "place": str(t.place)} for t in found.new_tables],
            "gone": list(found.gone),
        },
        "sentences": {
            "new": [{"text": s.text, "place": str(s.place)} for s in found.new_sentences],
            "gone": [each.starts for each in found.gone_sentences],
        },
        "unread": list(found.unread),
        "written": list(map(str, found.written)),
    }


def audited(found: Audited) -> Fields:
    """`repro store audit`."""
    return {
        "nonce": found.nonce,
        "tolerance": found.tolerance,
        "population": found.population,
        "passed": found.passed,
        "bound": found.bound,
        "records": [
            {
                "identity": each.record.identity,
                "step": each.record.step,
                "seed": each.record.seed,
                "values": dict(each.record.values),
                "again": dict(each.again),
                "found": each.found,
            }
            for each in found.checked
        ],
        "problems": list(found.problems),
    }
