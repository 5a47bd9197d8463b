"""A setting that is taken from another follows it, in variations and under profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.plan.exhibit import plan_exhibit
from harness.plan.settings import Used, open_choices, parse_variation, resolve_settings
from harness.spec.paper import load_paper
from harness.spec.toml import SpecError
from tests.plan.test_plan import cell, chain, runs
from tests.toy.paper import Workplace

PAPER = load_paper(Path(__file__).parents[2] / "specs")
KEEP = 'value = 10\nsource = "ours"\nwhy = "Any number would do."\nalternatives = [5]\n'


@pytest.fixture
def shared(place: Workplace) -> Workplace:
    """Faithful takes what it keeps from Assumed, and Flattered takes it from Faithful."""
    place.edit("methods/faithful.toml", KEEP, 'from = "assumed.keep"\n')
    place.edit("methods/flattered.toml", KEEP, 'from = "faithful.keep"\n')
    return place


def used(owner: str, profile: str, **cases: object) -> dict[str, Used]:
    found = resolve_settings(PAPER.owner(owner), PAPER.profile(profile), {}, cases)
    return {each.name.partition(".")[2]: each for each in found}


def test_identities_are_those_of_the_copies(place: Workplace) -> None:
    before = {name: plan_exhibit(place.paper, name).steps for name in ("averaged", "verdicts")}
    alone = runs(
        plan_exhibit(place.paper, "averaged", None, 1, {"faithful.keep": 5}), "Faithful", "Mean"
    )
    place.edit("methods/faithful.toml", KEEP, 'from = "assumed.keep"\n')
    assert before == {name: plan_exhibit(place.paper, name).steps for name in before}
    follows = plan_exhibit(place.paper, "averaged", None, 1, {"assumed.keep": 5})
    assert runs(follows, "Faithful", "Mean") == alone


@pytest.mark.parametrize(
    ("variation", "identity"),
    [
        ({}, "70024b47a1d8e43abc1f509bca04879e853ce2cd2f814605f497ac6dcd8ab1bb"),
        # Before there were references, that of the copy's own variation, `ca2d.window`.
        (
            {"cad-prune.window": 6},
            "e54ce44e63e51ab6620383ba1496bb80ee5768de56bd1a61118780c08ad1874e",
        ),
    ],
)
def test_the_pool_of_ca2d_follows_the_window_of_cad_prune(
    variation: dict[str, object], identity: str
) -> None:
    """Pinned. Change an identity only with the revision of a step that it stands on."""
    plan = plan_exhibit(PAPER, "table7", "digits", 1, variation)
    assert cell(plan, "CA2D", "IPC 10").sources["recipe"] == ((identity,),)


def test_a_variation_is_followed_through_every_reference(shared: Workplace) -> None:
    variation = parse_variation(shared.paper, ["assumed.keep=5"])
    plan = plan_exhibit(shared.paper, "verdicts", None, 1, variation)
    kept = {
        row: chain(plan, runs(plan, row)[0])[1].params["keep"]
        for row in ("Faithful", "Flattered", "Noisy")
    }
    assert kept == {"Faithful": 5, "Flattered": 5, "Noisy": 10}


def test_only_the_one_that_states_it_can_be_varied(shared: Workplace) -> None:
    with pytest.raises(UserError) as caught:
        parse_variation(shared.paper, ["flattered.keep=5"])
    assert str(caught.value) == (
        "--vary 'flattered.keep=5': flattered.keep is taken from assumed.keep; vary that one, and "
        "all that are taken from it follow"
    )
    # A name alone is that of whoever states it: Noisy and Released state theirs.
    with pytest.raises(UserError, match=r"one of assumed\.keep, failing\.keep, noisy\.keep, r"):
        parse_variation(shared.paper, ["keep=5"])


def test_a_circle_is_named_link_by_link(shared: Workplace) -> None:
    shared.edit("methods/assumed.toml", KEEP, 'from = "flattered.keep"\n')
    with pytest.raises(SpecError) as caught:
        shared.paper  # noqa: B018
    line = shared.line("methods/assumed.toml", "from =")
    assert str(caught.value) == (
        f"{shared.specs / 'methods/assumed.toml'}:{line}: settings.keep.from: taken in a circle: "
        "assumed.keep from flattered.keep from faithful.keep from assumed.keep; one of them must "
        "state a value"
    )


def test_what_a_profile_puts_in_place_is_followed_and_the_nearest_counts() -> None:
    ten = {"paper.ipc": 10, "dataset": "digits"}
    iterations = used("dsa", "digits", **ten)["iterations"]
    assert (iterations.value, iterations.overridden) == (15, True)
    assert iterations.name == "dsa.iterations"
    # 10,000 of DATM's whole synthesis, which digits replaces for the path by itself.
    whole = used("datm-path", "digits", **ten)["whole_iterations"]
    assert (whole.origin, whole.stated.value, whole.value) == ("datm.iterations", 10000, 8)
    alone = open_choices([whole, used("datm", "digits", **ten, expert_recipe="")["iterations"]])
    assert [(each.titled, each.used.value) for each in alone] == [
        ("datm-path.whole_iterations", 8),
        ("datm.iterations", 100),
    ]


def test_a_shared_choice_is_listed_once_with_all_who_use_it(shared: Workplace) -> None:
    shared.edit("methods/assumed.toml", "value = 10", 'label = "k"\nvalue = 10')
    cells = plan_exhibit(shared.paper, "verdicts").items
    listed = {each.used.origin: each for each in open_choices(u for c in cells for u in c.settings)}
    assert "faithful.keep" not in listed
    assert listed["assumed.keep"].names == ("faithful.keep", "flattered.keep")
    assert listed["assumed.keep"].titled == "assumed.keep (k); also faithful.keep, flattered.keep"
    assert listed["noisy.keep"].titled == "noisy.keep"
    outcome = shared.repro("assumptions", "verdicts", "--json").json["assumptions"]
    assert [(a["id"], a["label"], a["used_by"]) for a in outcome][:2] == [
        ("assumed.keep", "k", ["faithful.keep", "flattered.keep"]),
        ("noisy.keep", "", ["noisy.keep"]),
    ]
