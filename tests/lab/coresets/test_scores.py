"""Scores against plain loops, hand-computed cases and closed forms."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.lab.coresets.dynamics import (
    CadParams,
    DualParams,
    DynUncParams,
    cad_score,
    dual_score,
    dyn_unc_score,
)
from tests.lab.fixtures import context, held


def signal(looks: int, examples: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((looks, examples)).astype(np.float32)


def dyn_unc(values: np.ndarray, **params) -> np.ndarray:
    made = DynUncParams.model_validate({"signal": "probability", "drop_last": True} | params)
    result = dyn_unc_score(made, {"dynamics": held(**{made.signal: values})}, context("x"))
    return result.arrays["score"]


def dual(values: np.ndarray, **params) -> dict[str, np.ndarray]:
    made = DualParams.model_validate({"signal": "train_probability"} | params)
    result = dual_score(made, {"dynamics": held(**{made.signal: values})}, context("x"))
    return dict(result.arrays)


def cad(values: np.ndarray, **params) -> np.ndarray:
    made = CadParams.model_validate({"signal": "el2n"} | params)
    result = cad_score(made, {"dynamics": held(**{made.signal: values})}, context("x"))
    return result.arrays["score"]


def by_hand(
    values: np.ndarray, starts: range, window: int, of: Callable[[list[float]], float]
) -> list[float]:
    """Mean over the windows of a function of each example's values in it: loops and no arrays."""
    scores = []
    for example in range(values.shape[1]):
        terms = [of([float(values[k + j, example]) for j in range(window)]) for k in starts]
        scores.append(sum(terms) / len(terms))
    return scores


@given(window=st.integers(2, 5), extra=st.integers(1, 6), drop_last=st.booleans())
def test_dyn_unc_is_the_mean_standard_deviation_over_windows(window, extra, drop_last) -> None:
    values = signal(window + extra)
    starts = range(extra) if drop_last else range(extra + 1)
    expected = by_hand(values, starts, window, statistics.stdev)
    made = dyn_unc(values, window=window, drop_last=drop_last)
    assert made.tolist() == pytest.approx(expected, rel=1e-6)


@given(window=st.integers(2, 5), more=st.integers(0, 5), unused=st.integers(0, 3))
def test_dual_weighs_each_window_by_how_wrong_it_was(window, more, unused) -> None:
    looks = window + more
    values = signal(looks + unused)

    def term(part: list[float]) -> float:
        return statistics.stdev(part) * (1 - statistics.fmean(part))

    made = dual(values, window=window, looks=looks)
    expected = by_hand(values, range(more + 1), window, term)
    assert made["score"].tolist() == pytest.approx(expected, rel=1e-6)
    means = [statistics.fmean(map(float, column)) for column in values[:looks].T]
    assert made["mean_probability"].tolist() == pytest.approx(means, rel=1e-6)


@given(window=st.integers(2, 5), tail=st.integers(1, 4), unused=st.integers(0, 4))
def test_cad_averages_the_last_windows_before_the_last_look(window, tail, unused) -> None:
    looks = window + tail + unused
    values = signal(looks)
    starts = range(looks - window - tail, looks - window)
    expected = by_hand(values, starts, window, statistics.stdev)
    made = cad(values, window=window, tail=tail)
    assert made.tolist() == pytest.approx(expected, rel=1e-6)


def test_cad_of_a_case_computed_by_hand() -> None:
    # L = 6, J = 3, W = 2: windows of looks 1-3 and 2-4; looks 0 and 5 play no part.
    values = np.array([9, 0.0, 0.0, 0.6, 0.9, -9], np.float32)[:, None]
    # {0, 0, .6}: mean .2, squares .04 + .04 + .16 = .24, over 2: .12. {0, .6, .9}: mean .5, .21.
    expected = (0.12**0.5 + 0.21**0.5) / 2
    assert cad(values, window=3, tail=2)[0] == pytest.approx(expected, rel=1e-6)


def test_a_straight_line_has_the_spread_of_equidistant_points_in_every_window() -> None:
    # Unbiased variance of J points one apart is J (J + 1) / 12.
    line = 0.05 * np.arange(12, dtype=np.float32)[:, None]
    for window in (2, 5, 9):
        expected = 0.05 * (window * (window + 1) / 12) ** 0.5
        assert dyn_unc(line, window=window)[0] == pytest.approx(expected, rel=1e-5)
        assert cad(line, window=window, tail=2)[0] == pytest.approx(expected, rel=1e-5)


@given(looks=st.integers(4, 12), tail=st.integers(1, 2))
def test_span_is_the_longest_window_that_leaves_room_for_the_tail(looks, tail) -> None:
    values = signal(looks)
    assert np.array_equal(
        cad(values, window="span", tail=tail), cad(values, window=looks - tail, tail=tail)
    )


def test_the_signal_that_is_named_is_the_one_that_is_used() -> None:
    first, second = signal(8), signal(8, seed=1)
    recorded = held(el2n=first, probability=second)
    params = CadParams(window=3, tail=2, signal="probability")
    made = cad_score(params, {"dynamics": recorded}, context("x")).arrays["score"]
    assert np.array_equal(made, cad(second, window=3, tail=2))


def test_scores_are_float32_also_of_float64_signals() -> None:
    wide = signal(8).astype(np.float64)
    assert {a.dtype for a in dual(wide, window=3, looks=8).values()} == {np.dtype(np.float32)}
    assert dyn_unc(wide, window=3).dtype == cad(wide, window=3, tail=2).dtype == np.float32


def test_too_few_looks_are_refused_and_the_message_says_how_many_are_needed() -> None:
    with pytest.raises(UserError, match=r"need at least 11 looks.*recorded 10"):
        dyn_unc(signal(10), window=10)
    assert dyn_unc(signal(11), window=10).shape == (7,)
    with pytest.raises(UserError, match=r"first 9 looks.*recorded 8"):
        dual(signal(8), window=3, looks=9)
    with pytest.raises(UserError, match="expected window <= looks"):
        dual(signal(8), window=5, looks=4)
    with pytest.raises(UserError, match=r"need 8 looks.*recorded 7"):
        cad(signal(7), window=6, tail=2)
    with pytest.raises(UserError, match=r"need 4 looks.*recorded 3"):
        cad(signal(3), window="span", tail=2)


def test_cad_of_probabilities_by_hand_and_why_it_is_another_ranking() -> None:
    """Four looks, J = 2, W = 1: only the looks 1 and 2 count."""
    probability = np.array([[0.1, 0.2], [0.2, 0.5], [0.6, 0.5], [0.9, 0.9]], np.float32)
    # The deviation of two numbers is their distance over the root of 2.
    made = cad(probability, window=2, tail=1, signal="probability")
    assert made.tolist() == pytest.approx([0.4 / 2**0.5, 0.0])
    # With two classes EL2N is sqrt(2) (1 - p), so that both readings rank alike.
    two = cad(2**0.5 * (1 - probability), window=2, tail=1, signal="el2n")
    assert two.tolist() == pytest.approx((2**0.5 * made).tolist(), abs=1e-6)
    # With three, p may stand still while EL2N moves: the others' shares count.
    answers = np.array([[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]])
    el2n = np.linalg.norm(answers - [1, 0, 0], axis=1)
    three = cad(np.array([[0], [el2n[0]], [el2n[1]], [0]], np.float32), window=2, tail=1)
    assert three.tolist() == pytest.approx([(0.5 - 0.375) / (0.5**0.5 + 0.375**0.5) / 2**0.5])
