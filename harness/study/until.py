"""Seeds until decided: the next runs are those that are likely to decide most for their time.

Every cell is run up to its first look. Then the cell whose later looks promise most decisions for
the time that they take is run up to its next one, until each is decided or given up. Decisions
are the cell's verdict and its part in every open claim that reads it. A look is
noted before its runs begin, so that one that was cut off is the next to be taken up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.errors import UserError
from harness.judge.exhibit import evidence_on, verdicts_on
from harness.judge.model import CellEvidence, Verdict
from harness.judge.outcomes import KnownNumber, about, judge_claims
from harness.judge.results import ItemResult, collect
from harness.judge.sequential import FUTILE, LOOKS, at_looks, looks_up_to
from harness.judge.verdict import evidence_of
from harness.plan.cost import NOTHING, OVERHEAD_SECONDS, Seconds
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.plan.parts import addresses, closure, exhibit_of
from harness.plan.step import Step
from harness.run.executors import executor_entry
from harness.run.state import failures_behind, lacking
from harness.spec.base import count_seeds
from harness.spec.claims import Claim
from harness.spec.claims import addresses as addresses_of
from harness.spec.parts import Device
from harness.study.exhibits import Request, plan_of
from harness.study.forecast import seconds_of
from harness.study.make import Made, failures, present, probe_changed, run, writable
from harness.study.project import Project
from harness.words import counted

_EVER = 10**6
"""Runs that stand for infinitely many."""
_KNOWN = 3
"""Runs of ours whose spread tells enough to say that no number of them decides a cell."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell after its last look, and what the next one promises."""

    address: str
    looks: tuple[int, ...]
    """Runs of ours at each look that was taken."""
    verdict: str
    why: str
    """Why nothing more is run; empty where something is."""
    next: int | None = None
    """Runs of ours at its next look; None where there is none."""
    chance: float | None = None
    """How likely the later look is to decide it that promises most. None: it has to be looked at
    once before anything can be said."""
    seconds: float = 0.0
    """What the runs up to the next look take, on one of the device."""
    promise: float = 0.0
    """Decisions a second of that later look, by which the next cell is chosen."""
    claims: tuple[str, ...] = ()
    """The open claims that read it, which its runs help to decide."""


@dataclass(frozen=True, slots=True)
class Look:
    """The cells that were looked at together, and what became of the verdicts."""

    runs: Mapping[str, int]
    """Address -> runs of ours."""
    seconds: float
    """What they were expected to take, on one of the device."""
    verdicts: Mapping[str, str]
    """Address -> verdict, of these cells and of all others whose verdict became another one."""


@dataclass(frozen=True, slots=True)
class LooksAhead:
    """The order in which cells would be looked at next, and what it would cost."""

    profile: str
    device: Device
    cells: Sequence[Standing]
    """Those that go on first, in their order."""
    first: Seconds
    """What is left of the first look at every cell."""
    all: Seconds
    """The same, and all further runs of the cells that may go on: the most that it can cost."""


@dataclass(frozen=True)
class MadeUntilDecided(Made):
    """Exhibits to which runs were added until they were decided or given up."""

    looks: Sequence[Look] = ()
    cells: Sequence[Standing] = ()
    """How each cell stands at the end."""


def look_ahead(project: Project, names: Sequence[str], request: Request, most: int) -> LooksAhead:
    """What `until_decided` would do next. Runs nothing and changes nothing.

    Raises:
        UserError: see `until_decided`.
    """
    cells = _Cells.of(project, names, request, most)
    first = cells.first
    standings = sorted(cells.standings(), key=lambda cell: -cell.promise)
    going = {cell.address: most for cell in standings if cell.next and cell.next < most}
    return LooksAhead(
        cells.plan.profile.id,
        cells.plan.profile.device,
        standings,
        cells.left(first),
        cells.left(first | going),
    )


