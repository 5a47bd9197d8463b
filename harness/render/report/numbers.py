"""Every number of an exhibit with the runs, curves and provenance behind it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from harness.errors import EvidenceError
from harness.judge.exhibit import Judgement
from harness.judge.model import Interval, Verdict
from harness.judge.results import ItemResult
from harness.judge.stated import StatedResult
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.plan.parts import closure
from harness.plan.settings import Used
from harness.render.report.pages import (
    Curve,
    Gap,
    NumberPage,
    RunLine,
    SettingLine,
    StatedNumber,
    StepLine,
)
from harness.render.text import plain
from harness.render.views.base import ExhibitView
from harness.spec.exhibit import Exhibit, Stated
from harness.spec.paper import Paper
from harness.store.record import Record
from harness.store.store import Store

_UNSAFE = re.compile(r"[^a-z0-9]+")


def numbers_of(
    view: ExhibitView[Any], judgement: Judgement, store: Store
) -> tuple[NumberPage, ...]:
    """The items of an exhibit, in the order of its plan."""
    lines = _Lines(judgement.plan, store)
    return tuple(
        _number(view, judgement, result, page, lines)
        for result, page in zip(judgement.results, _pages(judgement.plan.items), strict=True)
    )


class _Lines:
    """Steps and settings as the pages show them; the numbers of an exhibit share most of both."""

    def __init__(self, plan: ExhibitPlan, store: Store) -> None:
        self.step = cache(lambda identity: StepLine(plan.steps[identity], store.get(identity)))
        each = {id(used): used for item in plan.items for used in item.settings}
        self._settings = {place: _setting(used) for place, used in each.items()}

    def settings(self, item: Item) -> tuple[SettingLine, ...]:
        return tuple(self._settings[id(used)] for used in item.settings)


def _setting(used: Used) -> SettingLine:
    choice = used.choice
    place = choice.place or choice.why
    return SettingLine(used.titled, used.listed, str(used.value), choice.source, place)


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


def _number(
    view: ExhibitView[Any], judgement: Judgement, result: ItemResult, page: str, lines: _Lines
) -> NumberPage:
    item, verdict, text = result.item, judgement.verdict(result), view.number(result, judgement)
    steps = tuple(map(lines.step, closure(judgement.plan.steps, item.identities)))
    records = {line.step.identity: line.record for line in steps}
    command = ("repro", "make", str(item.address), "--profile", judgement.plan.profile.id)
    return NumberPage(
        address=str(item.address),
        page=page,
        exhibit=item.address.exhibit,
        exhibit_label=view.exhibit.label,
        row=item.address.row,
        column=item.address.column,
        facets=_facets(view.paper, item.stated),
        reported=item.reported.text if item.reported else None,
        reproduced=text.reproduced,
        verdict=verdict.name if verdict else None,
        standing=_standing(verdict) if verdict else "",
        why=text.why,
        flips=verdict.flips if verdict else (),
        seeds_needed=verdict.seeds_needed if verdict else None,
        gap=_gap(verdict.difference, verdict.interval, verdict.margin) if verdict else None,
        facts=text.facts,
        runs=tuple(_run(name, identity, records[identity]) for name, identity in text.runs),
        curves=tuple(
            curve
            for name, identity in text.runs
            if (record := records[identity])
            for curve in _curves(name, record)
        ),
        steps=steps,
        settings=lines.settings(item),
        command=shlex.join(command) if item.identities else "",
        pictures=result.pictures,
    )


def _run(name: str, identity: str, record: Record | None) -> RunLine:
    values = record.values if record else {}
    numbers = {key: value for key, value in values.items() if isinstance(value, int | float)}
    return RunLine(name, identity, numbers, record is not None)


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
    return {
        plain(paper.word(name)): plain(paper.label(name, value))
        for name in paper.about.variables
        if (value := variables.get(name)) is not None
    }


def _gap(difference: float | None, interval: Interval | None, margin: float | None) -> Gap | None:
    if difference is None or margin is None:
        return None
    return Gap(difference, interval, margin)


def stated_of(exhibit: Exhibit, judgement: Judgement | None) -> tuple[StatedNumber, ...]:
    """The numbers of the caption and the text, beside ours where there are some."""
    found = {result.id: result for result in judgement.stated} if judgement else {}
    return tuple(_stated(key, item, found.get(key)) for key, item in exhibit.stated.items())


def _standing(verdict: Verdict) -> str:
    if verdict.name != "inconclusive":
        return verdict.name
    return "differs" if verdict.decision and verdict.decision.size_open else "open"


def _stated(key: str, item: Stated, result: StatedResult | None) -> StatedNumber:
    judged = result if result and item.ours else None
    verdict = judged.verdict if judged else None
    ours = judged.ours if judged else None
    margin = item.ours.margin if item.ours else None
    return StatedNumber(
        id=key,
        text=f"≈ {item.text}" if item.approximate else str(item.text),
        where=item.where,
        quote=item.quote,
        ours=None if ours is None else f"{ours.mean:.4g} (n = {ours.n})",
        verdict=verdict.name if verdict else None,
        standing=_standing(verdict) if verdict else "",
        why=verdict.why if verdict else "",
        gap=_gap(verdict.difference, verdict.interval, margin) if verdict else None,
    )
