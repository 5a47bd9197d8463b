"""Planning an exhibit: its items, their steps, and whether they can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import UserError
from harness.plan.comparable import (
    all_settings,
    blaming_the_profile,
    cannot_run,
    difference,
    not_official,
)
from harness.plan.graph import Filled, GraphBuilder
from harness.plan.inputs import Inputs
from harness.plan.item import Item, Sources, key_of
from harness.plan.library import step_types
from harness.plan.resolver import NOTHING_MORE, Place, Resolver, Wanted
from harness.plan.settings import REPLICATE, Used, Variation, plain, replicate_in
from harness.plan.step import Step, StepType
from harness.registry import resolve
from harness.spec.base import Replicate, Seeds, count_seeds, first_seeds
from harness.spec.exhibit import Address, Exhibit, Table
from harness.spec.kinds import kinds
from harness.spec.paper import Owner, Paper
from harness.spec.parts import Profile
from harness.spec.printed import Printed
from harness.spec.runs import Runs


@dataclass(frozen=True)
class ExhibitPlan:
    """An exhibit under a profile."""

    exhibit: Exhibit
    profile: Profile
    items: tuple[Item, ...]
    steps: Mapping[str, Step]
    """Identity -> step, inputs before the steps that read them."""
    choices: Mapping[str, Mapping[str, Any]]
    """Panel -> the exhibit's own settings there. Empty for kinds without panels."""
    partial: Mapping[str, str]
    """Panel -> how its set of points differs from the paper's; empty text where it does not."""

    seeds: int | None = None
    """How many seeds were asked for, where they are others than usual; else None."""

    @property
    def name(self) -> str:
        """What it is run under, in words: the profile, and the seeds where they are not usual."""
        return self.profile.id + (f", seeds: {self.seeds}" if self.seeds else "")

    def chosen(self, panel: str, value: Any) -> Any:
        """A value of a panel; `{name}` stands for the exhibit's setting of that name."""
        if isinstance(value, str) and value.startswith("{"):
            return self.choices[panel][value.strip("{}")]
        return value

    @property
    def shown(self) -> tuple[Mapping[Address, Any], Mapping[str, Any]]:
        """All that its numbers and verdicts depend on: the steps of each item, whether it can be
        compared, and the choices that are used where the steps are read."""
        choices: dict[str, Any] = {}
        for panel, held in self.choices.items():
            text = f"{self.exhibit.readings(panel)}{self.exhibit.stated}"
            choices[panel] = {name: held[name] for name in held if f"'{{{name}}}'" in text}
        return {item.address: (item.sources, item.comparable) for item in self.items}, choices


def plan_exhibit(
    paper: Paper,
    exhibit: str,
    profile: str | None = None,
    seeds: int | None = None,
    variation: Variation | None = None,
    must_act: bool = True,
    least: Callable[[str], int] | None = None,
    gone: bool = False,
) -> ExhibitPlan:
    """Resolve an exhibit into items and steps. Pure: reads specs, touches no data and no store.

    Args:
        profile: name of a profile; the paper's default where None.
        seeds: number of student seeds; the panel's or the profile's where None. Where these list
            theirs, the first of them come first, then the lowest others.
        must_act: whether a variation that changes nothing here is refused.
        least: key of an item -> how many seeds it has at least, where `seeds` is None.
        gone: whether files may be missing that steps read; it cannot be run then.

    Raises:
        UserError: nothing runs for it, something in the specs cannot be resolved, or a variation
            cannot be taken or has no effect here.
    """
    types = step_types(paper)
    planner = Planner(paper, paper.profile(profile), seeds, variation or {}, types, least, gone)
    made = planner.plan(paper.runnable_exhibit(exhibit))
    for name, value in (variation or {}).items():
        used = [used for item in made.items for used in item.settings if used.origin == name]
        _check_taken(name, value, used, planner.profile)
        if must_act and not any(value == plain(each.stated.value) for each in used):
            others = {key: held for key, held in (variation or {}).items() if key != name}
            without = plan_exhibit(paper, exhibit, profile, seeds, others, False, least, gone)
            _check_acts(name, value, made, without)
    return made


MOST_RUNS = 200_000
"""Runs of one exhibit, over its numbers and their seeds."""


