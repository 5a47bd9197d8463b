"""The models of the pages of a report: immutable, and free of HTML."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from harness.judge.audit.finding import Finding
from harness.judge.model import Picture
from harness.judge.outcomes import Judged, Sentence, by_sentence
from harness.plan.step import Step
from harness.render.figures.model import ImageGrid
from harness.render.report.folder import digest_of
from harness.render.symbols import VERDICTS
from harness.render.table import TableData
from harness.spec.exhibit import Exhibit
from harness.spec.kinds import Parameter
from harness.spec.runs import Panel
from harness.store.published import PublishedRecord
from harness.store.record import Record

MOST_FILTERS = 4
"""Variables that numbers can be filtered by, beside exhibit and verdict."""
UNJUDGED = ("not run", "not comparable")
"""Verdicts that compare nothing with the paper."""


_indented = partial(json.dumps, indent=1, ensure_ascii=True, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class Gap:
    """Ours minus what the paper has, in the unit of the number."""

    difference: float
    interval: tuple[float, float] | None
    """At 95 %; None where nothing is known of the uncertainty."""
    margin: float
    """Differences up to this count as none."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A series of numbers that one run recorded, one for each epoch or iteration."""

    name: str
    run: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run behind a number; without a record of it, only its identity is known."""

    name: str
    """Its name among the runs of the number, such as `seed 0`."""
    identity: str
    values: Mapping[str, Any]
    done: bool


@dataclass(frozen=True)
class StepLine:
    """A step that a number stands on, and its record, which has the provenance."""

    step: Step
    record: Record | None

    @cached_property
    def shown(self) -> str:
        """Digest of all that is shown of it."""
        return digest_of(self.step, self.state, self.provenance)

    @property
    def state(self) -> str:
        if self.record is None:
            return "no record"
        return "published" if isinstance(self.record, PublishedRecord) else "made here"

    @cached_property
    def parameters(self) -> str:
        """As indented JSON."""
        return _indented(self.step.params)

    @cached_property
    def environment(self) -> str:
        """In which it was made, as indented JSON."""
        return _indented(self.record.environment) if self.record else ""

    @property
    def provenance(self) -> tuple[Any, ...]:
        """All that is shown of its record."""
        record = self.record
        return () if record is None else (record.code, record.seconds, dict(record.environment))


@dataclass(frozen=True)
class SettingLine:
    """A hyperparameter of a number."""

    name: str
    listed: str
    """The name that its value goes under."""
    value: str
    source: str
    place: str
    """Where the source states it, or why it was chosen."""

    @cached_property
    def shown(self) -> str:
        return digest_of(self)


class Flip(NamedTuple):
    """A number whose verdict is another one under an alternative."""

    address: str
    change: str
    """Both verdicts, and how sure it is that the alternative makes the difference, in words."""
    confirmed: bool
    """Whether the alternative alone is a flip set."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another value of an assumption, and what it does to the verdicts of an exhibit."""

    value: str
    state: str
    ran: bool
    """How much of it was run, in words, and whether any number has all seeds."""
    flips: tuple[Flip, ...]
    command: str
    """Runs it; empty where it cannot be taken or changes nothing."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A choice that the paper leaves open."""

    name: str
    """`owner.setting` that its value goes under."""
    title: str
    """The same with the paper's symbol, and the names of those that it is taken by."""
    value: str
    source: str
    why: str
    alternatives: tuple[Alternative, ...]

    @property
    def changing(self) -> Literal["", "changes", "flips"]:
        """Whether a verdict changes under an alternative, and whether one is a flip set."""
        found = [flip.confirmed for alternative in self.alternatives for flip in alternative.flips]
        return "flips" if any(found) else "changes" if found else ""

    def of(self, address: str) -> Assumption:
        """The same with what it does to one number only."""
        own = (
            replace(other, flips=tuple(flip for flip in other.flips if flip.address == address))
            for other in self.alternatives
        )
        return replace(self, alternatives=tuple(own))