def until_decided(
    project: Project,
    names: Sequence[str],
    request: Request,
    most: int,
    budget: float | None = None,
    executor: str = "local",
    device: str = "auto",
    tell: Callable[[Look], object] = lambda look: None,
) -> MadeUntilDecided:
    """Add runs to cells until each is decided or given up, then judge and render as `make` does.

    Args:
        names: an exhibit, or parts of one.
        most: runs of a cell.
        budget: seconds that all runs may take, as they are forecast for one device.
        tell: is given every look when it was taken.

    Raises:
        UserError: the names are of several exhibits or have no verdicts of their own, a number of
            seeds is asked for, steps would be queued, or the first look is beyond the budget.
    """
    if executor_entry(executor).leaves:
        raise UserError(
            f"--until-decided looks at results between runs, but --executor {executor} leaves "
            "before there are any; use local or inline"
        )
    cells = _Cells.of(project, names, request, most)
    left = math.inf if budget is None else budget
    at, looks, problems = cells.first, list[Look](), list[str]()
    standings: Sequence[Standing] = ()
    probe_changed(project, cells.graph(at))
    if (cost := cells.left(at).mid) > left:
        raise UserError(
            f"--budget: the first look at every cell takes {cost / 3600:.2g} hours of one "
            f"{cells.plan.profile.device}; name a part of the exhibit, or a larger budget"
        )
    while at:
        cost = cells.left(at).mid
        problems += cells.take(at, executor, device)
        before = {cell.address: cell.verdict for cell in standings}
        standings = cells.standings()
        told = {c.address: c.verdict for c in standings if before.get(c.address) != c.verdict}
        told |= {c.address: c.verdict for c in standings if c.address in at}
        looks.append(Look(at, cost, told))
        tell(looks[-1])
        left -= cost
        ahead = [c for c in standings if c.next not in (None, *c.looks) and c.seconds <= left]
        best = max(ahead, key=lambda cell: cell.promise, default=None)
        at = {best.address: best.next} if best and best.next else {}
    why = "its next look is beyond the budget"
    ends = [replace(cell, why=why) if cell.next else cell for cell in standings]
    made = present(project, names, request)
    return MadeUntilDecided(made, problems=problems, looks=looks, cells=ends)