class Planner:
    """Makes the items of one exhibit; given to the function that its kind names."""

    def __init__(
        self,
        paper: Paper,
        profile: Profile,
        seeds: int | None,
        variation: Variation,
        types: Mapping[str, StepType],
        least: Callable[[str], int] | None = None,
        gone: bool = False,
    ) -> None:
        as_stated = paper.profile(paper.about.paper_profile)
        inputs = Inputs(paper.root.resolve().parent, gone)
        known: dict[str, Filled] = paper.once("filled templates", lambda paper: {})

        def resolver(under: Profile) -> Resolver:
            return Resolver(paper, under, variation, GraphBuilder(types, paper, inputs, known))

        self.profile = profile
        self.ours = resolver(profile)
        """Resolves under the profile that is run."""
        self.stated = self.ours if profile is as_stated else resolver(as_stated)
        """Resolves as the paper states it, to compare with."""
        self._beside = resolver(profile)
        """Resolves what is read where it is there, and never run."""
        self.choices: dict[str, Mapping[str, Any]] = {}
        self.partial: dict[str, str] = {}
        self.other_seeds = False
        """Whether the seeds that were asked for are others than usual, for any item."""
        self._seeds = seeds
        self._runs = 0
        self._replicate = replicate_in(variation)
        self._least = None if seeds else least

    @property
    def steps(self) -> Mapping[str, Step]:
        """All steps of the items that were made."""
        return self.ours.builder.steps

    def plan(self, exhibit: Exhibit) -> ExhibitPlan:
        """Every item of an exhibit, with the steps that they are read from."""
        items = tuple(resolve(kinds()[exhibit.kind].items)(exhibit, self))
        seeds = self._seeds if self.other_seeds else None
        return ExhibitPlan(
            exhibit, self.profile, items, self.steps, self.choices, self.partial, seeds
        )

    def item(
        self,
        address: Address,
        variables: Mapping[str, Any],
        *,
        read: Sequence[str],
        members: Sequence[Mapping[str, Any]] = (),
        mean_over: str = "",
        runs: Runs = NOTHING_MORE,
        own: Owner | None = None,
        place: Place = (),
        reported: Printed | None = None,
        replicate: Replicate | None = None,
    ) -> Item:
        """One item, with the steps that it is read from.

        Args:
            variables: as the paper has them.
            read: variables that name recipes, whose last steps are read, and ids of steps of
                `runs`.
            members: of a mean, the variables of each run; they differ in `mean_over`.
            runs, own, place: see `Wanted`.
            reported: the printed number.
            replicate: what is done again for each run, where the item says.

        Raises:
            UserError: something in the specs cannot be resolved; the message names the address.
        """
        each = members or (variables,)
        usual = runs.seeds or self.profile.usual_seeds(str(address))
        count = self._seeds or count_seeds(usual)
        self.other_seeds |= count != count_seeds(usual)
        self._count(address, count * len(each))
        by_default = replicate or self.profile.replicate
        again = self._replicate or by_default
        settings = all_settings(self.ours, each[0], own)
        as_stated = again == by_default and not any(used.varied for used in settings)
        sources: Sources = {}
        wanted = Wanted(read, runs, own, place, again)
        reason = cannot_run(self.ours, each[0], [name for name in read if name in variables])
        reason = reason if read else self._nothing_runs(address, as_stated)
        if not reason:
            sources, reason = self._read_from(address, each, usual, count, wanted, settings)
        students: Sources = {}
        if sources and again == "pipeline":
            few, by_seed = first_seeds(usual, count), replace(wanted, replicate="seed")
            students = _sources(self._beside, each, few, by_seed)
        return Item(
            address=address,
            stated=variables,
            run=self._run(each, mean_over),
            settings=tuple(settings),
            seeds=first_seeds(usual, len(next(iter(sources.values()), ()))),
            replicate=again,
            sources=sources,
            students={} if students == sources else students,
            reported=reported,
            comparable=bool(sources) and not reason,
            reason=reason,
            takes_files=as_stated,
        )

    def _nothing_runs(self, address: Address, as_stated: bool) -> str:
        """Why there is nothing of a number for which no step is declared."""
        exhibit = self.ours.paper.exhibits[address.exhibit]
        if not (isinstance(exhibit, Table) and exhibit.evidence):
            return "Nothing is declared that runs for it."
        stated = self.ours.paper.about.paper_profile
        if self.profile.id == stated and as_stated:
            return "The files of its [[evidence]] have no number for it."
        where = "the files of its [[evidence]] count under profile"
        return f"Nothing runs for it; unless varied, {where} {stated}."

    def _count(self, address: Address, runs: int) -> None:
        self._runs += runs
        if self._runs > MOST_RUNS:
            raise UserError(
                f"{address}: with this number, the exhibit asks for more than {MOST_RUNS} runs; "
                "give fewer seeds, or split it"
            )

    def _read_from(
        self,
        address: Address,
        members: Sequence[Mapping[str, Any]],
        usual: Seeds,
        count: int,
        wanted: Wanted,
        settings: Sequence[Used],
    ) -> tuple[Sources, str]:
        """The steps that an item is read from, and why it is not comparable, if so."""
        try:
            if self.ours is self.stated:
                twin = sources = _sources(self.ours, members, first_seeds(usual, count), wanted)
            else:
                twin = _sources(self.stated, members, first_seeds(usual, 1), wanted)
                with blaming_the_profile(self.ours, members[0]):
                    sources = _sources(self.ours, members, first_seeds(usual, count), wanted)
        except UserError as error:
            raise UserError(f"{address}: {error}") from None
        key = key_of(sources, wanted.replicate)
        least = self._least(key) if self._least and not wanted.runs.seeds else 0
        if least > count:
            sources = _sources(self.ours, members, first_seeds(usual, least), wanted)
        same = key == key_of(twin, wanted.replicate)
        reason = "" if same else difference(self.ours, members[0], settings)
        return sources, reason or not_official(self.ours, members[0])

    def _run(self, members: Sequence[Mapping[str, Any]], mean_over: str) -> dict[str, Any]:
        bound = [self.ours.bound(member) for member in members]
        over = {mean_over: [each[mean_over] for each in bound]} if mean_over else {}
        return {**bound[0], **over}


