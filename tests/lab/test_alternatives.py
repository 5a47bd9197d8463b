"""Every alternative that the specs declare changes what is run, or is refused with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from harness.errors import UserError
from harness.lab.models.networks import NETWORKS
from harness.plan.comparable import all_settings, cannot_run
from harness.plan.exhibit import ExhibitPlan, Planner, plan_exhibit
from harness.plan.graph import GraphBuilder
from harness.plan.inputs import Inputs
from harness.plan.library import step_types
from harness.plan.resolver import Resolver, Wanted
from harness.plan.settings import Variation, plain
from harness.plan.step import Step, StepType
from harness.registry import resolve
from harness.run.probe import _other_words, _replaced, probe_of
from harness.spec.exhibit import Address, Exhibit, Table
from harness.spec.kinds import Panelled, kinds
from harness.spec.paper import load_paper
from harness.spec.parts import Profile

PAPER = load_paper(Path(__file__).parents[2] / "specs")
TYPES = step_types(PAPER)
PROFILES = ("paper", "digits")


def tables() -> list[str]:
    return [name for name, exhibit in PAPER.exhibits.items() if isinstance(exhibit, Table)]


def panelled() -> list[str]:
    return [n for n, e in PAPER.exhibits.items() if isinstance(e, Panelled) and e.runnable]


def networks(plan: ExhibitPlan) -> set[str]:
    return named(plan.steps.values())


def named(steps: Iterable[Step]) -> set[str]:
    """The networks that steps name."""
    found: set[Any] = {step.params.get("network", "mlp") for step in steps}
    recipes: list[Any] = [step.params["recipe"] for step in steps if "recipe" in step.params]
    return found | {recipe["teacher"] for recipe in recipes} - {""}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("exhibit", tables())
def test_every_network_of_an_exhibit_exists(exhibit: str, profile: str) -> None:
    assert networks(plan_exhibit(PAPER, exhibit, profile, seeds=1)) <= set(NETWORKS)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("exhibit", panelled())
def test_every_network_of_a_figure_exists(exhibit: str, profile: str) -> None:
    assert networks(plan_exhibit(PAPER, exhibit, profile, seeds=1)) <= set(NETWORKS)


class Case(NamedTuple):
    """An alternative that an exhibit could take under a profile."""

    exhibit: str
    profile: str
    setting: str
    value: str
    """As JSON."""


class Walk(Planner):
    """Plans an exhibit, and each of its items once more with every alternative still untried.

    An item all of whose alternatives have changed an earlier one is not planned at all, and of one
    method one item of each panel or row speaks for the others.
    """

    def __init__(self, exhibit: Exhibit, profile: Profile) -> None:
        super().__init__(PAPER, profile, 1, {}, TYPES)
        self.acts: dict[Case, bool] = {}
        self.why: dict[Case, str] = {}
        self._exhibit = exhibit
        self._varied: dict[Case, Resolver] = {}
        self._tried: set[tuple[Case, str, Any]] = set()
        for _ in resolve(kinds()[exhibit.kind].items)(exhibit, self):
            pass
        self._try_own()

    def item(self, address: Address, variables: Any, **asked: Any) -> Any:
        members = asked.get("members") or (variables,)
        pending = {
            Case(*address[:1], self.profile.id, used.origin, json.dumps(value)): plain(value)
            for used in all_settings(self.ours, members[0], asked.get("own"))
            for value in used.stated.alternatives
        }
        tried = {case: (case, address.row, variables.get("method")) for case in pending}
        pending = {
            case: value
            for case, value in pending.items()
            if not self.acts.get(case) and tried[case] not in self._tried
        }
        self._tried |= {tried[case] for case in pending}
        self.acts |= dict.fromkeys(pending, False)
        read, known = asked["read"], ("read", "runs", "own", "place")
        wanted = Wanted(**{name: asked[name] for name in known if name in asked})
        if pending and not cannot_run(self.ours, members[0], [n for n in read if n in variables]):
            before = [self.ours.measured(each, range(1), wanted) for each in members]
            for case, value in pending.items():
                try:
                    varied = self._resolver(case, value)
                    after = [varied.measured(each, range(1), wanted) for each in members]
                    self.acts[case] = before != after
                except UserError as error:
                    self.why[case] = str(error)
        return NotPlanned(address, {})

    def _resolver(self, case: Case, value: Any) -> Resolver:
        if case not in self._varied:
            builder = GraphBuilder(TYPES, PAPER, Inputs(PAPER.root.resolve().parent))
            self._varied[case] = Resolver(PAPER, self.profile, {case.setting: value}, builder)
        return self._varied[case]

    def _try_own(self) -> None:
        """What no step reads may still choose the points, or how they are read."""
        before = self._outline({})
        for case in [case for case, acts in self.acts.items() if not acts]:
            if case.setting.partition(".")[0] in PAPER.exhibits:
                self.acts[case] = before != self._outline({case.setting: json.loads(case.value)})

    def _outline(self, variation: Variation) -> Any:
        planner = Outline(PAPER, self.profile, 1, variation, TYPES)
        items = tuple(resolve(kinds()[self._exhibit.kind].items)(self._exhibit, planner))
        return ExhibitPlan(self._exhibit, self.profile, items, {}, planner.choices, {}).shown

    @property
    def networks(self) -> set[str]:
        """Those that the steps of the alternatives name."""
        steps = [step for each in self._varied.values() for step in each.builder.steps.values()]
        return named(steps)


class NotPlanned(NamedTuple):
    address: Address
    sources: dict[str, Any]
    comparable: bool = False


class Outline(Planner):
    """Says which items there are, and plans none."""

    def item(self, address: Address, variables: Any, **asked: Any) -> Any:
        return NotPlanned(address, {})


REFUSED = {
    "ca2d.pool=600": "no class of the stand-in has so many images",
    "rded.pool=600": "no class of the stand-in has so many images",
    "d4m.cluster_expansion=10": "the tiny generator of the stand-in has none",
    'd4m.generator_precision="float32"': "the tiny generator of the stand-in works in float32",
    'd4m.prompts="corrected"': "the tiny generator of the stand-in reads no prompts",
    "minimax.ema=0.0": "the tiny generator of the stand-in has none",
    "minimax.guided_channels=4": "the tiny generator of the stand-in has no such channels",
    "minimax.phase_classes=10": "the tiny generator of the stand-in is trained in one phase",
    'datm.source="official-set"': "no released set is imported",
    'dc.source="official-set"': "no released set is imported",
    'dm.source="official-set"': "no released set is imported",
    'tm.source="official-set"': "no released set is imported",
    "dc-loss.runs=1": "the profile has one run anyway",
    "el2n.runs=1": "the profile has one run anyway",
    "el2n.epoch=10": "the reference run of the profile is shorter",
    "large-scale-hl.batch_size=128": "the profile has this size anyway",
    'large-scale-hl.patch_shuffle="none"': "no image of the exhibit has several patches",
    'large-scale-hl.train_resize="none"': "images of one size are cropped as they are",
    "large-scale-sl-kd.teacher": "each panel of Figure 1 names its teacher",
    "figure2.ipc_subsets=[10, 50, 100, 200]": "the profile has these subsets anyway",
    "figure2.adjustment": "Figure 2 prints no coefficient; Figure 3 does",
}
"""Alternatives that some exhibit cannot take under some profile, and why."""


@cache
def walked() -> tuple[Walk, ...]:
    walks = []
    for exhibit, profile in product(PAPER.runnable, PAPER.profiles.values()):
        try:
            walks.append(Walk(PAPER.exhibit(exhibit), profile))
        except UserError as error:
            # Figure 10 shows four images of a class, and the profile has two.
            if (exhibit, profile.id) != ("figure10", "imagenet-mini"):
                raise AssertionError(f"{exhibit} under {profile.id}") from error
    return tuple(walks)


def reason(case: Case) -> str:
    """Why the case is known to change nothing; empty if it should change something."""
    return REFUSED.get(f"{case.setting}={case.value}") or REFUSED.get(case.setting, "")


def test_every_alternative_changes_what_is_run_or_is_known_to_change_nothing() -> None:
    cases = {case: acts for walk in walked() for case, acts in walk.acts.items()}
    idle = [case for case, acts in cases.items() if not acts]
    assert [case for case in idle if not reason(case)] == []
    found = {f"{case.setting}={case.value}" for case in idle} | {case.setting for case in idle}
    assert set(REFUSED) <= found, "a reason that is needed no more"
    settings = {(case.setting, case.value) for case in cases}
    print(f"\n{len(settings)} alternatives, {len(cases)} cases, {len(idle)} of them refused:")
    for (setting, value), count in sorted(Counter((c.setting, c.value) for c in idle).items()):
        print(f"  {count:3} {setting}={value}: {reason(Case('', '', setting, value))}")
    for walk in walked():
        assert walk.networks <= set(NETWORKS)


def test_what_changes_nothing_is_refused_with_the_reason() -> None:
    idle = {}
    for walk in walked():
        cheap = walk.acts if walk.profile.id == "digits" else {}
        idle |= {(c.setting, c.value): c for c, acts in cheap.items() if not acts}
    assert len(idle) > 10
    for case in idle.values():
        with pytest.raises(UserError) as caught:
            plan_exhibit(
                PAPER, case.exhibit, case.profile, 1, {case.setting: json.loads(case.value)}
            )
        wrong = "it would change nothing, since " in str(caught.value)
        assert wrong or "no released set is named" in str(caught.value), case


def counted() -> str:
    """How many alternatives there are, and which of them are refused, as the page has it."""
    cases = {case: acts for walk in walked() for case, acts in walk.acts.items()}
    refused = [case for case, acts in cases.items() if not acts]
    whys: dict[str, list[Case]] = {}
    for case in refused:
        whys.setdefault(reason(case), []).append(case)
    declared = {(case.setting, case.value) for case in cases}
    lines = [
        f"The exhibits' settings have {len(declared)} alternatives. Over all exhibits and profiles",
        f"there are {len(cases)} places for one, and in {len(refused)} of these it is refused,",
        "since it would change nothing:",
        "",
        "| why | alternatives | places |",
        "|---|---:|---:|",
    ]
    for why, found in sorted(whys.items(), key=lambda each: (-len(each[1]), each[0])):
        kinds_of = {(case.setting, case.value) for case in found}
        lines.append(f"| {why} | {len(kinds_of)} | {len(found)} |")
    return "\n".join(lines) + "\n"


def test_the_page_says_how_many_alternatives_there_are_and_why_some_are_refused() -> None:
    page = Path(__file__).parents[2] / "docs" / "recipes.md"
    assert counted() in page.read_text(encoding="utf-8"), f"the page has to say:\n{counted()}"


SAME_NUMBERS = "the step hands it on, and reads nothing of it"
UNPROBED = {
    "precision": "numbers of fewer bits differ between machines",
    "network": "networks are tested by themselves",
    "teacher": "networks are tested by themselves",
    "train_resize": "the images of probes have one size: tests/lab/data/test_published.py",
    "jpeg_quality": "encoders differ between builds of Pillow: tests/lab/coresets/test_files.py",
    "pretrained": "needs the weights of others",
    "generator": "needs the weights of others",
    "autoencoder": "needs the weights of others",
    "negative_prompt": "text for the generators of others",
    "dynamics.patch_shuffle": SAME_NUMBERS,
    "learning_curve.patch_shuffle": SAME_NUMBERS,
    "select_window": "accuracies of eight images tell nothing; the probe of its student does",
    "dynamics.evaluation_epochs": SAME_NUMBERS,
    "student_stored.momentum": "AdamW has none",
    "student_stored.nesterov": "AdamW has none",
    "student_stored.teacher_mode": "the step before asks the teacher",
    "student_stored.teacher_view": "the step before asks the teacher",
    "fit_scaling.d": "a free d lies on a ridge, where the sixth digit is the processor's",
    "fit_scaling_shared.d": "a free d lies on a ridge, where the sixth digit is the processor's",
}
"""Parameters whose values the probes need not have all, by name or by step and name, and why."""


def flat(params: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every parameter but those of data sets, by its dotted name."""
    for name, value in params.items():
        if name == "dataset":
            continue
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def probed(kind: StepType) -> dict[str, list[Any]]:
    """The values of each parameter that some run of the step's probe has."""
    probe = probe_of(kind)
    base = probe.params.model_dump(mode="json")
    runs = [base]
    for change in (*_other_words(probe.params), *probe.variants):
        with suppress(ValidationError):
            made = kind.params.model_validate(_replaced(base, change))
            runs.append(made.model_dump(mode="json"))
    found: dict[str, list[Any]] = {}
    for run in runs:
        for name, value in flat(run):
            found.setdefault(name, []).append(value)
    return found


