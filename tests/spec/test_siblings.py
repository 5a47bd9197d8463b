"""Recipes of one scale declare the same open choices, or say why one of them has none."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from harness.spec.paper import load_paper
from harness.spec.parts import Recipe

PAPER = load_paper(Path(__file__).parents[2] / "specs")
# A recipe that the paper evaluates by follows somebody's; the others are runs of ours.
EVALUATED = sorted((r for r in PAPER.recipes.values() if r.follows), key=lambda r: r.scale)
FAMILIES = {scale: list(family) for scale, family in groupby(EVALUATED, lambda r: r.scale)}


def open_choices(recipe: Recipe) -> set[str]:
    """What the paper does not state, or not in every case."""
    return {
        name
        for name, setting in recipe.settings.items()
        if any(choice.source != "paper" for choice in setting.choices)
    }


@pytest.mark.parametrize("scale", sorted(FAMILIES))
def test_what_one_recipe_leaves_open_the_others_declare_or_say_why_not(scale: str) -> None:
    family = FAMILIES[scale]
    assert len(family) >= 2
    asked = set().union(*map(open_choices, family))
    for recipe in family:
        lacked = {name for lacks in recipe.lacks for name in lacks.settings}
        assert asked - set(recipe.settings) - lacked == set(), recipe.id
        assert lacked & set(recipe.settings) == set(), recipe.id
        assert lacked <= set().union(*(other.settings for other in family)), recipe.id