@dataclass(frozen=True)
class _Cells:
    """The cells that runs are added to, within their exhibit."""

    project: Project
    plan: ExhibitPlan
    """Each number with as many seeds as it may have, or has."""
    wanted: Mapping[str, Item]
    """By address, those that can be run."""
    most: int

    @classmethod
    def of(cls, project: Project, names: Sequence[str], request: Request, most: int) -> _Cells:
        exhibits = sorted({exhibit_of(name) for name in names})
        if len(exhibits) > 1 or exhibits == ["all"]:
            raise UserError("--until-decided is of one exhibit or of parts of it, such as table7")
        if request.seeds is not None:
            raise UserError("--until-decided chooses the number of seeds; leave out --seeds")
        plan = plan_of(project, exhibits[0], request, least=most)
        named = addresses(plan, names)
        wanted = {
            str(item.address): item
            for item in plan.items
            if str(item.address) in named
            and item.sources
            and plan.exhibit.reporting_of(item.address.row, item.address.column)
        }
        if not wanted:
            raise UserError(
                f"{', '.join(names)}: no number of it is run and has a verdict of its own, so "
                "there is nothing to decide; leave out --until-decided"
            )
        return cls(project, plan, wanted, most)

    @cached_property
    def first(self) -> dict[str, int]:
        """Address -> runs up to which the cell is run before anything is decided.

        Runs that are there already are looked at too, and a look that was cut off is taken.
        """
        there = {
            str(result.item.address): 1
            + max(map(result.item.seeds.index, result.seeds), default=-1)
            for result in collect(self.plan, self.project.store)
        }
        return {
            address: max(LOOKS[0], there[address], self.project.store.looks.last(item.key))
            for address, item in self.wanted.items()
        }

    def take(self, at: Mapping[str, int], executor: str, device: str) -> list[str]:
        """Note looks, and run cells up to them; what failed, in whole messages."""
        writable(self.project.root)
        for address, runs in at.items():
            self.project.store.looks.add(self.wanted[address].key, [runs])
        graph = self.graph(at)
        asked = tuple(self.wanted[address].first(runs) for address, runs in at.items())
        report = run(self.project, graph, [replace(self.plan, items=asked)], executor, device)
        return [] if report.complete else [failures(report, graph)]

    def graph(self, at: Mapping[str, int]) -> dict[str, Step]:
        """The steps below so many runs of cells."""
        read = {i for address, n in at.items() for i in self.wanted[address].first(n).identities}
        return closure(self.plan.steps, read)

    def left(self, at: Mapping[str, int]) -> Seconds:
        """How long the steps take that so many runs of cells lack."""
        todo = lacking(self.graph(at), self.project.store)
        return sum((self._seconds[identity] for identity in todo), NOTHING)

    @cached_property
    def _seconds(self) -> dict[str, Seconds]:
        return seconds_of(self.project, self.plan.steps, self.plan.profile.device)

    def standings(self) -> list[Standing]:
        """How each cell stands, judged as `repro show` judges it."""
        store, paper = self.project.store, self.project.paper
        items = tuple(item.first(self._runs(item)) for item in self.plan.items)
        shown = replace(self.plan, items=items)
        results = collect(shown, store)
        of = {str(result.item.address): result for result in results}
        ours = {
            address: KnownNumber(result.amount.summary, address, by_seed=result.amount.by_seed)
            for address, result in of.items()
            if result.amount
        }
        claims = about(paper, self.plan.exhibit.id)
        judged = judge_claims(paper, claims, ours, store)
        open_claims = [each.claim for each in judged if each.reproduced.outcome == "undecided"]
        cells = evidence_on(paper, shown, results, store)
        evidence = {cell.address: cell for cell in cells}
        failed = failures_behind(self.plan.steps, store)
        return [
            self._standing(evidence[v.address], v, of[v.address], failed, open_claims)
            for v in verdicts_on(cells, store)
            if v.address in self.wanted
        ]

    def _runs(self, item: Item) -> int:
        """The seeds that count for a number now."""
        last = self.project.store.looks.last(item.key)
        wanted = str(item.address) in self.wanted
        usual = count_seeds(self.plan.profile.usual_seeds(str(item.address)))
        return last if wanted and last else max(last, usual)

    def _standing(
        self,
        cell: CellEvidence,
        verdict: Verdict,
        result: ItemResult,
        failed: Container[str],
        claims: Sequence[Claim],
    ) -> Standing:
        """A cell judged, with the look that comes next if one is worth it.

        Args:
            failed: identities of the steps that failed, or wait for one that did.
            claims: those that are open.
        """
        broken = any(identity in failed for identity in result.missing)
        stands = Standing(cell.address, cell.looks, verdict.name, "")
        after, first = max(cell.looks, default=0), self.first[cell.address]
        if after < first or (result.missing and not broken):
            up_to = max(after, first)
            seconds = self.left({cell.address: up_to}).mid
            return replace(stands, next=up_to, seconds=seconds, promise=math.inf)
        if broken or result.failed:
            return replace(stands, why="a run of it failed")
        if why := _closed(cell, verdict):
            return replace(stands, why=why)
        return self._ahead(stands, cell, verdict, claims)

    def _ahead(
        self, stands: Standing, cell: CellEvidence, verdict: Verdict, claims: Sequence[Claim]
    ) -> Standing:
        """An open cell, with what its later looks promise."""
        evidence, tested = evidence_of(cell), verdict.decision
        later = [n for n in looks_up_to(self.most) if n > max(cell.looks)]
        if evidence is None or tested is None or not later:
            return replace(stands, why=f"it has had its {counted(self.most, 'run')}")
        found = at_looks(evidence, tested, later)
        costs = {n: max(self.left({cell.address: n}).mid, OVERHEAD_SECONDS) for n in later}
        worth = {n: chance / costs[n] for n, chance in found.items() if chance >= FUTILE}
        if not worth:
            ever = at_looks(evidence, tested, [_EVER])
            few = len(cell.values) < _KNOWN or any(p >= FUTILE for p in ever.values())
            looks = f"no look up to {counted(self.most, 'run')}"
            up_to = looks if few else "no number of runs of ours"
            return replace(stands, why=f"{up_to} is likely to decide it")
        best = max(worth, key=lambda n: worth[n])
        reading = [claim for claim in claims if cell.address in addresses_of(claim)]
        shares = sum(1 / len(self.wanted.keys() & set(addresses_of(claim))) for claim in reading)
        return replace(
            stands,
            next=later[0],
            chance=found[best],
            seconds=costs[later[0]],
            promise=worth[best] * (1 + shares),
            claims=tuple(claim.id for claim in reading),
        )


def _closed(cell: CellEvidence, verdict: Verdict) -> str:
    """Why runs are no use to a cell, whatever they would come to; empty where they may be."""
    if verdict.decision is None:
        return f"{verdict.name}, so the first look is the last"
    if verdict.decision.outcome != "inconclusive":
        return "decided"
    if cell.margin is None:
        return "no margin is declared for it"
    if cell.deterministic or len(cell.values) < max(cell.looks):
        return "further seeds give the same run"
    return ""
