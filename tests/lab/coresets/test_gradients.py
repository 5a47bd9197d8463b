"""GraNd against gradients by autograd, one example at a time; GLISTER against the loss itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from harness.lab.coresets.el2n import grand_score
from harness.lab.coresets.el2n import probe_grand_score as probe
from harness.lab.coresets.gradients import (
    all_parameter_norms,
    errors,
    glister,
    last_layer_norms,
    products,
)
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples
from tests.lab.coresets.made import pool, reordered
from tests.lab.fixtures import DIGITS, NETWORK, changed, context


def some(count: int) -> tuple[Classifier, Examples]:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=0)
    # Running statistics that differ from those of any batch.
    for module in classifier.network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean += 0.3
            module.running_var *= 2
    train = sets.load(DIGITS).train
    return classifier, Examples.on("cpu", train.images[:count], train.labels[:count])


def by_autograd(classifier: Classifier, examples: Examples, last_only: bool) -> list[float]:
    classifier.network.eval()
    weights = list((classifier.network[-1] if last_only else classifier.network).parameters())
    norms = []
    for image, label in zip(examples.images, examples.labels, strict=True):
        logits = classifier.logits(classifier.pixels(image[None]))
        found = torch.autograd.grad(functional.cross_entropy(logits, label[None]), weights)
        norms.append(torch.cat([part.flatten() for part in found]).norm().item())
    return norms


def test_norms_are_those_of_one_example_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, examples = some(20)
    # Seven examples at a time, and six at the end.
    monkeypatch.setattr("harness.lab.coresets.gradients.GRADIENT_NUMBERS", 7 * 10_986)
    found = all_parameter_norms(classifier, examples)
    np.testing.assert_allclose(found, by_autograd(classifier, examples, False), rtol=1e-10)
    found = last_layer_norms(classifier, examples).detach()
    np.testing.assert_allclose(found, by_autograd(classifier, examples, True), rtol=1e-10)


def test_the_last_batch_is_larger_only_where_the_loss_is_a_mean() -> None:
    given_ = probe()
    # 24 examples: batches of 10, 10 and 4.
    recipe = changed(given_.params.recipe, batch_size=10)
    made = {
        reduction: grand_score(
            given_.params.model_copy(update={"reduction": reduction, "recipe": recipe}),
            {},
            context("x"),
        ).arrays["score"]
        for reduction in ("sum", "mean")
    }
    np.testing.assert_allclose(made["sum"] / made["mean"], [10] * 20 + [4] * 4, rtol=1e-5)


def test_errors_are_the_gradient_in_the_logits_and_keep_their_digits() -> None:
    given_ = pool(0)
    logits = torch.tensor(given_.logits, requires_grad=True)
    loss = functional.cross_entropy(logits, torch.tensor(given_.labels), reduction="sum")
    (wanted,) = torch.autograd.grad(loss, logits)
    found = errors(given_.log_probabilities, given_.labels)
    np.testing.assert_allclose(found, wanted, atol=1e-14)
    sure = errors(np.array([[-np.exp(-60.0), -60.0]]), np.array([0]))
    assert sure[0].tolist() == pytest.approx([-np.exp(-60), np.exp(-60)])


def validation_loss(given_, moved: np.ndarray) -> torch.Tensor:
    """Mean cross-entropy of the pool after the last layer moved by `moved` (classes, d + 1)."""
    given = np.hstack([np.ones((len(given_), 1)), given_.features])
    logits = torch.tensor(given_.logits) + torch.tensor(given) @ moved.T
    return functional.cross_entropy(logits, torch.tensor(given_.labels))


@pytest.mark.parametrize("update", [True, False])
@given(seed=st.integers(0, 1000))
def test_glister_takes_the_steepest_descent_of_the_moved_loss(update: bool, seed: int) -> None:
    given_ = pool(seed)
    given = np.hstack([np.ones((10, 1)), given_.features])
    own = errors(given_.log_probabilities, given_.labels)
    moved = torch.zeros((4, 4), dtype=torch.float64)
    rows, gains = glister(given_, 5, 0.7, update)
    for step, row in enumerate(rows):
        (slope,) = torch.autograd.grad(validation_loss(given_, moved.requires_grad_()), moved)
        descent = np.einsum("ce,ic,ie->i", slope.numpy(), own, given).tolist()
        free = [i for i in range(10) if i not in rows[:step]]
        assert row == max(free, key=descent.__getitem__)
        assert gains[step] == pytest.approx(descent[row])
        moved = moved.detach()
        if update:
            moved = moved - 0.7 * torch.tensor(np.outer(own[row], given[row]))


def test_frozen_and_moved_differ_after_the_first_choice() -> None:
    choices = [
        (glister(pool(s), 4, 0.7, True)[0], glister(pool(s), 4, 0.7, False)[0]) for s in range(20)
    ]
    assert all(moved[0] == frozen[0] for moved, frozen in choices)
    assert any(moved.tolist() != frozen.tolist() for moved, frozen in choices)


@given(seed=st.integers(0, 1000))
def test_the_order_of_the_examples_does_not_matter(seed: int) -> None:
    given_, order = pool(seed), np.random.default_rng(seed).permutation(10)
    moved = reordered(given_, order)
    chosen = [each.rows[glister(each, 4, 0.7, True)[0]].tolist() for each in (given_, moved)]
    assert chosen[0] == chosen[1]


@given(seed=st.integers(0, 1000))
def test_gradients_of_batches_are_those_of_their_mean_loss(seed: int) -> None:
    """Ten examples in batches of four, four and two, by autograd; as DeepCore computes them."""
    given_ = pool(seed)
    given = torch.tensor(np.hstack([np.ones((10, 1)), given_.features]))
    rows = []
    for begin in (0, 4, 8):
        part = slice(begin, min(begin + 4, 10))
        logits = torch.tensor(given_.logits[part], requires_grad=True)
        loss = functional.cross_entropy(logits, torch.tensor(given_.labels[part]))
        (slope,) = torch.autograd.grad(loss, logits)
        rows.append((slope[:, :, None] * given[part, None, :]).flatten(1))
    gradients = torch.cat(rows).numpy()
    np.testing.assert_allclose(products(given_, 4), gradients @ gradients.T, atol=1e-12)
    # GLISTER without an update: the ranking by alignment with the mean of these.
    chosen, gains = glister(given_, 10, 0.1, update=False, batch_size=4)
    aligned = gradients @ gradients.mean(axis=0)
    np.testing.assert_allclose(gains, -np.sort(-aligned), atol=1e-12)
    np.testing.assert_allclose(aligned[chosen], gains, atol=1e-12)
    # One batch that holds all is a factor, and changes no choice.
    assert (
        glister(given_, 4, 0.1, False, 10)[0].tolist() == glister(given_, 4, 0.1, False)[0].tolist()
    )


def test_all_parameter_norms_of_a_perceptron_in_closed_form() -> None:
    """Without autograd: layer by layer |delta|^2 (1 + |input|^2), by back-propagation in NumPy."""
    classifier = Classifier.fresh("mlp", DIGITS, "cpu", "float64", seed=1)
    train = sets.load(DIGITS).train
    examples = Examples.on("cpu", train.images[:12], train.labels[:12])
    layers = [part for part in classifier.network.modules() if isinstance(part, torch.nn.Linear)]
    weights = [layer.weight.detach().numpy() for layer in layers]
    biases = [layer.bias.detach().numpy() for layer in layers]
    given_ = [(train.images[:12].reshape(12, -1) / 255 - 0.3053) / 0.3758]
    for weight, bias in zip(weights, biases, strict=True):
        put_out = given_[-1] @ weight.T + bias
        given_.append(np.maximum(put_out, 0) if len(given_) < len(weights) else put_out)
    logits = given_.pop()
    delta = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    delta[np.arange(12), train.labels[:12]] -= 1
    squares = np.zeros(12)
    for number in reversed(range(len(weights))):
        squares += (delta**2).sum(axis=1) * (1 + (given_[number] ** 2).sum(axis=1))
        delta = (delta @ weights[number]) * (given_[number] > 0)
    np.testing.assert_allclose(
        all_parameter_norms(classifier, examples), np.sqrt(squares), rtol=1e-10
    )
