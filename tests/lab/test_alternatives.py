"""Every alternative that the specs declare can be planned, and asks for networks that exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.lab.models.networks import NETWORKS
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.spec.exhibit import Table
from harness.spec.others import Panelled
from harness.spec.paper import load_paper

PAPER = load_paper(Path(__file__).parents[2] / "specs")
PROFILES = ("paper", "digits")


def tables() -> list[str]:
    return [name for name, exhibit in PAPER.exhibits.items() if isinstance(exhibit, Table)]


def panelled() -> list[str]:
    return [n for n, e in PAPER.exhibits.items() if isinstance(e, Panelled) and e.runnable]


def declared(plan: ExhibitPlan) -> Iterator[tuple[str, Any]]:
    """Setting and alternative, of all that the cells or the points of a plan use."""
    for item in plan.items:
        for used in item.settings:
            for value in used.stated.alternatives:
                # A released set is named by its fingerprint, once somebody has downloaded it.
                if value != "official-set":
                    yield used.origin, list(value) if isinstance(value, tuple) else value


def networks(plan: ExhibitPlan) -> set[str]:
    named = {step.params.get("network", "mlp") for step in plan.steps.values()}
    recipes = [step.params["recipe"] for step in plan.steps.values() if "recipe" in step.params]
    return named | {recipe["teacher"] for recipe in recipes} - {""}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("exhibit", tables())
def test_every_network_of_an_exhibit_exists(exhibit: str, profile: str) -> None:
    assert networks(plan_exhibit(PAPER, exhibit, profile, seeds=1)) <= set(NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_every_declared_alternative_can_be_planned(profile: str) -> None:
    tried: set[str] = set()
    for exhibit in tables():
        for name, value in declared(plan_exhibit(PAPER, exhibit, profile, seeds=1)):
            case = f"{name}={value}"
            if case not in tried:
                varied = plan_exhibit(PAPER, exhibit, profile, seeds=1, variation={name: value})
                assert networks(varied) <= set(NETWORKS), case
                tried.add(case)
    assert {"small-scale-hl.zca=True", "small-scale-hl.momentum=0.0"} <= tried


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("exhibit", panelled())
def test_every_network_of_a_figure_exists(exhibit: str, profile: str) -> None:
    assert networks(plan_exhibit(PAPER, exhibit, profile, seeds=1)) <= set(NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("exhibit", panelled())
def test_every_alternative_of_a_figure_can_be_planned(exhibit: str) -> None:
    cases = {(name, str(v)): v for name, v in declared(plan_exhibit(PAPER, exhibit, "paper", 1))}
    assert cases
    for (name, _), value in cases.items():
        varied = plan_exhibit(PAPER, exhibit, "paper", seeds=1, variation={name: value})
        assert networks(varied) <= set(NETWORKS), f"{name}={value}"
