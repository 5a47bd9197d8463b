"""Effects of readings against the default, and readings that scatter more than the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
    """Six numbers with one reading each, which moves each by two; the first is in another unit, and
    the last scatters as twenty of the others do.
    """
    rng = np.random.default_rng(0)
    runs = 40 + 0.3 * rng.normal(size=(6, 2, 3))
    runs[:, 1] += 2
    runs[0] *= unit
    runs[5] *= 20
    margins = [margin and margin * unit, *[margin] * 5]
    return {
        number: Explored(amount(*default), {"x": amount(*other)}, margins[number])
        for number, (default, other) in enumerate(runs)
    }


def widths(found: Mapping[int, Mapping[str, Effect]]) -> list[float]:
    ends = [each["x"].interval or (0.0, 0.0) for each in found.values()]
    return [high - low for low, high in ends]


def test_numbers_of_an_exhibit_tell_of_each_others_scatter() -> None:
    """One reading and three seeds leave two degrees of freedom, at 0.05 / 6."""
    alone, shared = (widths(effects(exhibit(margin), 6)) for margin in (None, 1.0))
    assert shared[5] == alone[5], "one that scatters more keeps its own"
    assert min(now / before for now, before in zip(shared, alone, strict=True)) < 0.7
    few = {number: each for number, each in exhibit(1.0).items() if number < 2}
    assert widths(effects(few, 6)) == alone[:2]
    mixed = exhibit(1.0) | {6: exhibit(None)[1]}
    assert widths(effects(mixed, 6)) == [*shared, alone[1]], "only those with a margin"


def test_scatters_are_compared_in_units_of_the_margins() -> None:
    one, other = (widths(effects(exhibit(1.0, unit), 6)) for unit in (1.0, 1000.0))
    assert other[0] == pytest.approx(1000 * one[0])
    assert other[1:] == pytest.approx(one[1:])


def test_numbers_of_the_same_runs_tell_once_of_their_scatter() -> None:
    numbers = {n: replace(each, runs=f"run {n}") for n, each in exhibit(1.0).items()}
    twice = numbers | {6 + number: each for number, each in numbers.items()}
    once, both = (effects(each, 6) for each in (numbers, twice))
    assert both == once | {6 + number: each for number, each in once.items()}


def test_the_margin_of_another_reading_of_the_same_runs_changes_nothing_for_others() -> None:
    """As an accuracy and as an error, whose variances differ by rounding alone."""
    numbers = {n: replace(each, runs=f"run {n}") for n, each in exhibit(1.0).items()}
    default, reading = (
        amount(*(100 - value for value in each.values))
        for each in (numbers[0].default, numbers[0].readings["x"])
    )
    errors = Explored(default, {"x": reading}, 1.0, "run 0")
    found = effects(numbers | {6: errors}, 6)
    assert {n: found[n] for n in numbers} == effects(numbers, 6)
    assert widths({6: found[6]}) == pytest.approx(widths({0: found[0]}))


def test_rounding_is_no_scatter() -> None:
    """Of 450 items one more is right for every seed, or two: that others would is not shown."""
    default = amount(*(100 * right / 450 for right in (100, 103, 99)))
    for more in (1, 2, 3, 4):
        other = amount(*(100 * (right + more) / 450 for right in (100, 103, 99)))
        assert of_one(default, {"x": other}, 1)["x"].interval is None
        tables = {**exhibit(1.0), 6: Explored(default, {"x": other}, 1.0)}
        assert widths(effects(tables, 6))[:6] == widths(effects(exhibit(1.0), 6))
    same = of_one(amount(40.1 + 0.2), {"x": amount(40.3)}, 1)["x"]
    assert (same.interval, same.shown) == (None, False)
    exact = (Amount((value,), True, seeds=(0,)) for value in (40.1 + 0.2, 40.3))
    assert not of_one(next(exact), {"x": next(exact)}, 1)["x"].shown


def test_a_reading_with_too_few_seeds_takes_no_interval_from_others() -> None:
    default, other = amount(40.0, 40.4, 39.7), amount(42.0, 42.5, 41.6)
    alone = of_one(default, {"x": other}, 2)["x"]
    found = of_one(default, {"x": other, "short": amount(41.0)}, 2)
    assert found["x"] == alone
    assert found["short"].interval is None


@pytest.mark.parametrize("spreads", flips.OF_EXHIBITS.values(), ids=flips.OF_EXHIBITS)
def test_what_changes_nothing_is_rarely_shown_anywhere(
    monkeypatch: pytest.MonkeyPatch, spreads: flips.Spreads
) -> None:
    """On any of six numbers: in 5 % of exhibits, within three standard errors."""
    monkeypatch.setattr(flips, "EXHIBITS", 400)
    assert flips.over_exhibits(6, 1, spreads) < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


@pytest.mark.parametrize("kind", ["alike", "of 4 df"])
def test_what_moves_one_of_many_numbers_is_found_more_often(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(flips, "EXHIBITS", 400)
    spreads = flips.OF_EXHIBITS[kind]
    found, alone = (flips.over_exhibits(6, 1, spreads, 1.0, margin) for margin in (1.0, None))
    assert found > 1.5 * alone


def test_of_many_readings_of_a_default_that_scatters_none_is_shown_too_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the scatter of readings and default together it was 8.4 %."""
    monkeypatch.setattr(flips, "TRIALS", 800)
    shown, *_ = flips.rates(20, 1.0, 5.0, noisy=0)
    assert shown < 0.05 + 2 * (0.05 * 0.95 / 800) ** 0.5
