"""Greedy choices against brute force, plain greedy, and gradients that autograd writes out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from harness.lab.coresets.gradients import (
    FacilityLocation,
    cosine_similarity,
    distances,
    graph_cut,
    lazy_greedy,
    products,
)
from harness.lab.coresets.pools import Pool
from harness.lab.coresets.submodular import probe_select_craig as craig_probe
from harness.lab.coresets.submodular import select_craig
from tests.lab.coresets.made import pool
from tests.lab.fixtures import context

Value = Callable[[np.ndarray, list[int]], float]
Chosen = tuple[np.ndarray, np.ndarray]


def coverage(similarity: np.ndarray, rows: list[int]) -> float:
    return sum(max((similarity[i, j] for j in rows), default=0.0) for i in range(len(similarity)))


def cut(trade_off: float) -> Value:
    def value(similarity: np.ndarray, rows: list[int]) -> float:
        inside = sum(similarity[i, j] for i in rows for j in rows)
        return trade_off * similarity[:, rows].sum() - inside

    return value


def location(similarity: np.ndarray, count: int, at_once: int) -> Chosen:
    return lazy_greedy(FacilityLocation(similarity), count, at_once)


KINDS: dict[str, tuple[Value, Callable[[np.ndarray, int], Chosen]]] = {
    "facility location, by one": (coverage, partial(location, at_once=1)),
    "facility location, by three": (coverage, partial(location, at_once=3)),
    "graph cut": (cut(1.0), lambda similarity, count: graph_cut(similarity, 1.0, count)),
    "monotone graph cut": (cut(2.0), lambda similarity, count: graph_cut(similarity, 2.0, count)),
}
KIND = pytest.mark.parametrize("kind", KINDS)


def plain_greedy(value: Value, similarity: np.ndarray, count: int) -> list[int]:
    """As the definition reads: every gain of every step from the values of two sets."""
    rows: list[int] = []
    for _ in range(count):
        free = [row for row in range(len(similarity)) if row not in rows]
        rows.append(max(free, key=lambda row: (value(similarity, [*rows, row]), -row)))
    return rows


def whole_numbers(seed: int, size: int) -> np.ndarray:
    """Similarities whose sums are exact, with many ties."""
    half = np.random.default_rng(seed).integers(0, 4, (size, size)).astype(float)
    return half + half.T + 8 * np.eye(size)


def untied(seed: int, size: int = 10) -> np.ndarray:
    """Similarities of gradients, and of each to itself another number.

    With ones there, two examples that only stand for each other tie, but for the rounding.
    """
    similarity = cosine_similarity(products(pool(seed, size)))
    return similarity + np.diag(np.random.default_rng(seed).random(size))


@KIND
@given(seed=st.integers(0, 10_000), size=st.integers(1, 9), data=st.data())
def test_the_choice_is_plain_greedy_ties_included(kind: str, seed: int, size: int, data) -> None:
    value, choose = KINDS[kind]
    similarity = whole_numbers(seed, size)
    count = data.draw(st.integers(1, size))
    rows, gains = choose(similarity, count)
    assert rows.tolist() == plain_greedy(value, similarity, count)
    assert np.cumsum(gains).tolist() == [
        value(similarity, rows[: k + 1].tolist()) for k in range(count)
    ]


@KIND
@given(seed=st.integers(0, 10_000))
def test_the_choice_is_plain_greedy_on_gradients(kind: str, seed: int) -> None:
    value, choose = KINDS[kind]
    similarity = untied(seed)
    rows, _ = choose(similarity, 5)
    assert rows.tolist() == plain_greedy(value, similarity, 5)


@given(seed=st.integers(0, 10_000))
def test_gains_diminish(seed: int) -> None:
    function = FacilityLocation(whole_numbers(seed, 7))
    before = function.gains(np.arange(7))
    for row in np.random.default_rng(seed).permutation(7)[:5]:
        function.add(int(row))
        after = function.gains(np.arange(7))
        assert (after <= before).all()
        before = after


@pytest.mark.parametrize("kind", ["facility location, by three", "monotone graph cut"])
@given(seed=st.integers(0, 10_000), count=st.integers(1, 4))
def test_greedy_has_its_share_of_the_optimum(kind: str, seed: int, count: int) -> None:
    value, choose = KINDS[kind]
    similarity = cosine_similarity(products(pool(seed, size=8)))
    best = max(value(similarity, list(rows)) for rows in combinations(range(8), count))
    _, gains = choose(similarity, count)
    assert gains.sum() >= (1 - 1 / np.e) * best - 1e-9


@KIND
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_examples_does_not_matter(kind: str, seed: int) -> None:
    similarity, order = untied(seed), np.random.default_rng(seed).permutation(10)
    rows, _ = KINDS[kind][1](similarity, 4)
    moved, _ = KINDS[kind][1](similarity[np.ix_(order, order)], 4)
    assert order[moved].tolist() == rows.tolist()


def test_two_tight_clusters_give_one_each_the_larger_first() -> None:
    members = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    middles = np.array([[0.0, 0.0], [9.0, 0.0]])
    points = middles[members] + 0.1 * np.random.default_rng(0).normal(size=(8, 2))
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    similarity = apart.max() - apart
    rows, gains = lazy_greedy(FacilityLocation(similarity), 2)
    assert members[rows].tolist() == [0, 1]
    assert rows[0] == similarity.sum(axis=0).argmax()
    assert gains[0] == pytest.approx(similarity.sum(axis=0).max())


def test_gains_of_the_cut_fall_below_zero_about_half_way() -> None:
    similarity = cosine_similarity(products(pool(0, size=40)))
    _, gains = graph_cut(similarity, 1.0, 40)
    assert 15 <= (gains > 0).sum() <= 25


def written_out(given_: Pool) -> torch.Tensor:
    """Gradients (n, (d + 1) x classes) of the cross-entropy in the last layer, by autograd."""
    found = []
    for label, feature, logits in zip(given_.labels, given_.features, given_.logits, strict=True):
        # As far as the layer moves from where it is, so do the logits.
        moved = torch.zeros((len(feature) + 1, len(logits)), requires_grad=True).double()
        answer = torch.tensor(logits) + torch.tensor([1.0, *feature]).double() @ moved
        loss = functional.cross_entropy(answer, torch.tensor(label))
        found.append(torch.autograd.grad(loss, moved)[0].flatten())
    return torch.stack(found)


def test_kernels_are_those_of_gradients_written_out() -> None:
    given_ = pool(3, size=9)
    gradients = written_out(given_)
    inner = products(given_)
    np.testing.assert_allclose(inner, gradients @ gradients.T, atol=1e-12)
    cosine = functional.cosine_similarity(gradients[:, None], gradients[None], dim=2)
    np.testing.assert_allclose(cosine_similarity(inner), 0.5 + cosine / 2, atol=1e-12)
    apart = torch.linalg.vector_norm(gradients[:, None] - gradients[None], dim=2)
    np.testing.assert_allclose(distances(inner), apart, atol=1e-6)


def test_an_example_without_a_gradient_is_like_itself_alone() -> None:
    similarity = cosine_similarity(np.diag([0.0, 4.0]))
    assert similarity.tolist() == [[1.0, 0.5], [0.5, 1.0]]


def test_craig_weighs_a_choice_by_the_examples_it_stands_for() -> None:
    probe = craig_probe()
    weights = select_craig(probe.params, probe.inputs, context("x")).arrays["weights"]
    # Six examples in each of the four classes.
    assert weights.reshape(4, 3).sum(axis=1).tolist() == [6.0] * 4
    assert (weights >= 1).all()
