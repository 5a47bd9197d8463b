"""Which cells published records are of, so that they can be shown without the paper's own code.

A plan asks that code for the parameters of its steps, and so for their identities. What it found is
published beside the records, under a digest of the specs that it followed from; where the specs
are others now, it says nothing of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.plan.exhibit import ExhibitPlan, Planner
from harness.plan.item import Sources
from harness.plan.resolver import Wanted
from harness.plan.settings import Used
from harness.plan.step import Json, Step, Work
from harness.spec.base import Seeds, identifying
from harness.spec.exhibit import Address
from harness.spec.paper import Paper
from harness.spec.parts import Profile

Members: TypeAlias = "tuple[tuple[str, ...], ...]"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Item(_Closed):
    sources: dict[str, Members]
    reason: str


class _Step(_Closed):
    step: str
    revision: int
    seed: int
    inputs: dict[str, str]


class Answers(_Closed):
    """What is published of one exhibit under one profile."""

    specs: str
    """Digest of the specs that it follows from."""
    items: dict[str, _Item]
    """By address."""
    steps: dict[str, _Step]
    """By identity, inputs before the steps that read them."""


def answer_key(exhibit: str, profile: str) -> str:
    """The name under which answers are published."""
    return f"{exhibit}@{profile}"


def answers_of(paper: Paper, plan: ExhibitPlan) -> Json:
    """Which steps the items of a plan are read from, to be published."""
    found = Answers(
        specs=SpecsDigests(paper).of(plan.exhibit.id),
        items={
            str(item.address): _Item(
                sources=dict(item.sources), reason="" if item.comparable else item.reason
            )
            for item in plan.items
            if item.sources
        },
        steps={
            identity: _Step(
                step=step.name, revision=step.revision, seed=step.seed, inputs=dict(step.inputs)
            )
            for identity, step in plan.steps.items()
        },
    )
    made: Json = found.model_dump(mode="json")
    return made


def count_answered(specs: str, held: Json, has: Callable[[str], bool]) -> int | None:
    """How many numbers of an exhibit have a result, of one run at least; None where some
    had one by other specs, and may have one by these.

    Args:
        specs: the digest of the specs as they are now.
        held: what `answers_of` made; None where there is nothing.
        has: whether there is a record of an identity.
    """
    try:
        answers = Answers.model_validate(held)
    except ValidationError:
        return 0
    count = sum(_has_a_run(item.sources, has) for item in answers.items.values())
    return None if count and answers.specs != specs else count


def _has_a_run(sources: Mapping[str, Members], has: Callable[[str], bool]) -> bool:
    """Whether all is there that one seed is read from."""
    seeds = zip(*sources.values(), strict=False)
    return any(all(has(i) for members in seed for i in members) for seed in seeds)


def plan_answered(paper: Paper, exhibit: str, profile: str, held: Json) -> ExhibitPlan:
    """The plan of an exhibit as far as published answers go. Executes nothing of the paper's.

    Args:
        held: what `answers_of` made; None where nothing is published.

    Raises:
        UserError: nothing is run for the exhibit, or there is no such profile.
    """
    shown = paper.runnable_exhibit(exhibit)
    try:
        answers = None if held is None else Answers.model_validate(held)
    except ValidationError:
        answers = None
    if answers is not None and not _sound(answers):
        answers = None
    stale = answers is not None and answers.specs != SpecsDigests(paper).of(exhibit)
    known = None if stale else answers
    why = "the specs have changed since results were published" if stale else ""
    return _Answered(paper, paper.profile(profile), known, why).plan(shown)


def _sound(answers: Answers) -> bool:
    """Whether every input is of a step that is there, and none needs itself."""
    inputs = {identity: set(step.inputs.values()) for identity, step in answers.steps.items()}
    try:
        return set(TopologicalSorter(inputs).static_order()) == set(inputs)
    except CycleError:
        return False


class _Answered(Planner):
    """Plans with what is published in the place of the paper's code."""

    def __init__(self, paper: Paper, profile: Profile, answers: Answers | None, why: str) -> None:
        super().__init__(paper, profile, None, {}, {})
        self._answers = answers
        self._why = why or "no published result says what it is of"

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        held = self._answers.steps if self._answers else {}
        return {
            identity: Step(
                name=said.step,
                revision=said.revision,
                params={},
                seed=said.seed,
                inputs=said.inputs,
                identity=identity,
                function="",
                work=Work(0.0, 0.0),
            )
            for identity, said in held.items()
        }

    def _read_from(
        self,
        address: Address,
        members: Sequence[Mapping[str, Any]],
        usual: Seeds,
        count: int,
        wanted: Wanted,
        settings: Sequence[Used],
    ) -> tuple[Sources, str]:
        said = self._answers.items.get(str(address)) if self._answers else None
        if said is None or not self._fits(said.sources, wanted.read, count, len(members)):
            return {}, (
                f"No code of the paper was executed, and {self._why}. "
                "`repro trust` lets it be planned."
            )
        return said.sources, said.reason

    def _fits(
        self, sources: Mapping[str, Members], read: Collection[str], count: int, members: int
    ) -> bool:
        """Whether sources are as a plan has them, whoever published them."""
        known = self.steps
        return set(sources) == set(read) and all(
            len(each) >= count  # more where runs were added until it was decided
            and all(len(of) == members and known.keys() >= set(of) for of in each)
            for each in sources.values()
        )


class SpecsDigests:
    """Digests of the specs that the steps of exhibits follow from. Comments do not count, nor what
    is only shown, such as titles."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    def of(self, exhibit: str) -> str:
        """That of one exhibit."""
        own = identifying(self._paper.exhibits[exhibit])
        seeds = [
            [profile.id, address, of]
            for profile in self._paper.profiles.values()
            for address, of in profile.seeds_of.items()
            if address.startswith(f"{exhibit}:")
        ]
        return _digest([self._shared, own, *seeds])

    @cached_property
    def _shared(self) -> str:
        """Of what every exhibit follows from."""
        paper = self._paper
        profiles = {
            name: profile.model_copy(update={"seeds_of": {}})
            for name, profile in paper.profiles.items()
        }
        parts = (paper.methods, paper.recipes, paper.datasets, paper.networks, profiles)
        return _digest(identifying([paper.about, *parts]))


def _digest(stated: Any) -> str:
    return hashlib.sha256(json.dumps(stated, default=str).encode()).hexdigest()
