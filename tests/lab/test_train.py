"""The training loop: budget, order, schedule and optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.lab.models import Classifier
from harness.lab.recipe import Recipe
from harness.lab.schedule import Schedule, batch_sizes
from harness.lab.train import Examples, evaluate, random_batches, training
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context


def test_batches_of_an_epoch_end_with_what_is_left() -> None:
    assert batch_sizes(10, 4, 20) == [4, 4, 2, 4, 4, 2]
    assert batch_sizes(10, 4, 13) == [4, 4, 2, 3]
    assert batch_sizes(3, 50, 6) == [3, 3]


def test_a_single_example_left_over_joins_the_batch_before_it() -> None:
    assert batch_sizes(9, 4, 18) == [4, 5, 4, 5]
    assert batch_sizes(8, 4, 9) == [4, 5]


@given(examples=st.integers(2, 60), batch=st.integers(2, 20), samples=st.integers(2, 300))
def test_a_run_sees_exactly_its_samples_in_batches_of_two_or_more(
    examples: int, batch: int, samples: int
) -> None:
    sizes = batch_sizes(examples, batch, samples)
    assert sum(sizes) == samples
    assert min(sizes) >= 2
    assert max(sizes) <= batch + 1
    stream = torch.cat(list(random_batches(examples, sizes, torch.Generator().manual_seed(0))))
    visits = np.bincount(stream.numpy(), minlength=examples)
    assert visits.max() - visits.min() <= 1


def test_epochs_come_in_different_orders() -> None:
    first, second = random_batches(50, [50, 50], torch.Generator().manual_seed(0))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(50))
    assert not torch.equal(first, second)


def rate(recipe: Recipe, step: int, steps: int, warmup: int = 0) -> float:
    return Schedule(recipe, steps, per_epoch=4, warmup=warmup, drop=steps).rate(step)


def test_cosine_falls_from_the_rate_to_zero_as_torchs_does() -> None:
    ours = [rate(HARD_LABELS, step, 40) for step in range(40)]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    for expected in ours:
        assert expected == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()
    assert rate(HARD_LABELS, 20, 40) == pytest.approx(0.25)
    assert rate(HARD_LABELS, 40, 40) == 0


def test_warm_up_rises_linearly_inside_the_run() -> None:
    rates = [rate(HARD_LABELS, step, 14, 4) for step in range(15)]
    assert rates[:5] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5])
    assert rates[9] == pytest.approx(0.25)
    assert rates[14] == 0


def test_a_constant_rate_is_constant() -> None:
    flat = changed(HARD_LABELS, scheduler="constant")
    assert {rate(flat, step, 9) for step in range(9)} == {0.5}


def toy() -> tuple[Classifier, Examples]:
    """Softmax regression on eight one-pixel images: everything can be computed by hand."""
    dataset = DIGITS.model_copy(
        update={"classes": 2, "resolution": 1, "mean": (0.0,), "std": (1.0,)}
    )
    linear = torch.nn.Linear(1, 2).double()
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.3], [-0.2]]))
        linear.bias.copy_(torch.tensor([0.1, 0.0]))
    network = torch.nn.Sequential(torch.nn.Flatten(), linear)
    images = np.arange(0, 240, 30, dtype=np.uint8).reshape(8, 1, 1, 1)
    examples = Examples.on("cpu", images, np.array([0, 0, 1, 0, 1, 0, 1, 1]))
    return Classifier(network, dataset, "cpu", "float64"), examples


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_with_momentum_decay_and_warm_up_equals_a_hand_computed_run(nesterov: bool) -> None:
    classifier, examples = toy()
    recipe = changed(
        HARD_LABELS, batch_size=8, augmentation="none", nesterov=nesterov, warmup_epochs=1
    )
    x, y = examples.images.numpy().reshape(8) / 255, np.eye(2)[examples.labels.numpy()]
    w, b = np.array([0.3, -0.2], np.float32).astype(float), np.array([0.1, 0], np.float32)
    theta, velocity = np.concatenate([w, b.astype(float)]), np.zeros(4)
    losses = []
    # The whole set is one batch, so the order does not matter; 4 epochs, the first a warm-up.
    for rate in (0.5, 0.5, 0.5 * (1 + math.cos(math.pi / 3)) / 2, 0.125):
        logits = np.outer(x, theta[:2]) + theta[2:]
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        losses.append(-np.log((p * y).sum(axis=1)).mean())
        gradient = np.concatenate([x @ (p - y) / 8, (p - y).mean(axis=0)]) + 5e-4 * theta
        velocity = 0.9 * velocity + gradient
        theta = theta - rate * (gradient + 0.9 * velocity if nesterov else velocity)
    updates = list(training(classifier, examples, recipe, 32, context("toy")))
    assert [update.loss.item() for update in updates] == pytest.approx(losses, rel=1e-9)
    linear = classifier.network[1]
    ours = [*linear.weight.flatten().tolist(), *linear.bias.tolist()]
    assert ours == pytest.approx(theta.tolist(), rel=1e-9)


def test_adamw_with_a_tiny_gradient_history_steps_by_the_rate() -> None:
    # The first step of Adam is rate x sign of the gradient, whatever the gradient's size.
    classifier, examples = toy()
    recipe = changed(
        HARD_LABELS,
        batch_size=8,
        augmentation="none",
        optimizer="adamw",
        learning_rate=0.01,
        weight_decay=0.0,
    )
    before = classifier.network[1].bias.detach().clone()
    list(training(classifier, examples, recipe, 8, context("toy")))
    moved = (classifier.network[1].bias.detach() - before).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), rtol=1e-4, atol=0)


def test_batches_report_what_the_network_said_before_the_update() -> None:
    classifier, examples = toy()
    recipe = changed(HARD_LABELS, batch_size=8, augmentation="none")
    with torch.no_grad():
        expected = classifier.logits(classifier.pixels(examples.images))
    update = next(training(classifier, examples, recipe, 8, context("toy")))
    torch.testing.assert_close(update.logits, expected[update.chosen])


def test_a_diverged_network_is_an_error_and_not_a_number() -> None:
    classifier, examples = toy()
    with torch.no_grad():
        classifier.network[1].bias.fill_(torch.inf)
    with pytest.raises(EvidenceError, match="diverged"):
        evaluate(classifier, examples)


def test_training_leaves_the_global_generators_alone(untouched_generators: None) -> None:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float32", seed=0)
    images = np.zeros((12, 8, 8, 1), np.uint8)
    examples = Examples.on("cpu", images, np.arange(12) % 10)
    assert len(list(training(classifier, examples, HARD_LABELS, 24, context("x"), factor=2))) == 2
