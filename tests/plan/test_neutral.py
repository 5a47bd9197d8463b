"""Identities do not change when a step learns something new."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.lab.steps import STEPS
from harness.lab.train.student import StudentParams
from harness.lab.train.student import probe_student as student
from harness.plan.identity import identity_of
from harness.plan.step import Neutral, StepParams, StepType, Work


class Inner(StepParams):
    rate: float


class Old(StepParams):
    size: int
    inner: Inner


class NewInner(Inner):
    kind: Annotated[Any, Neutral([1, 2])] = "changed later"


class New(StepParams):
    size: int
    mode: Annotated[str, Neutral("x")] = "x"
    inner: NewInner
    maybe: Annotated[NewInner | None, Neutral(None)] = None


def kind(params: type[StepParams]) -> StepType:
    return StepType(
        name="made",
        params=params,
        function="a:b",
        inputs=(),
        revision=1,
        cost=lambda params, facts: Work(0, 0),
        probe="a:c",
    )


OLD = {"size": 3, "inner": {"rate": 0.5}}
BEFORE = identity_of(kind(Old), OLD, 0, {})


def test_a_new_field_at_its_neutral_value_changes_nothing_at_any_depth() -> None:
    assert kind(New).neutral == {
        "mode": "x",
        "inner.kind": [1, 2],
        "maybe": None,
        "maybe.kind": [1, 2],
    }
    new = {"size": 3, "mode": "x", "inner": {"rate": 0.5, "kind": [1, 2]}, "maybe": None}
    assert identity_of(kind(New), new, 0, {}) == BEFORE
    assert identity_of(kind(Old), new, 0, {}) != BEFORE


def test_a_neutral_value_outlives_the_default() -> None:
    """What the older records were made with is known by the mark, and a new default counts."""
    by_default = New(size=3, inner=NewInner(rate=0.5)).model_dump(mode="json")
    assert identity_of(kind(New), by_default, 0, {}) != BEFORE


@pytest.mark.parametrize(
    "new",
    [
        {"size": 3, "mode": "y", "inner": {"rate": 0.5, "kind": [1, 2]}},
        {"size": 3, "inner": {"rate": 0.6, "kind": [1, 2]}},
        # Only the field of that path is neutral, not one of the same name elsewhere.
        {"size": 3, "kind": [1, 2], "inner": {"rate": 0.5, "kind": [1, 2]}},
    ],
)
def test_any_other_value_counts(new: dict) -> None:
    assert identity_of(kind(New), new, 0, {}) != BEFORE


@given(value=st.one_of(st.none(), st.booleans(), st.integers(), st.just([1, 2])))
def test_a_value_is_neutral_only_if_it_is_the_declared_one(value: object) -> None:
    new = {"size": 3, "inner": {"rate": 0.5, "kind": value}}
    assert (identity_of(kind(New), new, 0, {}) == BEFORE) == (value == [1, 2])


def test_identities_of_fixed_steps_are_pinned() -> None:
    """Made when the recipe had no field of the small scale; a change makes every record stale."""
    types = {step.name: step for step in STEPS}
    params = student().params
    assert isinstance(params, StudentParams)
    found = identity_of(types["student"], params.model_dump(mode="json"), 7, {"images": "a" * 64})
    assert found == "281c3e3bf8dc9e771df86b6ddaf3d02d9139b9cab50c197d9197db379e81fa1a"
