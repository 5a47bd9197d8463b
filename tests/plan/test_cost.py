"""Forecasts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plan.cost import NOTHING, OVERHEAD_SECONDS, RATES, Past, Seconds, forecast
from harness.plan.exhibit import plan_exhibit
from harness.plan.step import Step, Work
from harness.spec.parts import Device
from tests.toy.paper import Workplace

STEP = Step("draw", 1, {}, 0, {}, "0", "f", Work(samples=1.0, flops=1e12))


def work_of(flops: float, **fields: float) -> Step:
    return replace(STEP, work=Work(1.0, flops, **fields))


def middle(step: Step, device: Device = "cpu") -> float:
    return forecast(step, device, {}).mid - OVERHEAD_SECONDS


@given(flops=st.floats(1e6, 1e18), factor=st.floats(1.0, 1e3))
def test_beyond_the_overhead_a_forecast_is_proportional_to_the_work(
    flops: float, factor: float
) -> None:
    once = forecast(work_of(flops), "a100", {})
    more = forecast(work_of(factor * flops), "a100", {})
    for a, b in ((once.low, more.low), (once.mid, more.mid), (once.high, more.high)):
        assert b - OVERHEAD_SECONDS == pytest.approx(factor * (a - OVERHEAD_SECONDS), rel=1e-6)
    assert once.low < once.mid < once.high


def test_operations_in_sixteen_bits_are_faster_on_a_processor() -> None:
    rate = RATES["cpu"]
    assert middle(work_of(1e12)) == pytest.approx(rate.example + 1e12 / rate.whole)
    assert middle(work_of(1e12, half=1e12)) == pytest.approx(rate.example + 1e12 / rate.half)
    assert middle(work_of(1e12, half=4e11)) == pytest.approx(
        rate.example + 6e11 / rate.whole + 4e11 / rate.half
    )


def test_each_example_costs_its_calls_and_other_work_its_seconds() -> None:
    small = replace(STEP, work=Work(samples=1e6, flops=1e6))
    assert middle(small) == pytest.approx(1e6 * RATES["cpu"].example, rel=1e-3)
    assert middle(work_of(0.0, seconds=40.0)) == pytest.approx(40.0, rel=1e-3)


def test_faster_devices_are_forecast_to_be_faster() -> None:
    hours = [middle(STEP, device) for device in ("h200", "a100", "cpu")]
    assert hours == sorted(hours)


def runs(*seconds: float, flops: float = 1e12) -> list[Past]:
    return [Past(flops, each) for each in seconds]


def test_past_runs_of_the_step_replace_the_rate() -> None:
    # The middle half of 1..9 is 3..7.
    past = {"draw": runs(9, 1, 8, 2, 7, 3, 6, 4, 5), "other": runs(*[1.0] * 9)}
    seconds = forecast(STEP, "cpu", past)
    expected = [OVERHEAD_SECONDS + n for n in (3, 5, 7)]
    assert [seconds.low, seconds.mid, seconds.high] == pytest.approx(expected)
    half_as_much = forecast(work_of(5e11), "cpu", past)
    assert half_as_much.mid - OVERHEAD_SECONDS == pytest.approx(2.5)


def test_one_or_two_past_runs_say_nothing_of_their_spread() -> None:
    assert forecast(STEP, "cpu", {"draw": runs(1, 1)}) == forecast(STEP, "cpu", {})


def test_runs_that_did_much_less_or_more_say_nothing_of_this_one() -> None:
    """A network of digits has not the rate of one of CIFAR-100."""
    for flops in (4e11, 2.1e12):
        past = {"draw": runs(*[100.0] * 9, flops=flops)}
        assert forecast(STEP, "cpu", past) == forecast(STEP, "cpu", {})


def test_work_adds_up() -> None:
    both = Work(1, 10, half=4) + Work(2, 20, seconds=3)
    assert both == Work(3, 30, half=4, seconds=3)


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
