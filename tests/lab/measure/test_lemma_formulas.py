"""Lemma 1 on drawn cases: each line against oracles, and each planted error caught."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from harness.lab.measure.lemma import formulas
from harness.lab.measure.lemma.identity import (
    ALLOWED,
    Case,
    applies,
    by_autograd,
    by_differences,
    by_mpmath,
)
from harness.lab.measure.lemma.lemma1 import (
    DegradationParams,
    IdentityParams,
    lemma_degradation,
    lemma_identity,
)
from tests.lab.fixtures import context

TEMPERATURES = st.floats(-1, 2).map(lambda power: 10.0**power)
"""0.1 to 100."""


@st.composite
def cases(draw: Callable[..., Any]) -> Case:
    classes = draw(st.sampled_from([2, 3, 10, 100, 1000]))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = source.uniform(-1, 1, classes) * draw(st.floats(0, 50))
    kind = draw(st.sampled_from(["one-hot", "near-uniform", "soft"]))
    if kind == "one-hot":
        target = np.eye(classes)[source.integers(classes)]
    else:
        weights = np.exp(source.uniform(-1, 0, classes) * (0.01 if kind == "near-uniform" else 9))
        target = weights / weights.sum()
    chosen = source.permutation(classes)[:3]
    return Case(logits, target, draw(TEMPERATURES), chosen)


def largest_error(case: Case, known, derivative, gradient, t2) -> float:
    heat, p = case.temperature, formulas.answer(case.logits, case.temperature)
    errors = (
        heat * (derivative(p, heat)[case.chosen] - known.softmax),
        heat * (gradient(p, case.target, heat)[case.chosen] - known.loss),
        (t2(p, case.target, heat)[case.chosen] - known.loss_t2) / heat,
    )
    return max(float(np.abs(error).max()) for error in errors)


LINES = (formulas.softmax_derivative, formulas.loss_gradient, formulas.loss_gradient_t2)


@settings(deadline=None, max_examples=40)
@given(cases())
def test_the_derivatives_are_those_of_autograd(case) -> None:
    assert largest_error(case, by_autograd(case), *LINES) < ALLOWED["autograd"]


@settings(deadline=None, max_examples=30)
@given(cases())
def test_the_derivatives_are_those_of_differences_where_these_reach(case) -> None:
    assume(applies("differences", case))
    assert largest_error(case, by_differences(case), *LINES) < ALLOWED["differences"]


@settings(deadline=None, max_examples=15)
@given(cases())
def test_the_derivatives_are_those_of_mpmath_beyond(case) -> None:
    largest = np.abs(case.logits).max()
    assume(largest > 0.1)
    scale = max(1.0, 31 * case.temperature / largest)
    far = Case(case.logits * scale, case.target, case.temperature, case.chosen)
    assert applies("mpmath", far)
    assert largest_error(far, by_mpmath(far), *LINES) < ALLOWED["mpmath"]


def test_mpmath_is_as_exact_as_a_case_done_by_hand() -> None:
    # Two classes: p_0 = 1 / (1 + e^-z) with z = (f_0 - f_1) / T, dp_0 / df_0 = p_0 p_1 / T.
    case = Case(np.array([40.0, -40.0]), np.array([0.0, 1.0]), 0.5, np.array([0]))
    known = by_mpmath(case)
    tail = float(mpmath.exp(-160) / (1 + mpmath.exp(-160)))
    assert known.softmax[0] == pytest.approx([2 * tail, -2 * tail], rel=1e-12)
    assert known.loss == pytest.approx([2.0], rel=1e-12)


@given(st.integers(2, 40), st.integers(0, 2**32), TEMPERATURES, st.floats(0.01, 100))
def test_orthogonal_gradients_of_equal_norm_make_the_identity_exact(classes, seed, heat, c) -> None:
    source = np.random.default_rng(seed)
    p, q = source.dirichlet(np.ones(classes), size=2)
    psi = c * np.linalg.qr(source.standard_normal((classes + 3, classes)))[0].T
    combined = np.linalg.norm((p - q) @ psi) / heat
    assert combined == pytest.approx(c * formulas.el2n_sl(p, q, heat), rel=1e-10)
    assert formulas.grand(p, q, psi @ psi.T, heat) == pytest.approx(combined, rel=1e-6)


@given(st.integers(2, 12), st.integers(0, 2**32), TEMPERATURES)
def test_the_exact_value_is_the_norm_of_the_sum(classes, seed, heat) -> None:
    source = np.random.default_rng(seed)
    p, q = source.dirichlet(np.ones(classes), size=2)
    psi = source.standard_normal((classes, 5 + classes))
    terms = [(p[k] - q[k]) * psi[k] / heat for k in range(classes)]
    expected = math.sqrt(sum(float(x) ** 2 for x in np.sum(terms, axis=0)))
    assert formulas.grand(p, q, psi @ psi.T, heat) == pytest.approx(expected, rel=1e-9)


@given(st.integers(2, 12), st.integers(0, 2**32), st.floats(0.01, 100))
def test_the_bounds_hold_and_are_attained(classes, seed, c) -> None:
    source = np.random.default_rng(seed)
    root = source.standard_normal((classes, classes + 2))
    gram = root @ root.T
    low, high = formulas.bounds(gram, c)
    vectors = source.standard_normal((200, classes))
    vectors -= vectors.mean(axis=1, keepdims=True)
    ratios = np.sqrt(np.einsum("ni,ij,nj->n", vectors, gram, vectors))
    ratios /= c * np.linalg.norm(vectors, axis=1)
    assert low * (1 - 1e-9) <= ratios.min()
    assert ratios.max() <= high * (1 + 1e-9)
    # Projected power iteration climbs to the upper one.
    centred = np.eye(classes) - 1 / classes
    climb = np.linalg.matrix_power(centred @ gram @ centred / np.trace(gram), 64) @ vectors[0]
    if np.linalg.norm(climb) > 1e-100:
        reached = math.sqrt(climb @ gram @ climb / (climb @ climb)) / c
        assert reached == pytest.approx(high, rel=0.05)
    # The bound by the whole spectrum is never tighter.
    apart = np.abs(np.linalg.eigvalsh(gram / c**2 - np.eye(classes))).max()
    assert high <= math.sqrt(1 + apart) * (1 + 1e-9)
    assert low >= math.sqrt(max(0.0, 1 - apart)) * (1 - 1e-9)


@given(st.integers(2, 40), st.integers(0, 2**32), st.floats(0.01, 10), st.floats(0, 1000))
def test_a_part_common_to_all_gradients_changes_nothing(classes, seed, c, common) -> None:
    p, q = np.random.default_rng(seed).dirichlet(np.ones(classes), size=2)
    gram = c**2 * np.eye(classes) + common
    exact = formulas.grand(p, q, gram, 2.0)
    assert exact == pytest.approx(c * formulas.el2n_sl(p, q, 2.0), rel=1e-4)
    assert formulas.bounds(gram, c) == pytest.approx((1, 1), rel=1e-4)


def test_the_ratio_does_not_depend_on_the_basis_of_the_weights() -> None:
    psi = np.random.default_rng(0).standard_normal((4, 9))
    turned = psi @ ortho_group.rvs(9, random_state=0)
    p, q = np.random.default_rng(1).dirichlet(np.ones(4), size=2)
    one, other = (formulas.grand(p, q, rows @ rows.T, 3.0) for rows in (psi, turned))
    assert one == pytest.approx(other)


def identity() -> dict[str, Any]:
    params = IdentityParams(
        temperatures=(0.1, 1.0, 20.0), classes=(2, 10), largest_logit=50, draws=3
    )
    return dict(lemma_identity(params, {}, context("lemma_identity")).values)


def test_every_line_holds_to_rounding() -> None:
    values = identity()
    assert values["holds"]
    assert values["cases"] == 3 * 2 * 3 * 3 == values["cases.differences"] + values["cases.mpmath"]
    assert values["cases.mpmath"] >= 3
    for line in ("softmax-derivative", "loss-gradient", "loss-gradient-t2"):
        assert {f"{line}.autograd", f"{line}.differences", f"{line}.mpmath"} <= set(values)


def without_cross_terms(p: np.ndarray, q: np.ndarray, gram: np.ndarray, heat: float) -> Any:
    return np.sqrt(((p - q) ** 2 * np.diagonal(gram)).sum()) / heat


PLANTED = {
    "no 1/T in the softmax": ("softmax_derivative", lambda p, T: np.diag(p) - np.outer(p, p)),
    "no delta": ("softmax_derivative", lambda p, T: -np.outer(p, p) / T),
    "no 1/T in the gradient": ("loss_gradient", lambda p, q, T: p - q),
    "wrong sign": ("loss_gradient", lambda p, q, T: (q - p) / T),
    "T^2 twice": ("loss_gradient_t2", lambda p, q, T: (p - q) * T**2),
    "KL the other way round": ("loss_gradient", lambda p, q, T: p * (p - q) / T),
    "dropped cross terms": ("grand", without_cross_terms),
    "squared norm": ("el2n_sl", lambda p, q, T: ((p - q) ** 2).sum(axis=-1) / T),
    "no 1/T in the score": ("el2n_sl", lambda p, q, T: np.linalg.norm(p - q, axis=-1)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, wrong = PLANTED[name]
    monkeypatch.setattr(formulas, target, wrong)
    values = identity()
    assert not values["holds"]
    line = {"grand": "grand", "el2n_sl": "result"}.get(target, target.replace("_", "-"))
    assert values[f"{line}.autograd"] > 1e-3


def test_the_approximation_degrades_with_the_level_and_stays_within_its_bounds() -> None:
    params = DegradationParams(
        classes=10, temperature=20, largest_logit=50, levels=(0, 0.2, 0.4, 0.8), rank=5, draws=100
    )
    made = lemma_degradation(params, {}, context("lemma_degradation"))
    for family in ("cosines", "norms"):
        low, _, high = made.arrays[f"{family}_ratio"].T
        assert np.all(np.diff(high - low) > 0)
        assert (low[0], high[0]) == pytest.approx((1, 1))
        assert np.all(np.diff(made.arrays[f"{family}_rank"]) < 0)
        assert made.values[f"{family}_near"] == 0.25
    for family in ("cosines", "norms", "common"):
        assert made.values[f"{family}_outside"] < 1e-10
    assert made.values["common_error"] < 1e-10
    assert made.arrays["cosine"][0] == 0
    assert np.all(np.diff(made.arrays["cosine"]) > 0)
