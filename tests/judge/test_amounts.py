"""What a quantity of a point comes to over its seeds."""

from __future__ import annotations

from harness.judge.points import _amount
from harness.spec.runs import Quantity

FOUND = {"b": [1.0, 5.0, 3.0], "b_low": [0.5, 4.0, 2.5], "b_high": [1.5, 7.0, 3.5]}


def test_the_ends_hold_the_intervals_of_all_seeds_and_so_their_mean() -> None:
    quantity = Quantity(name="b", of="fit", value="b", low="b_low", high="b_high")
    made = _amount(quantity, lambda reading: list(FOUND[reading.value]))
    assert (made.mean, made.std) == (3.0, 2.0)
    assert (made.low, made.high) == (0.5, 7.0)


def test_without_intervals_there_are_no_ends() -> None:
    made = _amount(Quantity(name="b", of="fit", value="b"), lambda _: [2.0])
    assert (made.values, made.std, made.low, made.high) == ((2.0,), None, None, None)
