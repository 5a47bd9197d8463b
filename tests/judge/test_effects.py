"""Effects of readings against the default, and readings that scatter more than the others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from benchmarks.rule import flips
from harness.judge.changes import effects
from harness.judge.model import Amount


def amount(*values: float) -> Amount:
    return Amount(values, seeds=tuple(range(len(values))))


def test_one_reading_alone_has_its_paired_test_at_the_stricter_level() -> None:
    default, other = (40.0, 40.4, 39.7, 40.1), (41.0, 41.9, 40.9, 41.2)
    found = effects(amount(*default), {"x": amount(*other)}, 1)["x"]
    expected = ttest_rel(other, default).confidence_interval(0.975)
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_of_many_readings_the_wider_of_both_intervals_counts() -> None:
    """A reading whose own runs happen to agree is no surer than the others let it be."""
    rng = np.random.default_rng(0)
    readings = {k: amount(*(40 + 0.3 * rng.normal(size=3))) for k in range(20)}
    readings[0] = amount(40.5, 40.5, 40.5)
    default = amount(40.0, 40.001, 40.0)
    low, high = effects(default, readings, 20)[0].interval or (0.0, 0.0)
    assert low < 0 < high
    own = 0.5 + np.array([-1, 1]) * t.ppf(1 - 0.0125, 2) * 0.001 / 3
    assert low < own[0] < own[1] < high


def test_what_is_the_same_in_every_run_hides_no_effect_of_others() -> None:
    default, other = amount(40.0, 40.4, 39.7), amount(42.0, 42.5, 41.6)
    same = Amount((41.0,), deterministic=True, seeds=(0,))
    alone = effects(default, {"x": other}, 2)["x"]
    found = effects(default, {"x": other, "same": same}, 2)
    assert alone.shown
    assert found["x"].shown
    expected = ttest_rel([41.0] * 3, default.values).confidence_interval(0.975)
    low, high = found["same"].interval or (0.0, 0.0)
    assert low <= expected.low < expected.high <= high
    mixed = effects(same, {"x": other, "fixed": Amount((43.0,), True, seeds=(0,))}, 2)
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
