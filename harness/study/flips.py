"""Flip sets: the smallest sets of unstated choices, among those that were run, that turn a verdict.

A set is searched on the profile's seeds, whatever else was run, and confirmed on as many fresh
ones. Only then is it a flip set: what many readings were tried for is held against the luck of the
one that stood out. Its effect is shown on either; on the fresh seeds together with all others that
were run on them. A stated number has no effect of its own. Where every run gives the same number
there is no luck, and it is one at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from harness.judge.exhibit import Judgement
from harness.judge.model import Amount, VerdictName
from harness.plan.changes import Change
from harness.plan.design import Design
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.plan.settings import parse_variation
from harness.spec.base import count_seeds
from harness.study.exhibits import Request, judge, plan_of
from harness.study.explore import designs_of
from harness.study.kept_changes import changes_of
from harness.study.project import Project

if TYPE_CHECKING:
    from harness.judge.effects import Effect

Turn = Literal["turned", "weakened", "settled", "none"]
"""`turned`: from one decided verdict to another; `weakened`: from a decided one to inconclusive;
`settled`: from inconclusive to a decided one; `none`: anything else."""
Standing = Literal["flip set", "to be confirmed", "not confirmed", "effect not shown"]
Choices = tuple[str, ...]
"""`owner.setting=value`, by name; none is the default."""
DECIDED = ("reproduced", "deviates")
_SAID: Mapping[Standing, str] = {
    "flip set": "FLIP SET, confirmed on fresh seeds",
    "to be confirmed": "turns it on the seeds of the search; no flip set before fresh seeds agree",
    "not confirmed": "no flip set: on fresh seeds it is {fresh}, and by default {default}",
    "effect not shown": "no flip set: fresh seeds agree, but neither they nor those of the search "
    "show its effect",
}


@dataclass(frozen=True)
class Reading:
    """A number under other choices than the default ones, which were run with all seeds."""

    choices: Choices
    verdict: VerdictName
    turn: Turn
    effect: Effect | None
    """On the number; None where nothing came back on either side, and for what is no cell."""


@dataclass(frozen=True)
class FlipSet:
    """The smallest choices that turn a verdict."""

    reading: Reading
    standing: Standing
    fresh: VerdictName
    fresh_default: VerdictName
    """The verdicts on the fresh seeds alone."""
    fresh_effect: Effect | None
    """On the fresh seeds alone; None before they were run, and as for a reading."""
    command: str
    """Runs the fresh seeds. Empty for a flip set where they could not disagree, since every run
    gives the same number."""

    @property
    def said(self) -> str:
        """How it stands, in words."""
        if not self.command:
            return "FLIP SET, since every run gives the same number"
        return _SAID[self.standing].format(fresh=self.fresh, default=self.fresh_default)


@dataclass(frozen=True)
class CellFlips:
    """One verdict, and what turns it."""

    address: str
    verdict: VerdictName
    readings: Sequence[Reading]
    """All that were run, the smallest first."""
    sets: Sequence[FlipSet]
    """The smallest that turn the verdict, and smaller ones that fresh seeds did not confirm."""
    untried: Choices
    """Alternatives that have not been run alone with all seeds, and could still turn it."""
    begun: Mapping[str, int]
    """Of these -> how many seeds were run, where it is some."""


@dataclass(frozen=True)
class Flips:
    """The verdicts of an exhibit, and the choices that they rest on."""

    exhibit: str
    profile: str
    seeds: int
    """Of the search; fresh ones are as many after them."""
    tried: int
    """Effects for which the intervals hold together."""
    cells: Sequence[CellFlips]
    left_out: Mapping[str, str]
    """Alternative -> why it cannot be taken here."""


def flips_of(project: Project, exhibit: str, profile: str | None) -> Flips:
    """What turns the verdicts of an exhibit, by the records that there are. Runs nothing.

    Readings are single alternatives and what designs of the exhibit combine. Numbers of which
    nothing was run by default are left out.
    """
    search = _Search(project, exhibit, project.paper.profile(profile).id)
    verdicts = search.judged(()).verdicts
    addresses = [each for each, verdict in verdicts.items() if verdict.name != "not run"]
    found = {address: search.read(address) for address in addresses}
    tried = sum(map(len, found.values()))
    shown = search.effects(found, tried)
    readings = {each: search.readings(each, found[each], shown.get(each, {})) for each in found}
    turned = {
        address: [e.choices for e in own if e.turn == "turned" and search.whole(e.choices, address)]
        for address, own in readings.items()
    }
    again = search.effects(turned, sum(map(len, turned.values())), fresh=True)
    cells = tuple(search.cell(each, readings[each], again.get(each, {})) for each in addresses)
    return Flips(exhibit, search.profile, search.seeds, tried, cells, search.alternatives[1])


@dataclass(frozen=True)
class _Search:
    """An exhibit judged under every reading that has records."""

    project: Project
    exhibit: str
    profile: str
    plans: dict[tuple[Choices, int], ExhibitPlan] = field(default_factory=dict)
    judgements: dict[tuple[Choices, bool], Judgement] = field(default_factory=dict)

    @cached_property
    def seeds(self) -> int:
        stated = count_seeds(self.project.paper.profile(self.profile).seeds)
        # So no design takes back what was confirmed. But one seed has no spread: there designs say.
        return stated if stated > 1 else max([1, *(design.seeds for design in self.designs)])

    @cached_property
    def designs(self) -> list[Design]:
        return designs_of(self.project, self.exhibit, self.profile)

    @cached_property
    def alternatives(self) -> tuple[dict[str, set[str]], dict[str, str]]:
        """Alternative -> the addresses that it touches; and those that cannot be taken, and why."""
        runs = {str(item.address) for item in self.plan(()).items if item.sources}
        known = {text: runs.intersection(change.touches) for text, change in self.changes.items()}
        nothing = "it changes none of the numbers that are asked for"
        left_out = {
            t: self.changes[t].why or nothing for t, touches in known.items() if not touches
        }
        return {text: touches for text, touches in known.items() if touches}, left_out

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        return changes_of(self.project, self.plan(()))

    def plan(self, choices: Choices, seeds: int = 0) -> ExhibitPlan:
        key = choices, seeds or self.seeds
        if key not in self.plans:
            variation = parse_variation(self.project.paper, list(choices))
            asked = Request(self.profile, key[1], variation)
            self.plans[key] = plan_of(self.project, self.exhibit, asked, must_act=False)
        return self.plans[key]

    def judged(self, choices: Choices, fresh: bool = False) -> Judgement:
        """The exhibit under some choices, on the seeds of the search or on fresh ones alone."""
        key = choices, fresh
        if key not in self.judgements:
            planned = self.plan(choices)
            if fresh:
                planned = _after(self.plan(choices, 2 * self.seeds), self.seeds)
            self.judgements[key] = judge(self.project, planned)
        return self.judgements[key]

    def verdict(self, choices: Choices, address: str, fresh: bool = False) -> VerdictName:
        found = self.judged(choices, fresh).verdicts.get(address)
        return found.name if found else "not run"

    def items(self, choices: Choices, address: str) -> list[Item]:
        """The item of a cell; of a stated number, all of the exhibit."""
        items = self.plan(choices).items
        return [item for item in items if str(item.address) == address] or list(items)

    def sources(self, choices: Choices, address: str) -> Any:
        """All that the number depends on."""
        held = [item.sources for item in self.items(choices, address)]
        whole = len(held) > 1
        return held, self.plan(choices).shown[1] if whole else None

    def read(self, address: str) -> list[Choices]:
        """The readings of a number that were run with all seeds, the smallest first.

        Of several that come to the same steps, the smallest stands for all.
        """
        touching = self.touching(address)
        singles: list[Choices] = [(text,) for text in touching]
        combined = [run for design in self.designs for run in design.runs if len(run) > 1]
        narrowed = [self.narrowed(run, touching, address) for run in combined]
        found: list[Choices] = []
        known = [self.sources((), address)]
        for choices in sorted({*singles, *narrowed}, key=lambda each: (len(each), each)):
            if self.ran(choices, address) < self.seeds:
                continue
            sources = self.sources(choices, address)
            if sources not in known:
                known.append(sources)
                found.append(choices)
        return found

    def touching(self, address: str) -> list[str]:
        """The alternatives that may change a number; of a stated one, all of the exhibit."""
        cell = self._is_cell(address)
        return [text for text, at in self.alternatives[0].items() if address in at or not cell]

    def narrowed(self, run: Choices, touching: Sequence[str], address: str) -> Choices:
        """The run without what acts on other numbers alone."""
        part = tuple(text for text in run if text in touching)
        same = self.sources(part, address) == self.sources(run, address)
        return part if same else run

    def ran(self, choices: Choices, address: str) -> int:
        """With how many seeds it was run."""
        has = self.project.store.has
        alone = self.changes.get(choices[0]) if len(choices) == 1 else None
        other = alone.steps.get(address, ()) if alone else ()
        if other and not any(map(has, other)):
            return 0  # told without planning it
        items = [item for item in self.items(choices, address) if item.sources]
        return min((sum(all(map(has, each)) for each in _seeds(item)) for item in items), default=0)

    def effects(
        self, found: Mapping[str, Sequence[Choices]], tried: int, fresh: bool = False
    ) -> dict[str, dict[Choices, Effect]]:
        """Of the readings of each number, where something came back on both sides."""
        from harness.judge.effects import Explored, effects

        numbers = {}
        for address, read in found.items():
            sides = ((each, self.judged(each, fresh)) for each in read)
            amounts = {each: a for each, judged in sides if (a := _amount(judged, address))}
            default = _amount(self.judged((), fresh), address) if amounts else None
            if default:
                margin = self.judged(()).verdicts[address].margin
                runs = self.items((), address)[0].key
                numbers[address] = Explored(default, amounts, margin, runs)
        return effects(numbers, tried)

    def readings(
        self, address: str, read: Sequence[Choices], shown: Mapping[Choices, Effect]
    ) -> list[Reading]:
        before, found = self.verdict((), address), []
        for choices in read:
            after = self.verdict(choices, address)
            found.append(Reading(choices, after, _turn(before, after), shown.get(choices)))
        return found

    def cell(
        self, address: str, readings: Sequence[Reading], again: Mapping[Choices, Effect]
    ) -> CellFlips:
        before = self.verdict((), address)
        ran = {text: self.ran((text,), address) for text in self.touching(address)}
        untried = tuple(text for text, seeds in ran.items() if seeds < self.seeds)
        begun = {text: ran[text] for text in untried if ran[text]}
        sets = self.sets(address, readings, again)
        return CellFlips(address, before, readings, sets, untried, begun)

    def _is_cell(self, address: str) -> bool:
        return any(str(item.address) == address for item in self.plan(()).items)

    def sets(
        self, address: str, readings: Iterable[Reading], again: Mapping[Choices, Effect]
    ) -> list[FlipSet]:
        """Those that turn it, up to the smallest size of which one may stand."""
        found: list[FlipSet] = []
        for reading in (each for each in readings if each.turn == "turned"):
            standing = [s for s in found if s.standing != "not confirmed"]
            if standing and len(reading.choices) > len(standing[0].reading.choices):
                break
            found.append(self.confirmed(address, reading, again.get(reading.choices)))
        return found

    def confirmed(self, address: str, reading: Reading, effect: Effect | None) -> FlipSet:
        """Hold a set against fresh seeds, where they were run and can disagree."""
        choices = reading.choices
        words = ["repro", "make", self.exhibit if not self._is_cell(address) else address]
        words += ["--profile", self.profile, "--seeds", str(2 * self.seeds)]
        command = shlex.join([*words, *(w for text in choices for w in ("--vary", text))])
        before, after = (self.verdict(each, address, fresh=True) for each in ((), choices))
        amounts = (_amount(self.judged(each), address) for each in ((), choices))
        same = all(amount and amount.deterministic for amount in amounts)
        if same and after in ("not run", reading.verdict):
            return FlipSet(reading, "flip set", after, before, effect, "")
        if not self.whole(choices, address):
            return FlipSet(reading, "to be confirmed", after, before, None, command)
        effects = [each for each in (reading.effect, effect) if each]
        shown = not effects or any(each.shown for each in effects)
        standing: Standing = "flip set" if shown else "effect not shown"
        if after != reading.verdict or _turn(before, after) != "turned":
            standing = "not confirmed"
        return FlipSet(reading, standing, after, before, effect, command)

    def whole(self, choices: Choices, address: str) -> bool:
        """Whether all fresh seeds were run, of the default and under the choices."""
        return all(_whole(self.judged(each, fresh=True), address) for each in ((), choices))


def _turn(before: VerdictName, after: VerdictName) -> Turn:
    if before in DECIDED and after in DECIDED and before != after:
        return "turned"
    if before in DECIDED and after == "inconclusive":
        return "weakened"
    return "settled" if before == "inconclusive" and after in DECIDED else "none"


def _after(planned: ExhibitPlan, seeds: int) -> ExhibitPlan:
    """The plan with the later seeds alone."""

    def later(item: Item) -> Item:
        sources = {name: each[seeds:] for name, each in item.sources.items()}
        return replace(item, seeds=item.seeds[seeds:], sources=sources, takes_files=False)

    return replace(planned, items=tuple(map(later, planned.items)))


def _seeds(item: Item) -> Iterator[list[str]]:
    """The steps that each seed of an item is read from."""
    for seed in zip(*item.sources.values(), strict=True):
        yield [identity for members in seed for identity in members]


def _amount(judgement: Judgement, address: str) -> Amount | None:
    results = {str(result.item.address): result for result in judgement.results}
    return results[address].amount if address in results else None


def _whole(judgement: Judgement, address: str) -> bool:
    results = [r for r in judgement.results if str(r.item.address) == address]
    return all(result.complete for result in results or judgement.results if result.item.sources)
