"""Identities do not change when a step learns something new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.lab.steps import STEPS
from harness.lab.train.probes import student
from harness.lab.train.steps import StudentParams
from harness.plan.identity import identity_of
from harness.plan.step import StepParams, StepType, Work


def kind(neutral: dict) -> StepType:
    return StepType(
        name="made",
        params=StepParams,
        function="a:b",
        inputs=(),
        revision=1,
        cost=lambda params, facts: Work(0, 0),
        probe="a:c",
        neutral=neutral,
    )


OLD = {"size": 3, "inner": {"rate": 0.5}}


def test_a_new_field_at_its_neutral_value_changes_nothing_at_any_depth() -> None:
    before = identity_of(kind({}), OLD, 0, {})
    new = {"size": 3, "mode": "x", "inner": {"rate": 0.5, "kind": [1, 2]}}
    neutral = {"mode": "x", "inner.kind": [1, 2]}
    assert identity_of(kind(neutral), new, 0, {}) == before
    assert identity_of(kind({}), new, 0, {}) != before


@pytest.mark.parametrize(
    "new",
    [
        {"size": 3, "inner": {"rate": 0.5, "kind": "z"}},
        {"size": 3, "inner": {"rate": 0.6, "kind": "y"}},
        # Only the field of that path is neutral, not one of the same name elsewhere.
        {"size": 3, "kind": "y", "inner": {"rate": 0.5, "kind": "y"}},
    ],
)
def test_any_other_value_counts(new: dict) -> None:
    assert identity_of(kind({"inner.kind": "y"}), new, 0, {}) != identity_of(kind({}), OLD, 0, {})


@given(value=st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)))
def test_a_value_is_neutral_only_if_it_is_the_declared_one(value: object) -> None:
    new = {"size": 3, "inner": {"rate": 0.5, "kind": value}}
    same = identity_of(kind({"inner.kind": "y"}), new, 0, {}) == identity_of(kind({}), OLD, 0, {})
    assert same == (value == "y")


def test_identities_of_fixed_steps_are_pinned() -> None:
    """Made when the recipe had no field of the small scale; a change makes every record stale."""
    types = {step.name: step for step in STEPS}
    params = student().params
    assert isinstance(params, StudentParams)
    found = identity_of(types["student"], params.model_dump(mode="json"), 7, {"images": "a" * 64})
    assert found == "281c3e3bf8dc9e771df86b6ddaf3d02d9139b9cab50c197d9197db379e81fa1a"
