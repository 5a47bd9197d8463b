"""Effects of readings against the default, and readings that scatter more than the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from benchmarks.rule import flips
from harness.judge.effects import Effect, Explored, effects
from harness.judge.model import Amount

K = TypeVar("K")


def amount(*values: float) -> Amount:
    return Amount(values, seeds=tuple(range(len(values))))


def of_one(default: Amount, readings: Mapping[K, Amount], tried: int) -> dict[K, Effect]:
    return effects({0: Explored(default, readings)}, tried)[0]


def test_one_reading_alone_has_its_paired_test_at_the_stricter_level() -> None:
    default, other = (40.0, 40.4, 39.7, 40.1), (41.0, 41.9, 40.9, 41.2)
    found = of_one(amount(*default), {"x": amount(*other)}, 1)["x"]
    expected = ttest_rel(other, default).confidence_interval(0.975)
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_of_many_readings_the_wider_of_both_intervals_counts() -> None:
    """A reading whose own runs happen to agree is no surer than the others let it be."""
    rng = np.random.default_rng(0)
    readings = {k: amount(*(40 + 0.3 * rng.normal(size=3))) for k in range(20)}
    readings[0] = amount(40.5, 40.5, 40.5)
    default = amount(40.0, 40.001, 40.0)
    low, high = of_one(default, readings, 20)[0].interval or (0.0, 0.0)
    assert low < 0 < high
    own = 0.5 + np.array([-1, 1]) * t.ppf(1 - 0.0125, 2) * 0.001 / 3
    assert low < own[0] < own[1] < high


def test_what_is_the_same_in_every_run_hides_no_effect_of_others() -> None:
    default, other = amount(40.0, 40.4, 39.7), amount(42.0, 42.5, 41.6)
    same = Amount((41.0,), deterministic=True, seeds=(0,))
    alone = of_one(default, {"x": other}, 2)["x"]
    found = of_one(default, {"x": other, "same": same}, 2)
    assert alone.shown
    assert found["x"].shown
    expected = ttest_rel([41.0] * 3, default.values).confidence_interval(0.975)
    low, high = found["same"].interval or (0.0, 0.0)
    assert low <= expected.low < expected.high <= high
    mixed = of_one(same, {"x": other, "fixed": Amount((43.0,), True, seeds=(0,))}, 2)
    assert mixed["fixed"].interval == (2.0, 2.0)
    low, high = mixed["x"].interval or (0.0, 0.0)
    assert low < other.mean - 41.0 < high


@pytest.mark.parametrize("spread", [2.0, 5.0])
def test_a_reading_that_scatters_more_is_rarely_shown(
    monkeypatch: pytest.MonkeyPatch, spread: float
) -> None:
    """By the pooled scatter alone 7 and 17 % of the trials had an effect shown."""
    monkeypatch.setattr(flips, "TRIALS", 600)
    shown, *_ = flips.rates(20, 1.0, spread)
    assert shown < 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5 - 0.01
    found, *_ = flips.rates(20, 0.0, 1.0, moved=2.0)
    assert found > 0.9


def exhibit(margin: float | None, unit: float = 1.0) -> dict[int, Explored[str]]:
    """Six numbers with one reading each, which moves each by two; the first is in another unit."""
    rng = np.random.default_rng(0)
    runs = 40 + 0.3 * rng.normal(size=(6, 2, 3))
    runs[:, 1] += 2
    runs[0] *= unit
    margins = [margin and margin * unit, *[margin] * 5]
    return {
        number: Explored(amount(*default), {"x": amount(*other)}, margins[number])
        for number, (default, other) in enumerate(runs)
    }


def test_numbers_of_an_exhibit_tell_of_each_others_scatter() -> None:
    """One reading and three seeds leave two degrees of freedom, at 0.05 / 6."""
    alone, shared = (effects(exhibit(margin), 6) for margin in (None, 1.0))
    counts = [sum(each["x"].shown for each in found.values()) for found in (alone, shared)]
    assert counts[0] < counts[1]
    few = {number: each for number, each in exhibit(1.0).items() if number < 2}
    apart = {number: alone[number]["x"].interval for number in few}
    assert {number: each["x"].interval for number, each in effects(few, 6).items()} == apart


def test_scatters_are_compared_in_units_of_the_margins() -> None:
    one, other = (effects(exhibit(1.0, unit), 6) for unit in (1.0, 1000.0))
    assert other[0]["x"].interval == pytest.approx(
        [1000 * end for end in one[0]["x"].interval or ()]
    )
    assert other[5] == {"x": Effect(pytest.approx(one[5]["x"].estimate), other[5]["x"].interval)}
    assert other[5]["x"].interval == pytest.approx(one[5]["x"].interval)


def test_numbers_of_the_same_runs_tell_once_of_their_scatter() -> None:
    numbers = exhibit(1.0)
    twice = numbers | {6 + number: each for number, each in numbers.items()}
    once, both = (effects(each, 6) for each in (numbers, twice))
    assert both == once | {6 + number: each for number, each in once.items()}


@pytest.mark.parametrize("spreads", flips.OF_EXHIBITS.values(), ids=flips.OF_EXHIBITS)
def test_what_changes_nothing_is_rarely_shown_anywhere(
    monkeypatch: pytest.MonkeyPatch, spreads: flips.Spreads
) -> None:
    """On any of six numbers, in 5 % of exhibits at most; what moves one is found more often."""
    monkeypatch.setattr(flips, "TRIALS", 400)
    assert flips.over_exhibits(6, 1, spreads) < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5 - 0.01
    found, alone = (flips.over_exhibits(6, 1, spreads, 1.0, margin) for margin in (1.0, None))
    assert found > alone or spreads.number > 1 or spreads.reading > 1 or spreads.default > 1
