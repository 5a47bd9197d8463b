"""Filling in templates."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plan.expressions import Unfilled, fill

VARIABLES = {
    "ipc": 10,
    "dataset": {"name": "d", "classes": 100, "size": {"train": 3}},
    "flag": True,
}
NUMBERS = st.lists(st.integers(1, 50), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{ipc}", 10),
        ("{flag}", True),
        ("{dataset}", VARIABLES["dataset"]),
        ("{dataset.classes}", 100),
        ("{dataset.size.train}", 3),
        ("plain", "plain"),
        ("{ipc} images", "10 images"),
        (7, 7),
        (["{ipc}", ["{flag}"]], [10, [True]]),
        ({"a": {"b": "{ipc}"}}, {"a": {"b": 10}}),
        ({"product": ["{ipc}", "{dataset.classes}", 2]}, 2000),
        ({"rounded_ratio": ["{dataset.classes}", 3]}, 33),
        ({"max": [8, {"rounded_ratio": [{"product": ["{ipc}", 3]}, 2]}]}, 15),
        # Two keys are a table of parameters, whatever their names.
        ({"min": [1], "max": [2]}, {"min": [1], "max": [2]}),
    ],
)
def test_references_and_functions(template: Any, filled: Any) -> None:
    value = fill(template, VARIABLES)
    assert value == filled
    assert type(value) is type(filled)


@given(numbers=NUMBERS)
def test_functions_of_numbers(numbers: list[int]) -> None:
    assert fill({"product": numbers}, {}) == math.prod(numbers)
    assert fill({"min": numbers}, {}) == sorted(numbers)[0]
    assert fill({"max": numbers}, {}) == sorted(numbers)[-1]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{ipcs}", r"unknown variable '\{ipcs\}'; known here: dataset, flag, ipc"),
        ("{classes}", r"unknown variable '\{classes\}'; did you mean '\{dataset.classes\}'\?"),
        ("{dataset.clases}", r"'\{dataset\.clases\}': 'dataset' has no field 'clases'"),
        ("{ipc.field}", "'ipc' has no field 'field'"),
        ({"product": "{ipc}"}, "'product' takes a list of numbers, found 10"),
        ({"max": ["{dataset.name}", 1]}, r"'max' takes a list of numbers, found \['d', 1\]"),
        ({"min": []}, "'min' takes a list of numbers"),
        ({"rounded_ratio": [1]}, "'rounded_ratio' takes two numbers"),
        ({"rounded_ratio": [1, 2, 3]}, "'rounded_ratio' takes two numbers"),
        ({"rounded_ratio": [1, 0]}, "'rounded_ratio' takes two numbers"),
    ],
)
def test_what_cannot_be_filled_is_told(template: Any, says: str) -> None:
    with pytest.raises(Unfilled, match=says):
        fill(template, VARIABLES)