def _sources(
    resolver: Resolver, members: Sequence[Mapping[str, Any]], seeds: Sequence[int], wanted: Wanted
) -> Sources:
    """The steps that are read for each seed, over the members."""
    found = [resolver.measured(member, seeds, wanted) for member in members]
    return {name: tuple(zip(*(member[name] for member in found), strict=True)) for name in found[0]}


def _check_taken(name: str, value: Any, used: Sequence[Used], profile: Profile) -> None:
    """A variation that nothing can take would show the default numbers under its name.

    Raises:
        UserError: it has no effect here.
    """
    found = [each.value for each in used]
    if found and value not in found:
        raise UserError(
            f"--vary {name}={value}: no cell can take it, since it is {found[0]} under profile "
            f"{profile.id}, by the paper or by the profile; `repro assumptions` lists what is open"
        )


def _check_acts(name: str, value: Any, made: ExhibitPlan, without: ExhibitPlan) -> None:
    """What comes of an alternative that changes nothing would be taken for a finding.

    Raises:
        UserError: the plan is the same without it; the message says why.
    """
    if made.shown != without.shown:
        return
    exhibit, profile = made.exhibit.id, made.profile.id
    before = [used.value for item in without.items for used in item.settings if used.origin == name]
    others = f"; `repro assumptions {exhibit}` lists what can be varied"
    if name == REPLICATE:
        why = _why_replicated(made, value)
    elif not before:
        why = f"{exhibit} does not use this setting{others}"
    elif value in before:
        why = f"profile {profile} has this value anyway{others}"
    else:  # which is listed too, since the numbers use it
        why = f"no step of {exhibit} depends on this setting under profile {profile}"
    raise UserError(f"--vary {name}={value}: it would change nothing, since {why}")


def _why_replicated(made: ExhibitPlan, what: Replicate) -> str:
    """Why another thing to be done again for each run changes nothing."""
    runs = max((len(item.seeds) for item in made.items), default=0)
    if runs > 1:
        return f"each run in {made.exhibit.id} is one {what} already"
    if runs:
        return f"each number of {made.exhibit.id} has only one run; ask for several with --seeds"
    return f"nothing of {made.exhibit.id} can be run under profile {made.profile.id}"