@dataclass(frozen=True)
class NumberPage:
    """A printed number beside ours, or a point of a figure, and all that it rests on."""

    address: str
    page: str
    """Where its page is, from the root of the site."""
    exhibit: str
    exhibit_label: str
    row: str
    column: str
    facets: Mapping[str, str]
    """Variables that numbers can be filtered by: name -> value, as they are shown."""
    reported: str | None
    reproduced: str | None
    verdict: str | None
    """A key of `symbols.VERDICTS`; None of a point, which is not judged by itself."""
    standing: str
    """A key of `symbols.STANDINGS`; empty of a point."""
    why: str
    flips: tuple[int, ...]
    """Numbers of reported runs under which another verdict would stand."""
    seeds_needed: int | None
    gap: Gap | None
    facts: Mapping[str, str]
    """Further numbers of it."""
    runs: tuple[RunLine, ...]
    curves: tuple[Curve, ...]
    steps: tuple[StepLine, ...]
    settings: tuple[SettingLine, ...]
    command: str
    pictures: tuple[Picture, ...] = ()
    """The images of its first seed, where the exhibit shows images."""

    @cached_property
    def shown(self) -> str:
        """Digest of all that pages show of it."""
        lines = [line.shown for each in (self.steps, self.settings) for line in each]
        images = [(i.width, i.height, sha256(i.pixels).hexdigest()) for i in self.pictures]
        return digest_of(replace(self, steps=(), settings=(), pictures=()), lines, images)


@dataclass(frozen=True, slots=True)
class StatedNumber:
    """A number of a caption or the text, beside ours."""

    id: str
    text: str
    where: str
    quote: str
    ours: str | None
    verdict: str | None
    standing: str
    why: str
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class ExhibitPage:
    """One exhibit."""

    exhibit: Exhibit
    table: TableData | None
    """Printed and reproduced numbers; None for an exhibit that is no table."""
    numbers: tuple[NumberPage, ...]
    stated: tuple[StatedNumber, ...]
    correlations: tuple[str, ...]
    panels: tuple[Panel, ...]
    premises: Mapping[str, str]
    formulas: Mapping[str, str]
    """Name -> LaTeX; of premises, texts with formulas between dollars."""
    parameters: Mapping[str, Parameter]
    assumptions: tuple[Assumption, ...]
    claims: tuple[Judged, ...]
    findings: tuple[Finding, ...]
    grids: tuple[ImageGrid, ...]
    """The images that it shows, made or not."""
    files: tuple[str, ...]
    """Renders that lie in the site's folder for them, by file name."""
    command: str
    problem: str = ""
    """The mistake in a spec because of which it has no results under this profile."""

    @property
    def page(self) -> str:
        return f"exhibits/{self.exhibit.id}.html"

    @property
    def picture(self) -> str:
        """The vector plot, or else the raster one; empty where there is none."""
        found = {name.rpartition(".")[2]: name for name in self.files}
        return found.get("svg") or found.get("png") or ""

    @property
    def shown(self) -> str:
        """Digest of all that its page shows."""
        return digest_of(replace(self, numbers=()), [number.shown for number in self.numbers])

    @property
    def judged(self) -> bool:
        """Whether any of its numbers has a verdict of its own."""
        return any(number.verdict for number in self.numbers)

    @property
    def state(self) -> str:
        """The share of its numbers that have all their runs, in words."""
        can = [number for number in self.numbers if number.runs]
        if not can:
            return "nothing is run for it"
        there = sum(all(run.done for run in number.runs) for number in can)
        return f"{there} of {len(can)}"

    @property
    def verdicts(self) -> Counter[str]:
        """How often each verdict is given, on cells and on stated numbers."""
        judged = [number.verdict for number in self.numbers]
        judged += [item.verdict for item in self.stated]
        return Counter(verdict for verdict in judged if verdict)

    @property
    def compared(self) -> int:
        """How many verdicts rest on a comparison of ours with the paper's."""
        return self.verdicts.total() - sum(map(self.verdicts.__getitem__, UNJUDGED))

    @property
    def has_results(self) -> bool:
        """Whether anything came back for it."""
        return bool(self.compared) or any(r.done for each in self.numbers for r in each.runs)

    @property
    def reach(self) -> float:
        """How far interval plots of this exhibit go on either side of zero."""
        found = [number.gap for number in self.numbers] + [item.gap for item in self.stated]
        gaps = [gap for gap in found if gap]
        ends = [abs(end) for gap in gaps for end in (gap.difference, *(gap.interval or ()))]
        margin = max((gap.margin for gap in gaps), default=1.0)
        return float(min(max([1.5 * margin, *ends]), 4 * margin))


