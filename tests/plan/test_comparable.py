"""Whether a cell may be compared with the printed number, and why not."""

from __future__ import annotations

import pytest

from harness.plan.exhibit import plan_exhibit
from harness.plan.settings import Variation
from harness.spec.toml import SpecError
from tests.toy.paper import Workplace


def reasons(
    place: Workplace, profile: str, variation: Variation | None = None
) -> dict[tuple[str, str], str]:
    """Row and column -> why it is not comparable, of the rows that run."""
    plan = plan_exhibit(place.paper, "verdicts", profile, variation=variation)
    for cell in plan.items:
        assert cell.comparable == (not cell.reason)
    return {cell.address[1:]: cell.reason for cell in plan.items if cell.sources}


def test_what_runs_as_stated_is_comparable(place: Workplace) -> None:
    found = reasons(place, "stated")
    assert {row for (row, _), reason in found.items() if not reason} == {
        "Faithful",
        "Flattered",
        "Noisy",
    }


def test_other_images_than_the_papers_are_not(place: Workplace) -> None:
    assert reasons(place, "stated")["Released", "Large"] == (
        "images are own, the paper evaluated official-set"
    )


def test_a_profile_that_changes_a_variable_is_not_where_it_does(place: Workplace) -> None:
    found = reasons(place, "small")
    assert found["Faithful", "Small"] == "profile small: size 15 instead of 20"
    assert found["Faithful", "Large"] == ""


def test_a_profile_that_overrides_a_setting_is_not(place: Workplace) -> None:
    # The toy's `epochs` enters no step; here it becomes the mean, of which 3 is too much.
    place.edit("recipes/measuring.toml", 'mean = "{truth}"', 'mean = "{recipe.epochs}"')
    place.add(
        "profiles/small.toml",
        '\n[override."measuring.epochs"]\nvalue = 1\nsource = "ours"\nwhy = "Shorter."\n',
    )
    found = reasons(place, "small")
    assert found["Noisy", "Large"] == "profile small: measuring.epochs 1 instead of 3"
    assert found["Noisy", "Small"] == (
        "profile small: size 15 instead of 20, measuring.epochs 1 instead of 3"
    )


def test_a_profile_that_runs_the_same_is_comparable_whatever_its_name(place: Workplace) -> None:
    place.edit("profiles/small.toml", "20 = 15", "20 = 20")
    assert reasons(place, "small") == reasons(place, "stated")


def test_a_data_set_that_is_not_the_official_one_is_not(place: Workplace) -> None:
    place.edit("datasets/numbers.toml", "official = true", "official = false")
    assert reasons(place, "stated")["Noisy", "Small"] == (
        "Numbers is not known to be the official data set"
    )


def test_an_alternative_that_the_papers_words_allow_stays_comparable(place: Workplace) -> None:
    assert reasons(place, "stated", {"noisy.keep": 5}) == reasons(place, "stated")


CHOICE = """
[settings.source]
value = "own"
source = "ours"
why = "The released set has to be downloaded."
alternatives = ["official-set"]
"""


def test_where_a_setting_says_what_the_images_are_it_decides(place: Workplace) -> None:
    place.edit("methods/released.toml", 'here = "own"', 'here = "{source}"')
    place.edit("methods/released.toml", "[settings.keep]", CHOICE + "\n[settings.keep]")
    assert reasons(place, "stated")["Released", "Large"] == (
        "images are own, the paper evaluated official-set"
    )
    varied = reasons(place, "stated", {"released.source": "official-set"})
    assert varied["Released", "Large"] == ""


@pytest.mark.parametrize("values", ["", CHOICE.replace('"own"', '"borrowed"')])
def test_a_setting_that_cannot_say_it_is_a_mistake(place: Workplace, values: str) -> None:
    place.edit("methods/released.toml", 'here = "own"', 'here = "{source}"')
    place.edit("methods/released.toml", "[settings.keep]", values + "\n[settings.keep]")
    with pytest.raises(SpecError, match=r"images.here: '\{source\}' needs a setting of that name"):
        place.paper  # noqa: B018
