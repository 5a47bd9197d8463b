"""Selections: what is kept, in which order, and how often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import beta, chisquare

from harness.errors import UserError
from harness.lab.coresets.select import (
    BetaParams,
    FractionParams,
    RandomParams,
    TopParams,
    select_beta,
    select_fraction,
    select_random,
    select_top,
)
from harness.lab.data import sets
from tests.lab.fixtures import DIGITS, context, held

LABELS = sets.load(DIGITS).train.labels
SMALLEST = int(np.bincount(LABELS).min())


def scores(seed: int, levels: int) -> np.ndarray:
    """Scores with many ties."""
    return np.random.default_rng(seed).integers(0, levels, len(LABELS)).astype(np.float32)


def top(score: np.ndarray, per_class: int, balanced: bool = True) -> np.ndarray:
    params = TopParams(dataset=DIGITS, per_class=per_class, balanced=balanced)
    result = select_top(params, {"score": held(score=score)}, context("x"))
    indices, labels = result.arrays["indices"], result.arrays["labels"]
    assert indices.dtype == labels.dtype == np.int64
    assert np.array_equal(labels, LABELS[indices])
    return indices


def beta_draw(
    score: np.ndarray, mean: np.ndarray, per_class: int, seed: int = 0, **params
) -> np.ndarray:
    made = BetaParams(
        **{"dataset": DIGITS, "per_class": per_class, "balanced": True, "c_d": 4.0} | params
    )
    given = held(score=score.astype(np.float32), mean_probability=mean.astype(np.float32))
    result = select_beta(made, {"score": given}, context("x", seed))
    assert np.array_equal(result.arrays["labels"], LABELS[result.arrays["indices"]])
    return result.arrays["indices"]


def random_draw(per_class: int, seed: int = 0) -> np.ndarray:
    params = RandomParams(dataset=DIGITS, per_class=per_class)
    return select_random(params, {}, context("x", seed)).arrays["indices"]


@given(seed=st.integers(0, 99), levels=st.integers(1, 2000), per_class=st.integers(1, SMALLEST))
def test_top_keeps_the_highest_of_each_class_ties_by_lowest_index(seed, levels, per_class) -> None:
    score = scores(seed, levels)
    expected = []
    for label in range(10):
        members = [i for i in range(len(LABELS)) if LABELS[i] == label]
        expected += sorted(members, key=lambda i: (-score[i], i))[:per_class]
    assert top(score, per_class).tolist() == expected


@given(seed=st.integers(0, 99), levels=st.integers(1, 2000), per_class=st.integers(1, 131))
def test_unbalanced_top_keeps_the_highest_of_all(seed, levels, per_class) -> None:
    score = scores(seed, levels)
    expected = sorted(range(len(LABELS)), key=lambda i: (-score[i], i))[: 10 * per_class]
    assert top(score, per_class, balanced=False).tolist() == expected


def test_only_the_order_of_the_scores_matters() -> None:
    score = scores(0, 50)
    assert np.array_equal(top(score, 20), top(np.exp(score / 10), 20))


SELECTORS = {
    "top": lambda n: top(scores(3, 40), n),
    "beta": lambda n: beta_draw(scores(3, 40) / 40, np.linspace(0, 1, len(LABELS)), n),
    "random": random_draw,
}


@pytest.mark.parametrize("name", SELECTORS)
def test_every_selection_is_balanced_without_repetition(name: str) -> None:
    indices = SELECTORS[name](30)
    assert np.bincount(LABELS[indices]).tolist() == [30] * 10
    assert len(np.unique(indices)) == 300
    assert (np.diff(LABELS[indices]) >= 0).all()


@pytest.mark.parametrize("name", ["top", "random"])
def test_smaller_selections_are_prefixes_of_larger_ones(name: str) -> None:
    # Not so for the Beta sampling, whose density depends on the pruned share.
    small, large = (SELECTORS[name](n).reshape(10, n) for n in (5, 30))
    assert np.array_equal(small, large[:, :5])


@pytest.mark.parametrize("name", SELECTORS)
def test_more_than_the_smallest_class_is_refused(name: str) -> None:
    assert len(SELECTORS[name](SMALLEST)) == 10 * SMALLEST
    with pytest.raises(ValidationError, match=f"smallest class of 'digits' has {SMALLEST}"):
        SELECTORS[name](SMALLEST + 1)


def test_scores_of_another_data_set_are_refused() -> None:
    with pytest.raises(UserError, match=r"needs 1347 scores.*holds 5"):
        top(np.ones(5, np.float32), 1)


def test_random_draws_every_example_equally_often() -> None:
    counts = np.zeros(len(LABELS))
    for seed in range(400):
        counts[random_draw(13, seed)] += 1
    for label in range(10):
        assert chisquare(counts[label == LABELS]).pvalue > 1e-3


def test_draws_depend_on_the_seed_alone(untouched_generators: None) -> None:
    mean = np.linspace(0.1, 0.9, len(LABELS))
    assert np.array_equal(random_draw(5, 1), random_draw(5, 1))
    assert not np.array_equal(random_draw(5, 1), random_draw(5, 2))
    score = np.ones(len(LABELS))
    assert np.array_equal(beta_draw(score, mean, 5, 1), beta_draw(score, mean, 5, 1))
    assert not np.array_equal(beta_draw(score, mean, 5, 1), beta_draw(score, mean, 5, 2))


def test_beta_sampling_draws_in_proportion_to_density_times_score() -> None:
    # One example per class and seed makes each draw a single multinomial draw within the class.
    generator = np.random.default_rng(0)
    score = generator.uniform(0.05, 0.3, len(LABELS)).astype(np.float32)
    mean = generator.uniform(0.3, 0.7, len(LABELS)).astype(np.float32)
    anchor = mean[np.argsort(-score)[:10]].astype(float).mean()
    b = 15 * (1 - anchor) * (1 - (1 - 10 / len(LABELS)) ** 4.0)
    p = beta.pdf(mean, 16 - b, b) * score
    members = LABELS == 0
    drawn = [beta_draw(score, mean, 1, seed)[0] for seed in range(3000)]
    counts = np.bincount(drawn, minlength=len(LABELS))[members]
    share = p[members] / p[members].sum()
    common = share > 5 / 3000
    observed = np.append(counts[common], counts[~common].sum())
    expected = 3000 * np.append(share[common], share[~common].sum())
    assert common.sum() >= 5
    assert chisquare(observed, expected).pvalue > 1e-3


@pytest.mark.parametrize("balanced", [True, False])
def test_beta_sampling_survives_saturated_probabilities_and_zero_scores(balanced: bool) -> None:
    mean = np.zeros(len(LABELS))
    mean[::2] = 1.0
    score = np.zeros(len(LABELS))
    score[::5] = 0.1
    # r near 1: b is far below 1, so that the density is infinite at a probability of 1.
    few = beta_draw(score, mean, 1, balanced=balanced)
    assert len(np.unique(few)) == 10
    assert (score[few] > 0).all()
    assert (mean[few] == 1).all()
    # More are wanted than have a positive probability: the rest follow in order.
    many = beta_draw(score, mean, 120, balanced=balanced)
    assert len(np.unique(many)) == 1200
    assert set(np.flatnonzero(score)) <= set(many)


def test_harder_pruning_moves_the_beta_sampling_to_easier_examples() -> None:
    generator = np.random.default_rng(1)
    mean = generator.uniform(0.02, 0.98, len(LABELS))
    score = mean * (1 - mean)
    easy = [mean[beta_draw(score, mean, n)].mean() for n in (5, 60)]
    assert easy[0] > easy[1]
    assert easy[0] > mean[top(score.astype(np.float32), 5)].mean()


def fraction_draw(score: np.ndarray, seed: int = 0, **fields) -> np.ndarray:
    made = {"dataset": DIGITS, "per_class": 5, "fraction": 0.1, "keep": "lowest"} | fields
    given = {"score": held(score=score)}
    result = select_fraction(FractionParams(**made), given, context("x", seed))
    assert np.array_equal(result.arrays["labels"], LABELS[result.arrays["indices"]])
    return result.arrays["indices"]


@pytest.mark.parametrize("keep", ["lowest", "highest"])
def test_a_fraction_is_drawn_from_uniformly_and_nothing_else(keep: str) -> None:
    score = np.random.default_rng(0).random(len(LABELS))
    drawn = np.zeros(len(LABELS), int)
    for seed in range(300):
        indices = fraction_draw(score, seed, keep=keep)
        assert np.bincount(LABELS[indices]).tolist() == [5] * 10
        drawn[indices] += 1
    for label in range(10):
        own = np.flatnonzero(label == LABELS)
        ranked = own[np.argsort(score[own] if keep == "lowest" else -score[own])]
        size = round(0.1 * len(own))
        assert drawn[ranked[size:]].sum() == 0
        assert chisquare(drawn[ranked[:size]]).pvalue > 1e-4


def test_a_fraction_that_holds_too_few_is_the_best_of_each_class() -> None:
    score = np.random.default_rng(1).random(len(LABELS)).astype(np.float32)
    wanted = top(-score, 20)
    assert sorted(fraction_draw(score, per_class=20).tolist()) == sorted(wanted.tolist())


def test_prefixes_of_a_draw_from_a_fraction_are_draws() -> None:
    score = np.random.default_rng(2).random(len(LABELS))
    larger = fraction_draw(score, fraction=0.3).reshape(10, 5)
    smaller = fraction_draw(score, fraction=0.3, per_class=2).reshape(10, 2)
    assert np.array_equal(smaller, larger[:, :2])
    with pytest.raises(UserError, match="its input holds 7"):
        fraction_draw(np.zeros(7))