@dataclass(frozen=True, slots=True)
class Ahead:
    """A make that would decide something: of which exhibit, how much, and at what cost."""

    exhibit: Exhibit
    numbers: int
    """Printed numbers that it would compare with ours, of cells, captions and text."""
    sentences: int
    """Sentences about it that are not decided on our numbers."""
    cost: str
    command: str


class Frame(NamedTuple):
    """All of a site that the pages of exhibits and numbers show beside what they are of."""

    title: str
    venue: str
    profile: str
    profile_label: str
    watched: bool


@dataclass(frozen=True, slots=True)
class Site:
    """The whole report."""

    title: str
    authors: tuple[str, ...]
    venue: str
    profile: str
    profile_label: str
    description: str
    exhibits: tuple[ExhibitPage, ...]
    claims: tuple[Judged, ...]
    findings: tuple[Finding, ...]
    ahead: tuple[Ahead, ...] = ()
    """What would decide most for its cost, that first."""
    watched: int = 0
    """How often it was written while somebody watches."""

    @property
    def frame(self) -> Frame:
        return Frame(self.title, self.venue, self.profile, self.profile_label, self.watched > 0)

    @property
    def standings(self) -> Mapping[str, Counter[str]]:
        """How the printed numbers of tables stand, and those of captions and text."""
        cells = (number.standing for number in self.numbers if number.reported)
        stated = (item.standing for page in self.exhibits for item in page.stated)
        return {
            "printed numbers": Counter(filter(None, cells)),
            "numbers in captions and text": Counter(filter(None, stated)),
        }

    @property
    def best_first(self) -> Sequence[ExhibitPage]:
        """The exhibits, those with results first, then those with numbers that are judged."""
        return sorted(self.exhibits, key=lambda page: (not page.has_results, not page.judged))

    @property
    def sentences(self) -> Sequence[Sentence]:
        return by_sentence(self.claims)

    @property
    def numbers(self) -> tuple[NumberPage, ...]:
        return tuple(number for page in self.exhibits for number in page.numbers)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Those that are given anywhere, in the order of their legend."""
        given = sum((page.verdicts for page in self.exhibits), Counter())
        return tuple(name for name in VERDICTS if given[name])

    @property
    def facets(self) -> Mapping[str, Sequence[str]]:
        """The few variables that most numbers can be filtered by: name -> all values."""
        found: dict[str, dict[str, None]] = {}
        carried: Counter[str] = Counter()
        for number in sorted(self.numbers, key=lambda number: not number.verdict):
            carried.update(list(number.facets) if number.verdict else ())
            for name, value in number.facets.items():
                found.setdefault(name, {})[value] = None
        parting = [name for name, values in found.items() if len(values) > 1]
        parting.sort(key=lambda name: (-carried[name], -len(found[name])))
        return {name: sorted(found[name], key=_natural) for name in parting[:MOST_FILTERS]}


def _natural(text: str) -> tuple[bool, float, str]:
    """Numbers by size, before words."""
    number = text.replace(".", "", 1).isdigit()
    return not number, float(text) if number else 0.0, text.casefold()
