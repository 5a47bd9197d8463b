"""Every number of an exhibit with the runs, curves and provenance behind it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.cli.exhibits import Judgement
from harness.cli.points import PointsJudgement
from harness.cli.project import Project
from harness.errors import EvidenceError
from harness.judge.points import Amount, PointResult
from harness.judge.results import Result
from harness.judge.stated import StatedResult
from harness.plan.item import Item
from harness.plan.parts import closure
from harness.render.numbers import mean_std
from harness.render.report.pages import Curve, Gap, Number, Run, StatedNumber, StepLine
from harness.render.text import plain
from harness.spec.exhibit import Exhibit, Stated, variables_of
from harness.spec.paper import Paper
from harness.store.record import Record

_UNSAFE = re.compile(r"[^a-z0-9]+")


def numbers_of(project: Project, judged: Judgement | PointsJudgement) -> tuple[Number, ...]:
    """The cells of a table, or the points of another exhibit, in the order of the plan."""
    pages = _pages(judged.plan.items)
    if isinstance(judged, PointsJudgement):
        return tuple(
            _point(project, judged, result, page)
            for result, page in zip(judged.results, pages, strict=True)
        )
    return tuple(
        _cell(project, judged, result, verdict, page)
        for result, verdict, page in zip(judged.results, judged.verdicts, pages, strict=True)
    )


def _pages(items: Sequence[Item]) -> list[str]:
    """A page for each address: readable, safe as a file name, and of its own."""
    taken: set[str] = set()
    pages = []
    for item in items:
        exhibit, *names = item.address
        stem = "-".join(_UNSAFE.sub("-", name.lower()).strip("-")[:60] for name in names)
        slug, again = stem, 1
        while slug in taken:
            again += 1
            slug = f"{stem}-{again}"
        taken.add(slug)
        pages.append(f"numbers/{exhibit}/{slug}.html")
    return pages


def _cell(
    project: Project, judged: Judgement, result: Result, verdict: Mapping[str, Any], page: str
) -> Number:
    cell, table = result.cell, judged.plan.exhibit
    row = next(row for row in table.rows if row.name == cell.address.row)
    column = next(column for column in table.columns if column.name == cell.address.column)
    members = [str(value) for value in table.average.values] if table.average else [""]
    named = [
        (f"seed {seed}" + (f", {member}" if member else ""), identity)
        for seed, terms in zip(cell.seeds, cell.terms, strict=True)
        for member, identity in zip(members, terms, strict=True)
    ]
    ours = None
    if result.mean is not None:
        number = mean_std(result.mean, result.std, cell.reported)
        ours = f"{number} (n = {len(result.values)})"
    return Number(
        facets=_facets(project.paper, variables_of(table, row, column)),
        reported=cell.reported,
        reproduced=ours,
        verdict=str(verdict["name"]),
        why=str(verdict["why"]),
        flips=tuple(verdict["flips"]),
        seeds_needed=verdict["seeds_needed"],
        gap=_gap(verdict["difference"], verdict["interval"], verdict["margin"]),
        facts={},
        **_behind(project, judged, cell, named, page),
    )


def _point(project: Project, judged: PointsJudgement, result: PointResult, page: str) -> Number:
    point = result.point
    named = [
        (f"{of}, seed {seed}", identity)
        for of, identities in point.measured.items()
        for seed, identity in zip(point.seeds, identities, strict=True)
    ]
    facts = {name: _amount(amount) for name, amount in result.amounts.items()}
    for (plot, _), (x, y) in result.drawn.items():
        if isinstance(x, float) and isinstance(y, float):
            facts.setdefault(f"{plot}: x", f"{x:.4g}")
            facts.setdefault(f"{plot}: y", f"{y:.4g}")
    missing = f"{len(result.missing)} of its steps have no record." if result.missing else ""
    return Number(
        facets=_facets(project.paper, point.stated),
        reported=None,
        reproduced="; ".join(f"{name} {fact}" for name, fact in facts.items()) or None,
        verdict=None,
        why=" ".join(filter(None, [missing, point.reason])),
        flips=(),
        seeds_needed=None,
        gap=None,
        facts=facts,
        pictures=result.pictures,
        **_behind(project, judged, point, named, page),
    )


def _amount(amount: Amount) -> str:
    if amount.low is not None and amount.high is not None:
        return f"{amount.mean:.4g} [{amount.low:.4g}, {amount.high:.4g}]"
    return f"{amount.mean:.4g}" + (f" ± {amount.std:.2g}" if amount.std is not None else "")


def _behind(
    project: Project,
    judged: Judgement | PointsJudgement,
    item: Item,
    named: Sequence[tuple[str, str]],
    page: str,
) -> dict[str, Any]:
    """What cells and points have alike: where they are, and what they stand on."""
    steps = closure(judged.plan.steps, item.identities)
    records = {identity: project.store.get(identity) for identity in steps}
    profile = judged.plan.profile.id
    command = ("repro", "make", str(item.address), "--profile", profile)
    return {
        "address": str(item.address),
        "page": page,
        "exhibit": item.address.exhibit,
        "exhibit_label": judged.plan.exhibit.label,
        "row": item.address.row,
        "column": item.address.column,
        "runs": tuple(_run(name, identity, records[identity]) for name, identity in named),
        "curves": tuple(
            curve
            for name, identity in named
            if (record := records[identity])
            for curve in _curves(name, record)
        ),
        "steps": tuple(StepLine(step, records[identity]) for identity, step in steps.items()),
        "settings": tuple(
            {
                "name": used.titled,
                "listed": used.listed,
                "value": str(used.value),
                "source": used.choice.source,
                "place": used.choice.place or used.choice.why,
            }
            for used in item.settings
        ),
        "command": shlex.join(command) if item.identities else "",
    }


def _run(name: str, identity: str, record: Record | None) -> Run:
    values = record.values if record else {}
    numbers = {key: value for key, value in values.items() if isinstance(value, int | float)}
    return Run(name, identity, numbers, record is not None)


def _curves(run: str, record: Record) -> Iterator[Curve]:
    """The arrays of a run that are a course: one floating number for each of several places."""
    for name in sorted(record.arrays):
        output = record.outputs[name]
        if not output["dtype"][1:].startswith("f") or len(output["shape"]) != 1:
            continue
        try:
            values = record.array(name)
        except EvidenceError:
            continue  # published without it, or damaged; the step's line says where it is from
        if len(values) > 1:
            yield Curve(name, run, tuple(float(value) for value in values))


def _facets(paper: Paper, variables: Mapping[str, Any]) -> dict[str, str]:
    """The variables as the paper states them, by the labels of what they name."""
    named: Mapping[str, Mapping[str, Any]] = {
        "method": paper.methods,
        "recipe": paper.recipes,
        "dataset": paper.datasets,
        "network": paper.networks,
    }
    return {
        plain(name.replace("_", " ")): plain(
            str(value) if kind == "value" else named[kind][str(value)].label
        )
        for name, kind in paper.about.variables.items()
        if (value := variables.get(name)) is not None
    }


def _gap(difference: Any, interval: Any, margin: float | None) -> Gap | None:
    if difference is None or margin is None:
        return None
    return Gap(difference, None if interval is None else (interval[0], interval[1]), margin)


def stated_of(exhibit: Exhibit, judged: PointsJudgement | None) -> tuple[StatedNumber, ...]:
    """The numbers of the caption and the text, beside ours where there are some."""
    if judged is None:
        return tuple(_stated(item, None) for item in exhibit.stated.values())
    return tuple(_stated(result.stated, result) for result in judged.stated)


def _stated(item: Stated, result: StatedResult | None) -> StatedNumber:
    judged = result if result and item.ours else None
    verdict = judged.verdict if judged else {}
    ours = judged.ours if judged else None
    margin = item.ours.margin if item.ours else None
    return StatedNumber(
        text=f"≈ {item.text}" if item.approximate else item.text,
        where=item.where,
        quote=item.quote,
        ours=None if ours is None else f"{ours.mean:.4g} (n = {ours.n})",
        verdict=verdict.get("name"),
        why=str(verdict.get("why", "")),
        gap=_gap(verdict.get("difference"), verdict.get("difference_interval"), margin),
    )
