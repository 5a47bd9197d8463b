"""Changes between two sets of runs: what a published test says of each, and of many at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ttest_ind, ttest_rel

from harness.judge.changes import Change
from harness.judge.changes import changes as by_seed
from harness.judge.sample import pairs_of


def changes(a: dict[str, list[float]], b: dict[str, list[float]]) -> tuple[Change, ...]:
    """Of runs that share no seed."""
    return by_seed(
        {name: dict(enumerate(values)) for name, values in a.items()},
        {name: dict(enumerate(values, start=100)) for name, values in b.items()},
    )


def test_each_kind_has_its_name() -> None:
    a = {"same": [1.0, 2.0], "moved": [1.0, 1.1, 0.9], "lone": [1.0], "gone": [3.0], "never": []}
    b = {"same": [1.0, 2.0], "moved": [9.0, 9.1, 8.9], "lone": [2.0], "new": [3.0]}
    kinds = {item.name: item.kind for item in changes(a, b)}
    assert kinds == {
        "same": "equal",
        "moved": "changed",
        "lone": "single runs",
        "gone": "only in A",
        "new": "only in B",
    }


def test_the_tests_are_scipys_with_false_discovery_control_over_all() -> None:
    draw = np.random.default_rng(0)
    a = {f"n{i}": list(draw.normal(0, 1, 4)) for i in range(12)}
    b = {f"n{i}": list(draw.normal(0.5 * i, 1.5, 4)) for i in range(12)}
    found = changes(a, b)
    raw = [ttest_ind(b[name], a[name], equal_var=False) for name in a]
    adjusted = false_discovery_control([test.pvalue for test in raw])
    for item, test, p in zip(found, raw, adjusted, strict=True):
        assert item.p_adjusted == pytest.approx(p)
        assert item.interval == pytest.approx(tuple(test.confidence_interval()))
        assert item.kind == ("changed" if p < 0.05 else "not told apart")
    assert {item.kind for item in found} == {"changed", "not told apart"}


def test_exchanged_sides_change_signs_only() -> None:
    a, b = {"x": [1.0, 2.0, 4.0]}, {"x": [2.0, 2.5, 7.0]}
    (there,), (back,) = changes(a, b), changes(b, a)
    assert there.difference == pytest.approx(-back.difference)  # type: ignore[operator]
    assert there.p_adjusted == pytest.approx(back.p_adjusted)


def test_runs_that_share_seeds_are_compared_as_pairs() -> None:
    """What the pairs have in common drops out; scipy's test for related samples is the oracle."""
    draw = np.random.default_rng(1)
    common = draw.normal(40, 1, 5)
    one, other = common + draw.normal(0, 0.1, 5), common + 0.5 + draw.normal(0, 0.1, 5)
    a = {"x": dict(enumerate(one.tolist()))}
    (pairs,) = by_seed(a, {"x": dict(enumerate(other.tolist()))})
    (apart,) = by_seed(a, {"x": dict(enumerate(other.tolist(), start=5))})
    assert (pairs.kind, pairs.paired) == ("changed", True)
    assert (apart.kind, apart.paired) == ("not told apart", False)
    assert pairs.p_adjusted == pytest.approx(ttest_rel(other, one).pvalue)
    assert apart.p_adjusted == pytest.approx(ttest_ind(other, one, equal_var=False).pvalue)


def test_a_difference_of_pairs_says_of_how_many_it_is() -> None:
    three = {0: 2.0, 1: 2.3, 2: 2.1}
    (more,) = by_seed({"x": {**three, 3: 9.0, 4: 9.1}}, {"x": {s: v**2 for s, v in three.items()}})
    assert (more.pairs, more.of_fewer) == (3, True)
    (whole,) = by_seed({"x": three}, {"x": {s: v**2 for s, v in three.items()}})
    assert (whole.pairs, whole.of_fewer) == (3, False)
    assert whole.difference == pytest.approx(more.difference)
    (apart,) = changes({"x": [1.0, 2.0, 4.0, 5.0]}, {"x": [1.0, 2.5, 7.0]})
    assert (apart.pairs, apart.of_fewer) == (0, False)


@pytest.mark.parametrize(
    ("seeds", "shared"),
    [
        ([[0, 1, 2], [2, 1, 0]], [0, 1, 2]),
        ([[0, 1], [0, 1]], [0, 1]),
        ([[0, 1, 2], [0, 1]], []),  # two pairs are worth less than the third run
        ([[0, 1, 2, 3, 4], [0, 1, 2]], [0, 1, 2]),
        ([[0], [0]], []),
        ([[0, 1, 2], []], []),
    ],
)
def test_which_seeds_make_pairs(seeds: list[list[int]], shared: list[int]) -> None:
    assert pairs_of([dict.fromkeys(arm, 1.0) for arm in seeds]) == shared


def test_a_deterministic_number_that_moved_has_changed() -> None:
    one, other = {"x": {0: 1.0}, "y": {0: 1.0}}, {"x": {0: 2.0}, "y": {0: 1.0}}
    assert [item.kind for item in by_seed(one, other, {"x", "y"})] == ["changed", "equal"]


def test_pairs_that_differ_by_the_same_are_no_certainty() -> None:
    (found,) = by_seed({"x": {0: 90.0, 1: 90.2}}, {"x": {0: 90.2, 1: 90.4}})
    assert (found.kind, found.paired) == ("not told apart", False)


def test_last_bits_of_sums_are_no_change() -> None:
    one = {"x": {0: 0.1 + 0.2}, "y": {0: 0.1 + 0.2, 1: 0.7}, "z": {0: 3e-13}}
    other = {"x": {0: 0.3}, "y": {0: 0.3, 1: 0.7}, "z": {0: 4e-13}}
    kinds = {item.name: item.kind for item in by_seed(one, other, {"x", "z"})}
    assert kinds == {"x": "equal", "y": "equal", "z": "changed"}