def alike(value: Any, other: Any) -> bool:
    """Words have to be equal; of a number, only whether it is 0 chooses what is done."""
    if isinstance(value, bool | str):
        return bool(value == other)
    return not isinstance(other, bool | str) and bool(value) == bool(other)


def test_what_the_specs_put_into_a_step_is_probed() -> None:
    """A change of code on the way of an alternative fails a probe, like one on the default's."""
    resolvers = [each for walk in walked() for each in (walk.ours, *walk._varied.values())]
    used: dict[str, dict[str, Any]] = {}
    for step in [step for each in resolvers for step in each.builder.steps.values()]:
        for name, value in flat(step.params):
            used.setdefault(step.name, {})[f"{name}={json.dumps(value)}"] = (name, value)
    missing, excused = [], set()
    for kind in [kind for kind in TYPES.values() if kind.name in used]:
        held = probed(kind)
        for text, (name, value) in used[kind.name].items():
            last = name.rpartition(".")[2]
            if any(alike(value, other) for other in held[name]):
                continue
            known = {last, kind.name, f"{kind.name}.{last}"} & set(UNPROBED)
            excused |= known
            missing += [] if known else [f"{kind.name}: {text}"]
    assert missing == []
    assert excused == set(UNPROBED), "a reason that is needed no more"


SILENT = {
    'feature_statistics "train_resize": "none"': "the images of probes have one size",
    'stitch "train_resize": "none"': "the images of probes have one size",
    'tm_loss "labels": "learned"': "the images of its probe have no labels of their own",
    'tm_loss "t_plus_included": false': "another run of the probe has a start at t_plus",
}
"""Runs of a probe that make the numbers of its first run, and why."""


def test_a_run_of_a_probe_tells_its_alternative_from_the_first_run() -> None:
    held = json.loads((Path(__file__).parents[2] / "harness/lab/probes.json").read_text("utf-8"))
    silent = {
        f"{step} {change}"
        for step, kept in held.items()
        for change, numbers in kept.get("variants", {}).items()
        if numbers == kept["numbers"]
    }
    assert silent == set(SILENT)


def test_what_an_exhibit_does_not_use_is_refused() -> None:
    with pytest.raises(UserError, match="table6 does not use this setting"):
        plan_exhibit(PAPER, "table6", None, 1, {"large-scale-sl-kd.kl_t2": True})
