"""The step types that a paper names."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.plan.library import own_step_types, step_types
from tests.toy.paper import Workplace
from tests.toy.steps import STEPS


def test_a_paper_names_the_module_that_lists_its_steps(place: Workplace) -> None:
    assert own_step_types(place.paper) == {step.name: step for step in STEPS}
    assert step_types(place.paper).keys() == {"program", *own_step_types(place.paper)}


@pytest.mark.parametrize("module", ["tests.toy.stebs", "tests.toy.functions", "no_such"])
def test_a_module_without_steps_is_told_with_its_line(place: Workplace, module: str) -> None:
    place.edit("paper.toml", "tests.toy.steps", module)
    with pytest.raises(UserError) as caught:
        step_types(place.paper)
    line = place.line("paper.toml", module)
    assert str(caught.value).startswith(f"{place.specs / 'paper.toml'}:{line}: steps: ")
    assert "a tuple STEPS of step types" in str(caught.value)
