"""Forecasts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plan.cells import plan_exhibit
from harness.plan.cost import EFFECTIVE_FLOPS, NOTHING, OVERHEAD_SECONDS, Seconds, forecast
from harness.plan.step import Step, Work
from tests.toy.paper import Workplace

STEP = Step("draw", 1, {}, 0, {}, "0", "f", Work(samples=1.0, flops=1e12))


def work_of(step: Step, flops: float) -> Step:
    return replace(step, work=Work(1.0, flops))


@given(flops=st.floats(1e6, 1e18), factor=st.floats(1.0, 1e3))
def test_beyond_the_overhead_a_forecast_is_proportional_to_the_work(
    flops: float, factor: float
) -> None:
    once = forecast(work_of(STEP, flops), "a100", {})
    more = forecast(work_of(STEP, factor * flops), "a100", {})
    for a, b in ((once.low, more.low), (once.mid, more.mid), (once.high, more.high)):
        assert b - OVERHEAD_SECONDS == pytest.approx(factor * (a - OVERHEAD_SECONDS), rel=1e-6)
    assert once.low < once.mid < once.high


def test_the_middle_is_the_work_over_the_rate_of_the_device() -> None:
    for device, rate in EFFECTIVE_FLOPS.items():
        expected = OVERHEAD_SECONDS + 1e12 / rate
        assert forecast(STEP, device, {}).mid == pytest.approx(expected)
    hours = [forecast(STEP, device, {}).mid for device in ("h200", "a100", "cpu")]
    assert hours == sorted(hours)


def test_past_records_of_the_step_replace_the_rate() -> None:
    # Seconds for each operation; the middle half of 1..9 is 3..7.
    past = {"draw": [n * 1e-12 for n in (9, 1, 8, 2, 7, 3, 6, 4, 5)], "other": [1.0] * 9}
    seconds = forecast(STEP, "cpu", past)
    expected = [OVERHEAD_SECONDS + n for n in (3, 5, 7)]
    assert [seconds.low, seconds.mid, seconds.high] == pytest.approx(expected)


def test_one_or_two_past_records_say_nothing_of_their_spread() -> None:
    assert forecast(STEP, "cpu", {"draw": [1.0, 1.0]}) == forecast(STEP, "cpu", {})


def test_forecasts_add_up() -> None:
    parts = [Seconds(1, 2, 3), Seconds(10, 20, 30)]
    assert sum(parts, NOTHING) == Seconds(11, 22, 33)


def test_the_work_of_a_step_is_the_formula_of_its_type_at_its_own_size(place: Workplace) -> None:
    """The toy draws n numbers at ten operations each, as its step library says."""
    plan = plan_exhibit(place.paper, "verdicts")
    drawn = [step for step in plan.steps.values() if step.name == "draw"]
    assert {step.params["count"]: step.work.flops for step in drawn} == {20: 200.0, 40: 400.0}


def test_convolutions_cost_in_proportion_to_the_number_of_pixels(place: Workplace) -> None:
    place.edit("models/none.toml", "forward_flops = 1.0", "forward_flops = 100.0")
    place.edit("models/none.toml", "resolution = 1", "resolution = 8")
    paper = place.paper
    assert paper.forward_flops("none", 8) == 100.0
    assert paper.forward_flops("none", 16) == 400.0
